"""Which transcription factor a component is, found in simulated cells and in planted influences, and shown."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from identica import Training, pl, tl
from identica.datasets import Regulon, make_cells, make_regulon
from identica.metrics import match_components, mean_r2

anndata = pytest.importorskip("anndata")
REGULON = make_regulon(30, 80, random_state=1)


@pytest.mark.slow
def test_defaults_find_and_name_ten_factors():
    regulon = make_regulon(40, 200, random_state=0)
    simulated = make_cells(4000, 10, regulon=regulon, random_state=0)
    adata = simulated.to_anndata()
    tl.dica(adata, 10)
    # 0.997 here, 0.994 with seed 1 throughout; the autoencoder alone, which mixes the factors, has 0.31.
    assert mean_r2(simulated.latents, adata.obsm["X_dica"]) >= 0.98
    tl.label_components(adata, regulon.to_frame())
    order = match_components(simulated.latents, adata.obsm["X_dica"], method="r2").order
    named = adata.uns["dica"]["labels"]["label"].to_numpy()[order]
    assert np.count_nonzero(named == np.array(simulated.factors)) >= 9


@pytest.fixture(scope="module")
def found():
    """Cells whose components are found, and which is which."""
    simulated = make_cells(2000, 4, regulon=REGULON, random_state=0, half_responses="edge", hill=4.0, fold=16.0)
    adata = simulated.to_anndata()
    tl.dica(adata, 4, training=Training(max_steps=1500))
    order = match_components(simulated.latents, adata.obsm["X_dica"], method="r2").order
    return adata, simulated, order


@pytest.mark.slow
def test_components_are_named_by_their_factor(found):
    adata, simulated, order = found
    tl.label_components(adata, REGULON.to_frame(), min_targets=3)
    labels = adata.uns["dica"]["labels"]
    assert [labels["label"].iloc[order[j]] for j in range(4)] == list(simulated.factors)
    assert (labels["pvalue"] <= 0.01).all()
    assert adata.uns["dica"]["params"]["n_components"] == 4
    # The sign of a score says which way the component runs.
    for j, factor in enumerate(simulated.factors):
        direction = np.corrcoef(adata.obsm["X_dica"][:, order[j]], simulated.latents[:, j])[0, 1]
        assert np.sign(direction) == np.sign(labels.set_index("factor")["score"][factor])


@pytest.mark.slow
def test_nothing_is_named_after_a_shuffled_network(found):
    adata, *_ = found
    for seed in range(5):
        shuffled = REGULON.to_frame()
        shuffled["target"] = np.random.default_rng(seed).permutation(shuffled["target"])
        copy = tl.label_components(adata, shuffled, min_targets=3, copy=True)
        assert (copy.uns["dica"]["labels"]["label"] == "unassigned").all()


@pytest.mark.slow
def test_it_all_survives_a_file(found, tmp_path):
    adata, *_ = found
    tl.label_components(adata, REGULON.to_frame(), min_targets=3)
    adata.write_h5ad(tmp_path / "found.h5ad")
    read = anndata.read_h5ad(tmp_path / "found.h5ad")
    np.testing.assert_array_equal(read.obsm["X_dica"], adata.obsm["X_dica"])
    np.testing.assert_array_equal(read.varm["dica_influence"], adata.varm["dica_influence"])
    assert read.uns["dica"]["labels"].equals(adata.uns["dica"]["labels"])
    tl.label_components(read, REGULON.to_frame(), min_targets=3)
    assert read.uns["dica"]["labels"].equals(adata.uns["dica"]["labels"])
    ax = pl.influence(read, n_genes=12)
    assert [label.get_text().split()[1] for label in ax.get_xticklabels()] == list(read.uns["dica"]["labels"]["label"])


@pytest.fixture
def planted():
    """Components whose influence is the signed network times scales of many sizes."""
    random = np.random.default_rng(0)
    signs = np.zeros((60, 3))
    signs[:20, 0], signs[20:40, 1], signs[40:43, 2] = 1, random.choice([-1, 1], 20), -1
    scale = np.exp(3 * random.standard_normal(60))
    adata = anndata.AnnData(np.zeros((5, 60), dtype=np.float32))
    adata.obsm["X_dica"] = random.standard_normal((5, 3))
    adata.varm["dica_influence"] = (signs + 1e-3 * random.standard_normal(signs.shape)) * scale[:, None]
    adata.var["dica_scale"] = scale
    target, factor = np.nonzero(signs)
    net = pd.DataFrame({"source": [f"TF{j}" for j in factor], "target": adata.var_names[target]})
    return adata, net.assign(weight=signs[target, factor])


def test_influence_counts_in_standard_deviations_and_small_factors_are_left_out(planted):
    adata, net = planted
    tl.label_components(adata, net, min_targets=3)
    labels = adata.uns["dica"]["labels"]
    assert list(labels["label"]) == ["TF0", "TF1", "TF2"]
    assert (labels["score"].abs() > 0.99).all()
    tl.label_components(adata, net)
    assert list(adata.uns["dica"]["labels"]["label"]) == ["TF0", "TF1", "unassigned"]


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        (lambda net: net.rename(columns={"weight": "mor"}), ValueError, "net has no column 'weight', it has source"),
        (lambda net: net.assign(weight="x"), ValueError, "no number as weight: leave such rows out"),
        (lambda net: net.assign(weight=0.0), ValueError, "all weights of net are 0"),
        (lambda net: net.assign(source=[None, *net["source"][1:]]), ValueError, "row 0 of net has no source"),
        (lambda net: net.iloc[:0], ValueError, "net has no row: give the factors' signed targets"),
        (lambda net: None, TypeError, "net is a NoneType: give a DataFrame"),
        (lambda net: net.to_dict("list"), TypeError, "net is a dict: give a DataFrame"),
    ],
)
def test_networks_that_cannot_be_used_are_refused(planted, change, error, complaint):
    adata, net = planted
    with pytest.raises(error, match=complaint):
        tl.label_components(adata, change(net))


def test_p_values_count_both_signs_and_names_need_those_below_alpha(planted):
    adata, net = planted
    # One weak component: its own sign must not matter, nor what the permutations reach by the other sign.
    random = np.random.default_rng(1)
    scale, influence = adata.var["dica_scale"].to_numpy()[:, None], adata.varm["dica_influence"]
    weak = influence / scale + 1.8 * random.standard_normal(influence.shape)
    pvalues = []
    for sign in (1, -1):
        adata.varm["dica_influence"] = sign * weak * scale
        tl.label_components(adata, net, n_permutations=999)
        pvalues.append(adata.uns["dica"]["labels"]["pvalue"].to_numpy())
    np.testing.assert_array_equal(*pvalues)
    between = (pvalues[0] > 0.01) & (pvalues[0] < 0.1)
    assert between.any()
    assert (adata.uns["dica"]["labels"]["label"][between] == "unassigned").all()
    tl.label_components(adata, net, n_permutations=999, alpha=0.1)
    assert (adata.uns["dica"]["labels"]["label"][between] != "unassigned").all()


def test_factors_are_given_out_so_that_all_together_match_best(planted):
    adata, net = planted
    # Two components match TF0 best. To the one that does so most it is not given: the other matches nothing else.
    targets = Regulon.from_frame(net).matrix(["TF0", "TF1"], list(adata.var_names))
    basis = np.linalg.qr(np.column_stack([np.ones(60), targets, np.random.default_rng(2).standard_normal(60)]))[0][
        :, 1:
    ]
    components = basis @ np.array([[1.0, 0.9], [0.8, 0.0], [0.0, 1.0]])
    adata.varm["dica_influence"] = (
        np.column_stack([components, np.zeros(60)]) * adata.var["dica_scale"].to_numpy()[:, None]
    )
    tl.label_components(adata, net)
    labels = adata.uns["dica"]["labels"]
    assert list(labels["factor"]) == ["TF1", "TF0", ""]
    assert list(labels["n_targets"]) == [20, 20, 0]


def test_squared_scores_are_added_up(planted):
    adata, net = planted
    # The first component is TF0 to 0.64 and the second TF1 to 0.08; crosswise both have 0.4. Absolute scores add up to
    # more crosswise, squared ones, which are shares of variance, to less.
    targets = Regulon.from_frame(net).matrix(["TF0", "TF1"], list(adata.var_names))
    centred = targets - targets.mean(axis=0)
    wanted = np.array([[0.64, 0.4], [0.4, 0.08]])  # components by factors
    unit = centred / np.linalg.norm(centred, axis=0)
    weights = unit @ np.linalg.solve(unit.T @ unit, wanted.T)
    rest = np.linalg.qr(np.column_stack([np.ones(60), unit, np.random.default_rng(3).standard_normal((60, 2))]))[0][
        :, 3:
    ]
    weights = weights + rest * np.sqrt(1 - np.square(weights).sum(axis=0))
    adata.varm["dica_influence"] = weights * adata.var["dica_scale"].to_numpy()[:, None]
    tl.label_components(adata, net)
    labels = adata.uns["dica"]["labels"]
    assert list(labels["factor"]) == ["TF0", "TF1"]
    np.testing.assert_allclose(labels["score"], [0.64, 0.08], atol=1e-6)


def test_p_values_are_shares_of_permutations_in_which_any_pair_scores_as_high(planted):
    adata, net = planted
    random = np.random.default_rng(1)
    scale = adata.var["dica_scale"].to_numpy()[:, None]
    influence = adata.varm["dica_influence"] / scale + 1.8 * random.standard_normal((60, 3)) + [5.0, 0.0, -5.0]
    adata.varm["dica_influence"] = influence * scale
    tl.label_components(adata, net, n_permutations=200, min_targets=3, alpha=0.5)
    labels = adata.uns["dica"]["labels"]
    targets = Regulon.from_frame(net).matrix(["TF0", "TF1", "TF2"], list(adata.var_names))
    shuffle, highest = np.random.RandomState(0), []
    for _ in range(200):
        order = shuffle.permutation(60)
        pairs = [np.corrcoef(influence[order, j], targets[:, k])[0, 1] for j in range(3) for k in range(3)]
        highest.append(np.abs(pairs).max())
    for j, (factor, score, pvalue) in enumerate(zip(labels["factor"], labels["score"], labels["pvalue"], strict=True)):
        expected = np.corrcoef(influence[:, j], targets[:, int(factor[-1])])[0, 1]
        assert score == pytest.approx(expected)
        assert pvalue == (1 + np.count_nonzero(np.array(highest) >= abs(expected))) / 201
    assert labels["pvalue"].between(0.02, 0.9).any()


def test_a_p_value_is_never_zero(planted):
    adata, net = planted
    tl.label_components(adata, net, n_permutations=99)
    assert list(adata.uns["dica"]["labels"]["pvalue"]) == [0.01, 0.01, 1.0]
    assert list(adata.uns["dica"]["labels"]["label"]) == ["TF0", "TF1", "unassigned"]


def test_influences_that_say_nothing_are_refused(planted):
    adata, net = planted
    influence = adata.varm["dica_influence"]
    adata.varm["dica_influence"] = 0 * influence
    for call in (lambda: tl.label_components(adata, net), lambda: pl.influence(adata)):
        with pytest.raises(ValueError, match="holds no influence other than 0"):
            call()
    adata.varm["dica_influence"] = influence
    scale = adata.var["dica_scale"]
    adata.var["dica_scale"] = 0.0
    with pytest.raises(ValueError, match="no gene has both an influence and a scale other than 0"):
        tl.label_components(adata, net)
    del adata.var["dica_scale"]
    with pytest.raises(KeyError, match=r'var\["dica_scale"\] is not there'):
        tl.label_components(adata, net)
    adata.var["dica_scale"] = scale
    adata.varm["dica_influence"] = np.where(np.arange(60)[:, None] == 7, np.nan, influence)
    with pytest.raises(ValueError, match=r"has values that are NaN or infinite: call identica\.tl\.dica again"):
        tl.label_components(adata, net)


def test_what_is_no_anndata_or_no_column_is_refused(planted):
    adata, net = planted
    calls = (lambda: tl.label_components(None, net), lambda: pl.influence(None), lambda: pl.activities(None, "kind"))
    for call in calls:
        with pytest.raises(TypeError, match="adata is a NoneType: give an AnnData"):
            call()
    with pytest.raises(TypeError, match=r"groupby=\['kind'\] is not possible: give the name of one column"):
        pl.activities(adata, ["kind"])
    del adata.obsm["X_dica"]
    assert len(pl.influence(adata).get_xticklabels()) == 3


def test_too_few_permutations_for_the_level_are_refused(planted):
    adata, net = planted
    with pytest.raises(ValueError, match=r"n_permutations=50 gives no p-value below 1 / 51"):
        tl.label_components(adata, net, n_permutations=50)
    tl.label_components(adata, net, n_permutations=50, alpha=0.02)
    assert adata.uns["dica"]["labels"]["label"].iloc[0] == "TF0"


def test_groups_keep_their_order_and_cells_without_one_are_left_out(planted):
    adata, _ = planted
    adata.obs["kind"] = pd.Categorical(["10", "2", "2", None, "10"], categories=["2", "10", "unused"])
    ax = pl.activities(adata, "kind")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "10"]
    with pytest.raises(ValueError, match="n_genes=-3 is out of range"):
        pl.influence(adata, n_genes=-3)
    adata.obs["age"] = np.linspace(0, 1, 5)
    with pytest.raises(ValueError, match=r"obs\['age'\] holds real numbers: give a column that says which group"):
        pl.activities(adata, "age")
    adata.obsm["X_dica"][2, 1] = np.nan
    with pytest.raises(ValueError, match=r'obsm\["X_dica"\] has values that are NaN or infinite: call identica'):
        pl.activities(adata, "kind")


def test_genes_that_were_not_fitted_count_neither_for_labels_nor_in_the_picture(planted):
    adata, net = planted
    tl.label_components(adata, net)
    expected = adata.uns["dica"]["labels"]
    scores = expected["score"].abs()
    # A third of the genes, none of them a target of TF0 or TF1, lose their influence: what is left correlates more.
    adata.varm["dica_influence"][45:] = 0
    tl.label_components(adata, net)
    used = adata.varm["dica_influence"] / adata.var["dica_scale"].to_numpy()[:, None]
    targets = Regulon.from_frame(net).matrix(["TF0", "TF1"], list(adata.var_names))
    for k in (0, 1):
        by_hand = np.corrcoef(used[:45, k], targets[:45, k])[0, 1]
        assert adata.uns["dica"]["labels"]["score"].iloc[k] == pytest.approx(by_hand)
    assert len(scores) == 3
    assert len(pl.influence(adata, n_genes=60).get_yticklabels()) == 45


def test_graded_weights_are_taken_as_they_are_and_targets_counted_of_the_factor_named(planted):
    adata, net = planted
    random = np.random.default_rng(5)
    weights = random.uniform(0.1, 3.0, size=len(net)) * net["weight"]
    few = pd.DataFrame({"source": "FEW", "target": [*adata.var_names[:3], *["absent"] * 40], "weight": 1.0})
    graded = pd.concat([few, net.assign(weight=weights)])  # FEW has most targets, but few of them here
    tl.label_components(adata, graded)
    labels = adata.uns["dica"]["labels"]
    influence = adata.varm["dica_influence"] / adata.var["dica_scale"].to_numpy()[:, None]
    targets = Regulon.from_frame(graded).matrix(["TF0", "TF1"], list(adata.var_names))
    for k in (0, 1):
        assert labels["score"].iloc[k] == pytest.approx(np.corrcoef(influence[:, k], targets[:, k])[0, 1])
    assert list(labels["factor"]) == ["TF0", "TF1", ""]
    assert list(labels["n_targets"]) == [20, 20, 0]


def test_what_somebody_has_changed_since_is_refused(planted):
    adata, net = planted
    with pytest.raises(ValueError, match="net has several columns 'weight': keep one"):
        tl.label_components(adata, pd.concat([net, net[["weight"]]], axis=1))
    with pytest.raises(TypeError, match="copy='no' is not possible"):
        tl.label_components(adata, net, copy="no")
    tl.label_components(adata, net)
    adata.uns["dica"]["labels"] = adata.uns["dica"]["labels"].iloc[:2]
    with pytest.raises(ValueError, match=r"no table of 3 labels: call identica\.tl\.label_components again"):
        pl.influence(adata)
    adata.uns["dica"] = "gone"
    for call in (lambda: tl.label_components(adata, net), lambda: pl.influence(adata)):
        with pytest.raises(ValueError, match=r'uns\["dica"\] holds a str'):
            call()
    del adata.uns["dica"]
    adata.var_names = ["same"] * adata.n_vars
    with pytest.raises(ValueError, match="the gene name 'same' occurs several times"):
        tl.label_components(adata, net)


def test_huge_weights_and_sparse_influences_serve(planted):
    adata, net = planted
    tl.label_components(adata, net)
    expected = adata.uns["dica"]["labels"]
    adata.varm["dica_influence"] = csr_matrix(adata.varm["dica_influence"])
    for size in (1e308, 1e-300):
        tl.label_components(adata, net.assign(weight=size * net["weight"]))
        pd.testing.assert_frame_equal(adata.uns["dica"]["labels"], expected)


def test_genes_that_go_down_strongly_are_shown(planted):
    adata, _ = planted
    influence = np.full(adata.varm["dica_influence"].shape, 0.1)
    influence[11, 1] = -9.0
    adata.varm["dica_influence"] = influence
    ax = pl.influence(adata, n_genes=1)
    assert [label.get_text() for label in ax.get_yticklabels()] == [adata.var_names[11]]
