"""Tables of what was found: programs, the forms that enrichment takes, and which components are of their own."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import identica
from identica import Staged, Training, get, tl
from identica.datasets import make_cells, make_regulon
from identica.single_cell import tl as tools
from identica.single_cell.components import describe_components
from identica.single_cell.enrichment import write_programs

anndata = pytest.importorskip("anndata")


@pytest.fixture
def adata():
    """Three components that act on 30 of 36 genes, of which every third goes down, on scales of many sizes."""
    random = np.random.default_rng(0)
    weights = np.zeros((36, 3))
    for j in range(3):
        weights[10 * j : 10 * j + 10, j] = np.linspace(2, 1, 10) * np.where(np.arange(10) % 3 == 2, -1, 1)
    weights[:30] += 1e-3 * random.standard_normal((30, 3))
    scale = np.exp(2 * random.standard_normal(36))
    latents = random.standard_normal((200, 3))
    noise = 0.3 * random.standard_normal((200, 36))
    adata = anndata.AnnData((latents @ weights.T + noise).astype(np.float32))
    adata.obsm["X_dica"] = latents
    adata.varm["dica_influence"] = weights * scale[:, None]
    adata.var["dica_scale"] = np.where(np.arange(36) < 33, scale, 0.0)
    states = pd.DataFrame({"state": ["own", "own", "own"], "partner": -1})
    adata.uns["dica"] = {"params": {}, "components": states}
    return adata


def labelled(adata, *labels):
    adata.uns["dica"] = {**adata.uns["dica"], "labels": pd.DataFrame({"label": labels})}
    return adata


def test_programs_rank_genes_by_signed_influence_in_standard_deviations(adata):
    table = identica.get.programs(labelled(adata, "GATA1", "unassigned", "SPI1"), n_genes=4)
    assert list(table.columns) == ["component", "gene", "weight", "rank"]
    assert list(table["component"]) == ["GATA1"] * 4 + ["component_1"] * 4 + ["SPI1"] * 4
    assert list(table["rank"]) == [1, 2, 3, 4] * 3
    assert list(table["gene"]) == [f"{10 * j + i}" for j in range(3) for i in range(4)]
    expected = adata.varm["dica_influence"] / np.where(adata.var["dica_scale"] > 0, adata.var["dica_scale"], 1)[:, None]
    for row in table.itertuples():
        j = ["GATA1", "component_1", "SPI1"].index(row.component)
        assert row.weight == expected[int(row.gene), j]
    assert (table["weight"] < 0).sum() == 3
    assert len(get.programs(adata, n_genes=None)) == 90
    assert len(get.programs(adata, n_genes=1000)) == 90
    adata.varm["dica_influence"][5, 0] = adata.varm["dica_influence"][:, 1] = 0
    assert len(get.programs(adata, n_genes=None)) == 59
    assert set(get.gene_sets(adata)) == {"GATA1", "SPI1"}


def test_names_are_different_and_can_be_entries_of_a_file(adata):
    names = get.weights(labelled(adata, "NFKB/RELA", "T cell", "T cell")).index
    assert list(names) == ["NFKB|RELA", "T cell_1", "T cell_2"]


def test_what_is_empty_or_a_duplicate_is_no_program_of_its_own(adata):
    adata.uns["dica"]["components"] = pd.DataFrame(
        {"state": ["own", "duplicate", "empty"], "partner": [-1, 0, -1], "strength": [2.0, 1.0, 0.0]}
    )
    assert set(get.net(adata)["source"]) == set(get.gene_sets(adata)) == {"component_0"}
    assert set(get.programs(adata)["component"]) == {"component_0", "component_1", "component_2"}
    table = get.components(labelled(adata, "GATA1", "unassigned", "SPI1"))
    assert table.loc["component_1", ["component", "state", "partner"]].tolist() == [1, "duplicate", 0]
    adata.uns["dica"]["components"] = adata.uns["dica"]["components"].replace("empty", "split")
    assert set(get.net(adata)["source"]) == {"GATA1", "SPI1"}
    adata.uns["dica"].pop("components")
    assert set(get.net(adata)["source"]) == {"GATA1", "component_1", "SPI1"}
    with pytest.raises(KeyError, match=r"call identica\.tl\.dica again"):
        get.components(adata)


def test_decoupler_takes_the_net_for_other_cells_and_the_weights_for_other_nets(adata):
    decoupler = pytest.importorskip("decoupler")
    scores, _ = decoupler.mt.ulm(adata.to_df(), get.net(adata, n_genes=10))
    for j, name in enumerate(["component_0", "component_1", "component_2"]):
        assert np.corrcoef(scores[name], adata.obsm["X_dica"][:, j])[0, 1] > 0.8
    known = pd.DataFrame({"source": np.repeat(["A", "B"], 10), "target": adata.var_names[10:30], "weight": 1.0})
    known["weight"] = np.where(np.arange(20) % 10 % 3 == 2, -1.0, 1.0)
    enriched, _ = decoupler.mt.ulm(get.weights(adata), known)
    assert enriched["A"].idxmax() == "component_1"
    assert enriched["B"].idxmax() == "component_2"


def test_gene_sets_are_lists_as_gseapy_takes_them(adata):
    sets = get.gene_sets(adata, n_genes=6)
    assert sets["component_1"] == [str(i) for i in range(10, 16)]
    by_sign = get.gene_sets(adata, n_genes=6, by_sign=True)
    assert by_sign["component_1_up"] == ["10", "11", "13", "14"]
    assert by_sign["component_1_down"] == ["12", "15"]
    with pytest.raises(TypeError, match="by_sign='yes' is not possible: give True or False"):
        get.gene_sets(adata, by_sign="yes")


def test_both_forms_survive_a_file(adata, tmp_path):
    write_programs(labelled(adata, "NFKB/RELA", "unassigned", "SPI1"), "dica")
    adata.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad").uns["dica"]
    pd.testing.assert_frame_equal(read["net"], get.net(adata))
    assert isinstance(read["gene_sets"], dict)
    assert {name: list(genes) for name, genes in read["gene_sets"].items()} == get.gene_sets(adata)
    assert "NFKB|RELA" in read["gene_sets"]


@pytest.mark.parametrize("table", [get.programs, get.net, get.gene_sets, get.weights, get.components])
def test_what_is_not_there_is_said(adata, table):
    with pytest.raises(TypeError, match="adata is a NoneType: give an AnnData"):
        table(None)
    with pytest.raises(KeyError, match=r"call identica\.tl\.dica before"):
        table(adata, key="other")
    labelled(adata, "one", "two")
    if table is not get.components:
        with pytest.raises(ValueError, match="is no table of 3 labels"):
            table(adata)
    adata.uns["dica"] = {"components": pd.DataFrame({"state": ["own"]})}
    if table in (get.net, get.components):
        with pytest.raises(ValueError, match=r"is no table of 3 components: call identica\.tl\.dica again"):
            table(adata)


def test_numbers_of_genes_that_are_none_are_refused(adata):
    with pytest.raises(ValueError, match="n_genes=0 is out of range"):
        get.programs(adata, n_genes=0)
    with pytest.raises(TypeError, match="n_genes"):
        get.programs(adata, n_genes=2.5)


def described(latents, strength, duplicates=(), **known):
    fitted = SimpleNamespace(
        component_strength_=np.array(strength),
        duplicates_=duplicates,
        _criterion=lambda: SimpleNamespace(group_size=1),
        **known,
    )
    weights = np.eye(latents.shape[1])[np.arange(12) % latents.shape[1]] * np.asarray(strength)
    return describe_components(fitted, latents, weights)


def test_components_that_are_none_of_their_own_are_marked():
    latents = np.random.default_rng(0).standard_normal((400, 5))
    latents[:, 1] = latents[:, 4] ** 3
    latents[:, 2] = np.abs(latents[:, 0])
    table = described(latents, [4.0, 1.0, 2.0, 0.001, 3.0], duplicates=[(1, 4)])
    assert list(table["state"]) == ["own", "duplicate", "split", "empty", "own"]
    assert table["partner"].tolist() == [-1, 4, 0, -1, -1]
    assert table["strength"].mean() == pytest.approx(1)
    assert table["told"].iloc[2] > 0.8 > table["told"].iloc[4]
    assert table["n_genes"].sum() == 12


def test_a_component_that_depth_tells_is_technical():
    latents = np.random.default_rng(0).standard_normal((400, 3))
    table = described(latents, [3.0, 2.0, 0.001], explained_by_covariates_=np.array([0.49, 0.5, 0.9]))
    assert list(table["state"]) == ["own", "technical", "empty"]
    assert list(table["technical"]) == [0.49, 0.5, 0.9]


def test_a_component_that_no_gene_follows_as_genes_follow_others_is_faint():
    latents, sizes = np.random.default_rng(0).standard_normal((400, 4)), [3.0, 2.0, 1.4, 1.1]
    table = described(latents, sizes)
    assert list(table["state"]) == ["own"] * 4
    assert table["top_weight"].tolist() == sizes  # of two genes, a tenth of twelve
    assert list(described(latents, [3.0, 2.0, 1.4, 1.0])["state"]) == ["own", "own", "own", "faint"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of so short a fit
def test_everything_is_written_by_a_fit_and_named_by_labels(tmp_path, monkeypatch):
    assert tools.N_COMPONENTS == 12
    monkeypatch.setattr(tools, "N_COMPONENTS", 3)
    regulon = make_regulon(20, 40, random_state=0)
    cells = make_cells(100, 3, regulon=regulon, random_state=0).to_anndata()
    quick = {"n_init": 1, "training": Training(max_steps=20), "solver": Staged(restarts=2)}
    tl.dica(cells, **quick)
    assert cells.obsm["X_dica"].shape == (100, 3)  # by default
    record = cells.uns["dica"]
    pd.testing.assert_frame_equal(record["net"], get.net(cells))
    assert record["gene_sets"] == get.gene_sets(cells)
    assert list(record["components"].index) == list(get.weights(cells).index)
    few = tl.dica(cells[:, :2].copy(), **quick, copy=True)
    assert few.obsm["X_dica"].shape == (100, 2)
    tl.label_components(cells, regulon.to_frame(), alpha=1.0, n_permutations=10, min_targets=2)
    named = cells.uns["dica"]
    assert set(named["net"]["source"]) & set(regulon.factors)
    assert set(named["gene_sets"]) == set(named["net"]["source"])
    cells.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    pd.testing.assert_frame_equal(read.uns["dica"]["components"], named["components"])
    pd.testing.assert_frame_equal(get.programs(read), get.programs(cells))
