"""The AnnData face: what goes in, what is written, and that it survives a file."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from methods import QUICK

from identica import DICA, Training, pl, tl
from identica.datasets import TechnicalNoise, make_cells, make_regulon
from identica.preparation import n_directions
from identica.single_cell import expression, results
from identica.single_cell.expression import looks_like_counts

anndata = pytest.importorskip("anndata")
REGULON = make_regulon(30, 80, random_state=1)


def cells(**change):
    return make_cells(**{"n_cells": 120, "n_factors": 3, "regulon": REGULON, "random_state": 0, **change})


@pytest.fixture
def adata():
    return cells().to_anndata()


def test_writes_components_influence_and_record(adata):
    assert tl.dica(adata, 3, training=QUICK) is None
    fitted = DICA(3, training=QUICK, random_state=0).fit(adata.to_df())
    np.testing.assert_array_equal(adata.obsm["X_dica"], fitted.transform(adata.to_df()))
    expected = fitted.jacobian(adata.to_df()).mean(axis=0)
    np.testing.assert_allclose(adata.varm["dica_influence"], expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(adata.var["dica_scale"], fitted.scale_)
    assert adata.uns["dica"]["restart_agreement"] == fitted.restart_agreement_
    assert adata.uns["dica"]["start_agreement"] == fitted.start_agreement_
    assert adata.uns["dica"]["verdict"] == fitted.verdict_.level
    assert adata.uns["dica"]["params"]["n_components"] == 3


def test_a_copy_leaves_the_original_alone(adata):
    copy = tl.dica(adata, 2, training=QUICK, copy=True, key_added="other")
    assert "X_other" in copy.obsm
    assert not adata.obsm.keys() & {"X_other"}
    assert "other" not in adata.uns


KINDS = ["csr", "csc", "layer", "backed", "backed csr", "backed csc"]


def kept_as(adata, kind, folder):
    """Return the same data with the matrix kept in another way, and the layer that it is in."""
    other, layer = adata.copy(), None
    if kind.endswith("csr"):
        other.X = scipy.sparse.csr_matrix(adata.X)
    elif kind.endswith("csc"):
        other.X = scipy.sparse.csc_matrix(adata.X)
    elif kind == "layer":
        other.layers["expression"], layer = adata.X, "expression"
        other.X = np.zeros_like(adata.X)
    if kind.startswith("backed"):
        other.write_h5ad(folder / "cells.h5ad")
        other = anndata.read_h5ad(folder / "cells.h5ad", backed="r")
        assert other.isbacked
    return other, layer


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_matrix_gives_the_same(adata, tmp_path, kind):
    reference = tl.dica(adata, 2, training=QUICK, copy=True)
    other, layer = kept_as(adata, kind, tmp_path)
    tl.dica(other, 2, training=QUICK, layer=layer)
    np.testing.assert_allclose(other.obsm["X_dica"], reference.obsm["X_dica"], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["dense", *KINDS])
def test_a_matrix_read_in_blocks_is_the_matrix(adata, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(expression, "ENTRIES_AT_ONCE", 7 * adata.n_vars + 1)
    other, layer = kept_as(adata, kind, tmp_path)
    monkeypatch.setattr(anndata.AnnData, "to_memory", lambda self: pytest.fail("all of the data were read"))
    genes = np.arange(adata.n_vars) % 3 > 0
    np.testing.assert_array_equal(expression.dense_expression(other, layer, genes), adata.X[:, genes])
    np.testing.assert_array_equal(expression.dense_expression(other, layer, genes | True), adata.X)
    np.testing.assert_allclose(expression.cell_totals(other, layer), adata.X.sum(axis=1), rtol=1e-12)


def test_values_that_do_not_fit_into_memory_are_refused(adata, monkeypatch):
    half = np.arange(adata.n_vars) < adata.n_vars // 2
    available = 8 * adata.n_obs * half.sum() - 1
    monkeypatch.setattr("os.sysconf", lambda name: available if name == "SC_PHYS_PAGES" else 1)
    adata.layers["single"] = adata.X.astype(np.float32)
    expression.dense_expression(adata, "single", half)
    size = f"{adata.n_obs} cells of {half.sum()} genes"
    with pytest.raises(ValueError, match=f"{size} when dense take .* mark highly variable"):
        expression.dense_expression(adata, None, half)
    expression.dense_expression(adata, None, half | True)  # it is there already


def test_only_highly_variable_genes_are_used_where_they_are_marked(adata):
    adata.var["highly_variable"] = np.arange(adata.n_vars) % 3 > 0
    tl.dica(adata, 2, training=QUICK)
    unused = ~adata.var["highly_variable"].to_numpy()
    assert (adata.varm["dica_influence"][unused] == 0).all()
    assert (np.abs(adata.varm["dica_influence"][~unused]).sum(axis=1) > 0).all()
    everything = tl.dica(adata, 2, training=QUICK, use_highly_variable=False, copy=True)
    assert (np.abs(everything.varm["dica_influence"]).sum(axis=1) > 0).all()
    adata.var["highly_variable"] = False
    with pytest.raises(ValueError, match="no gene is marked"):
        tl.dica(adata, 2)
    del adata.var["highly_variable"]
    with pytest.raises(ValueError, match=r"call scanpy\.pp\.highly_variable_genes before"):
        tl.dica(adata, 2, use_highly_variable=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_raw_counts_are_recognised():
    adata = cells(technical=TechnicalNoise(library_mean=6.0, counts=True)).to_anndata()
    recognised = tl.dica(adata, 2, training=QUICK, n_init=1, copy=True)
    assert recognised.uns["dica"]["params"]["likelihood"] == "poisson"
    totals = adata.X.sum(axis=1)
    fitted = DICA(2, likelihood="poisson", n_init=1, training=QUICK, random_state=0)
    expected = fitted.fit_transform(adata.to_df(), size_factors=totals)
    np.testing.assert_array_equal(recognised.obsm["X_dica"], expected)
    chosen = tl.dica(adata, 2, training=QUICK, n_init=1, copy=True, likelihood="residuals")
    assert chosen.uns["dica"]["params"]["likelihood"] == "residuals"
    before = adata.X.copy()
    tl.dica(adata, 2, training=QUICK, normalize=True)
    np.testing.assert_array_equal(adata.X, before)
    totals = adata.X.sum(axis=1, keepdims=True)
    adata.layers["normalised"] = np.log1p(adata.X * np.median(totals) / totals)
    by_hand = tl.dica(adata, 2, training=QUICK, layer="normalised", copy=True)
    np.testing.assert_allclose(adata.obsm["X_dica"], by_hand.obsm["X_dica"], atol=1e-6)
    as_they_are = tl.dica(adata, 2, training=QUICK, normalize=False, copy=True)
    assert not np.allclose(as_they_are.obsm["X_dica"], adata.obsm["X_dica"], atol=1e-3)


@pytest.mark.parametrize("kind", ["dense", *KINDS])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_counts_that_are_none_are_refused_whether_their_gene_is_used_or_not(adata, tmp_path, kind, value):
    adata.X = np.rint(adata.X)
    adata.X[3, 5] = value
    adata.var["highly_variable"] = np.arange(adata.n_vars) != 5
    other, layer = kept_as(adata, kind, tmp_path)
    gene = adata.var_names[5]
    with pytest.raises(ValueError, match=rf"of counts, and cell 'cell_3' has {value:g} of gene '{gene}', which"):
        tl.dica(other, 2, normalize=True, layer=layer, training=QUICK)
    assert "X_dica" not in other.obsm


@pytest.mark.parametrize("kind", ["dense", "sparse", "layer", "backed"])
def test_the_depth_is_that_of_all_genes_whichever_are_used(tmp_path, kind):
    adata = cells(technical=TechnicalNoise(library_mean=6.0, counts=True)).to_anndata()
    adata.var["highly_variable"] = np.arange(adata.n_vars) % 4 == 0
    totals = adata.X.sum(axis=1, keepdims=True)
    by_hand = adata.copy()
    by_hand.X = np.log1p(adata.X * np.median(totals) / totals)
    tl.dica(by_hand, 2, training=QUICK)
    layer = None
    if kind == "sparse":
        adata.X = scipy.sparse.csr_matrix(adata.X)
    elif kind == "layer":
        adata.layers["counts"], layer = adata.X.copy(), "counts"
        adata.X = np.zeros_like(adata.X)
    elif kind == "backed":
        adata.write_h5ad(tmp_path / "cells.h5ad")
        adata = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    tl.dica(adata, 2, training=QUICK, normalize=True, layer=layer)
    np.testing.assert_allclose(adata.obsm["X_dica"], by_hand.obsm["X_dica"], atol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of a fit from any seed
def test_what_cannot_be_fitted_is_refused_and_nothing_written(adata):
    with pytest.raises(ValueError, match="layer='counts' is not there, the layers are: clean"):
        tl.dica(adata, 2, layer="counts")
    adata.X[3, 5] = np.nan
    with pytest.raises(ValueError, match=rf"first \(NaN\) in sample 3, feature '{adata.var_names[5]}'"):
        tl.dica(adata, 2, training=QUICK)
    assert not list(adata.obsm) or list(adata.obsm) == ["tf_concentration"]
    with pytest.raises(ValueError, match="exceeds n_features"):
        tl.dica(adata := cells().to_anndata(), 500)
    adata.var_names = ["gene", *adata.var_names[:-1]]
    tl.dica(adata, 2, training=QUICK, random_state=None, copy=True)
    unlike, adata.var_names = adata.var_names, ["gene", "gene", *adata.var_names[2:]]
    with pytest.raises(ValueError, match=r"'gene' occurs several times: call adata\.var_names_make_unique"):
        tl.dica(adata, 2)
    adata.var_names = unlike
    with pytest.raises(ValueError, match="the data have no genes"):
        tl.dica(adata[:, :0].copy(), 2)
    for n_cells, said in enumerate(("0 cells", "1 cell")):
        with pytest.raises(ValueError, match=rf"the data have {said}: give at least 2, and thousands"):
            tl.dica(adata[:n_cells].copy(), 2)
    for kind in (complex, str):
        adata.layers["odd"] = adata.X.astype(kind)
        with pytest.raises(ValueError, match=r"layer 'odd' holds values of type .*: give real numbers"):
            tl.dica(adata, 2, layer="odd")
    del adata.layers["odd"]
    assert "dica" not in adata.uns
    assert "X_dica" not in adata.obsm


def test_labels_need_components_and_shared_names(adata):
    with pytest.raises(KeyError, match=r"call identica\.tl\.dica before"):
        tl.label_components(adata, REGULON.to_frame())
    tl.dica(adata, 2, training=QUICK)
    stranger = REGULON.to_frame().assign(target="gene of another species")
    with pytest.raises(ValueError, match=r"have no name in common, whatever their case: give both the same kind"):
        tl.label_components(adata, stranger)
    with pytest.raises(ValueError, match="net has no column 'source'"):
        tl.label_components(adata, REGULON.to_frame().rename(columns={"source": "tf"}))


def test_pictures_show_what_was_written(adata):
    adata.obs["kind"] = np.where(np.arange(adata.n_obs) % 2 > 0, "b", "a")
    with pytest.raises(KeyError, match=r"call identica\.tl\.dica before"):
        pl.influence(adata)
    with pytest.raises(KeyError, match=r"call identica\.tl\.dica before"):
        pl.activities(adata, "kind")
    tl.dica(adata, 2, training=QUICK)
    ax = pl.influence(adata, n_genes=7)
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert len(shown) == 7
    strongest = adata.var_names[np.argmax(np.abs(adata.varm["dica_influence"]).max(axis=1))]
    assert shown[0] == strongest
    ax = pl.activities(adata, "kind")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    expected = adata.obsm["X_dica"][adata.obs["kind"] == "a"].mean(axis=0)
    np.testing.assert_allclose(ax.images[0].get_array()[0], expected, rtol=1e-5)
    with pytest.raises(KeyError, match="obs has no column 'louvain', it has kind"):
        pl.activities(adata, "louvain")


@pytest.mark.parametrize(("n_fractions", "counts"), [(0, True), (1, True), (10, True), (11, False)])
def test_single_fractions_are_no_reason_not_to_see_counts(n_fractions, counts):
    values = np.zeros((20, 100))
    values[:10] = 3.0
    values.flat[:n_fractions] = 2.5
    assert looks_like_counts(values) == counts
    assert not looks_like_counts(values * 1e300)


def test_backed_data_are_not_copied_and_what_is_no_choice_is_refused(adata, tmp_path):
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    for call in (lambda: tl.dica(backed, 2, copy=True), lambda: tl.dica(backed[:50], 2)):
        with pytest.raises(ValueError, match=r"stay in a file.*call adata\.to_memory\(\) before"):
            call()
    with pytest.raises(TypeError, match="copy='no' is not possible: give True or False"):
        tl.dica(adata, 2, copy="no")
    with pytest.raises(TypeError, match=r"layer=\['a'\] is not possible: give the name of one layer"):
        tl.dica(adata, 2, layer=["a"])
    with pytest.raises(ValueError, match="those of cell 'cell_0' have an infinite sum: leave it out"):
        tl.dica(anndata.AnnData(np.full((9, 99), 1e307), obs=adata.obs[:9]), 2, normalize=True)
    with pytest.raises(TypeError, match="normalize='yes' is not possible"):
        tl.dica(adata, 2, normalize="yes")
    with pytest.raises(TypeError, match="use_highly_variable='no' is not possible"):
        tl.dica(adata, 2, use_highly_variable="no")
    with pytest.raises(TypeError, match="adata is a ndarray: give an AnnData"):
        tl.dica(adata.X, 2)
    for name in (3, "", "a/b"):
        with pytest.raises(ValueError, match="is not possible: give a name without a slash"):
            tl.dica(adata, 2, key_added=name)
    with pytest.raises(ValueError, match=r"uns\['regulon'\] holds something else: give another key_added"):
        tl.dica(adata, 2, key_added="regulon")
    adata.var["highly_variable"] = "True"
    with pytest.raises(ValueError, match="holds something else than True and False"):
        tl.dica(adata, 2)


def test_a_logarithm_is_not_taken_twice(adata):
    adata.layers["counts"] = np.rint(adata.X)
    adata.uns["log1p"] = {"base": None}
    with pytest.raises(ValueError, match=r"normalize=True takes a logarithm, and .* on one already"):
        tl.dica(adata, 2, normalize=True)
    tl.dica(adata, 2, training=QUICK, normalize=True, layer="counts")
    assert adata.uns["dica"]["params"]["layer"] == "counts"


@pytest.mark.filterwarnings("ignore:.*it overfits:sklearn.exceptions.ConvergenceWarning")
def test_what_looks_like_a_logarithm_is_pointed_out(adata):
    adata.X = np.log1p(adata.X)
    with pytest.warns(
        UserWarning, match=r"fractions of up to [\d.]+, look as if they were on one already: if so, pass"
    ):
        tl.dica(adata, 2, training=QUICK, normalize=True)
    assert adata.uns["dica"]["params"]["normalize"]
    adata.X = 1000 * adata.X  # as transcripts per million or corrected counts may be
    tl.dica(adata, 2, training=QUICK, normalize=True)


def test_a_generator_serves_as_a_seed(adata):
    first, second = (
        tl.dica(adata, 2, training=QUICK, random_state=np.random.RandomState(0), copy=True) for _ in range(2)
    )
    np.testing.assert_array_equal(first.obsm["X_dica"], second.obsm["X_dica"])


def test_the_mean_jacobian_of_many_cells_is_that_of_some(adata, monkeypatch):
    monkeypatch.setattr(results, "POINTS", 10)
    fitted = DICA(2, training=QUICK, random_state=0).fit(adata.to_df())
    rows = np.linspace(0, len(adata) - 1, 10).astype(int)
    expected = fitted.jacobian(adata.to_df().iloc[rows]).mean(axis=0)
    np.testing.assert_allclose(results.mean_jacobian(fitted, adata.X), expected, rtol=1e-6, atol=1e-12)


@pytest.fixture(scope="module")
def counted():
    """Counts of cells of two batches, with a number for each cell and a depth of its own."""
    adata = cells(n_cells=300, technical=TechnicalNoise(library_mean=6.0, counts=True)).to_anndata()
    adata.X = scipy.sparse.csr_matrix(adata.X)
    adata.obs["donor"] = np.where(np.arange(300) % 2 == 0, "first", "second")
    adata.obs["age"] = np.linspace(20, 60, 300)
    adata.obs["sampled"] = np.asarray(adata.X.sum(axis=1)).ravel() * 1.5
    return adata


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_columns_of_obs_are_covariates_and_size_factors(counted):
    by_key = tl.dica(
        counted,
        2,
        training=QUICK,
        n_init=1,
        batch_key="donor",
        continuous_covariate_keys=["age"],
        size_factor_key="sampled",
        copy=True,
    )
    fitted = DICA(2, likelihood="poisson", n_init=1, training=QUICK, random_state=0)
    known = {"covariates": counted.obs[["donor", "age"]], "size_factors": counted.obs["sampled"]}
    np.testing.assert_allclose(by_key.obsm["X_dica"], fitted.fit_transform(counted.to_df(), **known), atol=1e-6)
    assert list(by_key.uns["dica"]["params"]["covariates"]) == ["donor", "age"]
    assert by_key.uns["dica"]["params"]["size_factors"] == "sampled"
    expected = fitted.jacobian(counted.to_df(), **known).mean(axis=0)
    np.testing.assert_allclose(by_key.varm["dica_influence"], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_depth_is_that_of_all_genes_where_some_are_used(counted):
    part = counted.copy()
    part.var["highly_variable"] = np.arange(part.n_vars) % 2 == 0
    tl.dica(part, 2, training=QUICK, n_init=1)
    used = part.to_df().loc[:, part.var["highly_variable"].to_numpy()]
    fitted = DICA(2, likelihood="poisson", n_init=1, training=QUICK, random_state=0)
    totals = np.asarray(counted.X.sum(axis=1)).ravel()
    np.testing.assert_allclose(part.obsm["X_dica"], fitted.fit_transform(used, size_factors=totals), atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_by_default_counts_have_as_many_components_as_stand_out():
    random = np.random.default_rng(0)
    factors = random.standard_normal((400, 2))
    mixing = np.kron(np.eye(2), np.ones(15)) * random.choice([-0.8, 0.8], 30)
    counts = random.poisson(4 * np.exp(factors @ mixing)).astype(np.float32)
    adata = anndata.AnnData(counts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tl.dica(adata, n_init=1, training=Training(max_steps=30))
    assert adata.obsm["X_dica"].shape[1] == n_directions(counts, 12) < 12
    # What is chosen by default is not complained of.
    assert not any("of these counts stand out" in str(each.message) for each in caught)
    tl.dica(adata, np.int64(2), n_init=1, training=Training(max_steps=30))
    assert adata.obsm["X_dica"].shape[1] == 2
    assert adata.uns["dica"]["params"]["size_factors"] == "total"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("likelihood", ["poisson", "negative-binomial"])
def test_a_likelihood_of_counts_is_not_for_logarithms(counted, likelihood):
    with pytest.raises(ValueError, match="leave one of them out"):
        tl.dica(counted, 2, normalize=True, likelihood=likelihood)
    logs = counted.copy()
    logs.X = np.log1p(np.asarray(logs.X if not scipy.sparse.issparse(logs.X) else logs.X.toarray(), dtype=np.float32))
    logs.uns["log1p"] = {"base": None}
    with pytest.raises(ValueError, match=r'uns\["log1p"\] says that X is on a logarithmic scale'):
        tl.dica(logs, 2, likelihood=likelihood)
    del logs.uns["log1p"]
    with pytest.warns(UserWarning, match="the values are fractions"):
        tl.dica(logs, 2, likelihood=likelihood, n_init=1, training=Training(max_steps=8))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_negative_values_among_counts_are_named():
    counts = np.random.default_rng(0).poisson(3.0, (40, 6)).astype(np.float32)
    counts[3, 4] = counts[5, 1] = -1
    adata = anndata.AnnData(counts, obs=pd.DataFrame({"depth": np.ones(40)}, index=[f"c{i}" for i in range(40)]))
    with pytest.warns(UserWarning, match="2 values are negative and the others look like raw counts, but the likeli"):
        tl.dica(adata, 2, n_init=1, training=Training(max_steps=8))
    for key in (None, "depth"):  # not as fractions, of which the warning would be an error here
        with pytest.raises(ValueError, match="sample 3 has -1 of feature '4', the first of 2 negative values: give"):
            tl.dica(adata, 2, likelihood="poisson", size_factor_key=key)


def test_a_column_of_obs_that_is_there_twice_is_refused(counted):
    twice = counted.copy()
    twice.obs = pd.concat([twice.obs, twice.obs[["donor"]]], axis=1)
    with pytest.raises(ValueError, match="obs has several columns 'donor'"):
        tl.dica(twice, 2, batch_key="donor")
