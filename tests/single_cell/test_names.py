"""Names of genes in data and in networks: their case, those that differ by nothing else, and those that never match."""

import warnings

import numpy as np
import pandas as pd
import pytest

from identica import tl
from identica.single_cell.names import match_names

anndata = pytest.importorskip("anndata")


@pytest.fixture
def planted():
    """Two components of 20 genes each, with the symbols of mice, and the net with those of humans."""
    signs = np.zeros((40, 2))
    signs[:20, 0], signs[20:, 1] = 1, np.where(np.arange(20) % 3 == 0, -1, 1)
    adata = anndata.AnnData(np.zeros((5, 40), dtype=np.float32))
    adata.var_names = [f"Gene{i}" for i in range(40)]
    adata.obsm["X_dica"] = np.zeros((5, 2))
    adata.varm["dica_influence"] = signs + 1e-3 * np.random.default_rng(0).standard_normal(signs.shape)
    adata.var["dica_scale"] = 1.0
    target, factor = np.nonzero(signs)
    net = pd.DataFrame({"source": [f"TF{j}" for j in factor], "target": [f"GENE{i}" for i in target]})
    return adata, net.assign(weight=signs[target, factor])


def test_names_match_as_they_are_before_they_match_whatever_their_case():
    match = match_names(["Gata1", "Tal1", "TAL1", "Spi1", "SPI1"], ["GATA1", "TAL1", "spi1", "MYC", "tp53", "TP53"])
    assert match.found == {"GATA1": "Gata1", "TAL1": "TAL1"}
    assert match.by_case == ("GATA1",)
    assert match.ambiguous == ("spi1",)  # Spi1 or SPI1
    assert match.counts() == {"genes": 5, "targets": 6, "common": 2, "by_case": 1, "ambiguous": 1}


def test_targets_that_differ_in_case_alone_are_not_one():
    assert match_names(["Myc"], ["MYC", "myc"]).ambiguous == ("MYC", "myc")
    both = match_names(["Myc"], ["MYC", "Myc", "Myc"])
    assert (both.found, both.ambiguous) == ({"Myc": "Myc"}, ("MYC",))


def test_symbols_of_mice_are_those_of_humans_and_it_is_said(planted):
    adata, net = planted
    with pytest.warns(UserWarning, match=r"40 of 40 targets .* as 'GENE0' for 'Gene0', and were matched whatever"):
        tl.label_components(adata, net, n_permutations=200)
    assert list(adata.uns["dica"]["labels"]["label"]) == ["TF0", "TF1"]
    assert list(adata.uns["dica"]["labels"]["n_targets"]) == [20, 20]
    assert adata.uns["dica"]["matching"] == {"genes": 40, "targets": 40, "common": 40, "by_case": 40, "ambiguous": 0}
    by_case = adata.uns["dica"]["labels"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tl.label_components(adata, net.assign(target=net["target"].str.capitalize()), n_permutations=200)
    pd.testing.assert_frame_equal(adata.uns["dica"]["labels"], by_case)
    assert adata.uns["dica"]["matching"]["by_case"] == 0


def test_genes_that_differ_in_case_alone_are_left_out_and_it_is_said(planted):
    adata, net = planted
    adata.var_names = [*adata.var_names[:-1], "gene3"]
    with pytest.warns(UserWarning, match=r"1 targets, such as 'GENE3', were left out, since several genes"):
        tl.label_components(adata, net, n_permutations=200)
    assert adata.uns["dica"]["matching"]["ambiguous"] == 1


def test_names_of_genes_that_were_not_fitted_count_too(planted):
    adata, net = planted
    # "GENE0" is in the data, though not fitted: "Gene0" is another gene and no target.
    adata.var_names = [*adata.var_names[:-1], "GENE0"]
    adata.varm["dica_influence"][-1] = 0
    with pytest.warns(UserWarning, match="38 of 39 targets"):
        tl.label_components(adata, net, n_permutations=200)
    assert list(adata.uns["dica"]["labels"]["n_targets"]) == [19, 19]


def test_names_that_never_match_are_counted_and_a_column_that_matches_is_named(planted):
    adata, net = planted
    symbols = pd.Index(adata.var_names)
    adata.var_names = [f"ENSG{i:011d}" for i in range(40)]
    said = (
        r"the 40 genes of the data \(such as 'ENSG00000000000'\) and the 40 targets of net \(such as 'GENE0'\) have no "
    )
    with pytest.raises(
        ValueError, match=said + r"name in common, whatever their case: give both the same kind of names"
    ):
        tl.label_components(adata, net)
    adata.var["kind"], adata.var["gene_symbols"] = "gene", pd.Categorical(symbols)
    with pytest.raises(ValueError, match=r"var\['gene_symbols'\] has 40 of them, so call adata\.var_names = "):
        tl.label_components(adata, net)
    assert "dica" not in adata.uns
    few = net.iloc[:8].assign(target=[*adata.var_names[:2], *net["target"][:6]])
    with pytest.raises(
        ValueError,
        match=r"has 5 targets among the 40 genes that were fitted, the most is 2; the 40 genes .* have 2 names",
    ):
        tl.label_components(adata, few)
