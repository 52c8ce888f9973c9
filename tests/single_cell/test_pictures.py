"""Pictures that go through scanpy, and the marks of components in all of them."""

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from identica import pl

anndata = pytest.importorskip("anndata")


@pytest.fixture
def adata():
    """Three components of twelve cells, the second a duplicate of the first, the third named."""
    random = np.random.default_rng(0)
    adata = anndata.AnnData(np.zeros((12, 6), dtype=np.float32))
    adata.obsm["X_dica"], adata.obsm["X_umap"] = random.standard_normal((12, 3)), random.standard_normal((12, 2))
    adata.varm["dica_influence"], adata.var["dica_scale"] = random.standard_normal((6, 3)), 1.0
    adata.obs["kind"] = pd.Categorical(["b", "a", "a", None] * 3, categories=["b", "a", "unused"])
    adata.uns["dica"] = {
        "params": {},
        "components": pd.DataFrame({"state": ["own", "duplicate", "own"], "partner": [-1, 0, -1]}),
        "labels": pd.DataFrame({"label": ["unassigned", "unassigned", "GATA1"]}),
    }
    yield adata
    plt.close("all")


NAMES = ["0", "1 (duplicate of 0)", "2 GATA1"]


def test_components_are_marked_in_every_picture(adata):
    for ax in (pl.influence(adata), pl.activities(adata, "kind")):
        assert [label.get_text() for label in ax.get_xticklabels()] == NAMES
    for state, mark in (
        ("empty", "1 (empty)"),
        ("split", "1 (split from 0)"),
        ("faint", "1 (faint)"),
        ("technical", "1 (technical)"),
        ("own", "1"),
    ):
        adata.uns["dica"]["components"].loc[1, "state"] = state
        assert pl.influence(adata).get_xticklabels()[1].get_text() == mark
    del adata.uns["dica"]["components"]
    assert pl.influence(adata).get_xticklabels()[1].get_text() == "1"


@pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")  # scanpy's own
def test_an_embedding_is_coloured_by_components(adata):
    pytest.importorskip("scanpy")
    before = set(adata.obs)
    axes = pl.embedding(adata)
    assert [ax.get_title() for ax in axes] == NAMES
    for j, ax in enumerate(axes):
        points = ax.collections[0]
        # scanpy draws the cells with the largest values last.
        np.testing.assert_allclose(points.get_array(), np.sort(adata.obsm["X_dica"][:, j]), rtol=1e-5)
        assert points.cmap.name == "RdBu_r"
    chosen = pl.embedding(adata, "X_umap", components=["GATA1", 1], cmap="viridis")
    assert [ax.get_title() for ax in chosen] == [NAMES[2], NAMES[1]]
    assert chosen[0].collections[0].cmap.name == "viridis"
    single = pl.embedding(adata, components=0, ax=plt.figure().gca())
    assert [ax.get_title() for ax in single] == ["0"]
    assert set(adata.obs) == before


def test_a_matrixplot_shows_means_of_groups(adata):
    pytest.importorskip("scanpy")
    ax = pl.matrixplot(adata, "kind")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
    assert [label.get_text() for label in ax.get_xticklabels()] == NAMES
    expected = [adata.obsm["X_dica"][(adata.obs["kind"] == kind).to_numpy()].mean(axis=0) for kind in ("b", "a")]
    np.testing.assert_allclose(ax.collections[0].get_array(), expected, rtol=1e-5)
    adata.obs["0"] = adata.obs["kind"]  # named as a component is
    assert [label.get_text() for label in pl.matrixplot(adata, "0").get_yticklabels()] == ["b", "a"]
    swapped = pl.matrixplot(adata, "kind", swap_axes=True)
    assert [label.get_text() for label in swapped.get_xticklabels()] == ["b", "a"]


def test_what_cannot_be_drawn_is_said(adata, monkeypatch):
    pytest.importorskip("scanpy")
    with pytest.raises(KeyError, match=r"obsm has no embedding 'tsne', it has X_dica, X_umap"):
        pl.embedding(adata, "tsne")
    for wrong in (3, -1, "RELA", [0, None]):
        with pytest.raises(ValueError, match=r"there is no component .*: give numbers below 3, or component_0, comp"):
            pl.embedding(adata, components=wrong)
    axis = plt.figure().gca()
    for options, kind, message in (
        ({"components": []}, ValueError, r"components=\[\] names none"),
        ({"components": True}, ValueError, "there is no component True"),
        ({"components": 1.5}, TypeError, "components=1.5 is not possible: give numbers or names"),
        ({"color": "kind"}, TypeError, "pl.embedding has no option 'color': components= says what is drawn"),
        ({"ax": axis}, ValueError, "ax= is for a single component, and 3 are to be drawn"),
        ({"basis": 3}, TypeError, "basis=3 is not possible"),
    ):
        with pytest.raises(kind, match=message):
            pl.embedding(adata, **options)
    for option in ("show", "return_fig"):
        for draw in (
            lambda **given: pl.embedding(adata, **given),
            lambda **given: pl.matrixplot(adata, "kind", **given),
        ):
            with pytest.raises(TypeError, match=f"has no option '{option}': axes are returned"):
                draw(**{option: False})
    for draw in (pl.influence, pl.embedding):
        with pytest.raises(TypeError, match="ax=3 is not possible: give an axis of matplotlib"):
            draw(adata, ax=3)
    for draw in (pl.activities, pl.matrixplot):
        with pytest.raises(TypeError, match="ax=3 is not possible: give an axis of matplotlib"):
            draw(adata, "kind", ax=3)
    with pytest.raises(KeyError, match="obs has no column 'louvain'"):
        pl.matrixplot(adata, "louvain")
    for draw in (lambda: pl.embedding(None), lambda: pl.matrixplot(None, "kind")):
        with pytest.raises(TypeError, match="give an AnnData"):
            draw()
    monkeypatch.setitem(sys.modules, "scanpy", None)
    for draw in (lambda: pl.embedding(adata), lambda: pl.matrixplot(adata, "kind")):
        with pytest.raises(
            ImportError, match=r"drawn by scanpy, which is not installed: pip install 'identica\[scanpy"
        ):
            draw()
