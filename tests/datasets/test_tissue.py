"""Cells as a tissue and a sequencer give them: types, batches, doublets, and the presets that put them together."""

import numpy as np
import pytest

from identica.datasets import CELL_PRESETS, TechnicalNoise, make_cells, make_regulon

REGULON = make_regulon(30, 80, random_state=1)
SMALL = {"regulon": REGULON, "random_state": 0}


def shifts_of(cells):
    """Return the factor of each gene in each batch; where one cell has it, all of the batch have."""
    ratio = cells.X / cells.clean
    found = np.array([ratio[cells.batches == b][0] for b in range(cells.batches.max() + 1)])
    np.testing.assert_allclose(ratio, found[cells.batches])
    return found


def test_each_gene_has_a_log_normal_factor_of_its_own_in_each_batch():
    cells = make_cells(301, 3, n_batches=3, batch_shift=0.4, **SMALL)
    assert np.bincount(cells.batches).tolist() == [101, 100, 100]
    logarithms = np.log(shifts_of(cells))
    assert logarithms.std() == pytest.approx(0.4, rel=0.15)
    assert abs(logarithms.mean()) < 0.1
    assert np.abs(np.corrcoef(logarithms)[np.triu_indices(3, 1)]).max() < 0.35
    assert np.log(shifts_of(make_cells(30, 3, n_batches=3, **SMALL))).std() == pytest.approx(0.3, rel=0.15)


def test_batches_do_not_depend_on_the_factors_nor_change_them():
    cells, alone = make_cells(4000, 3, n_batches=2, **SMALL), make_cells(4000, 3, **SMALL)
    correlations = np.corrcoef(cells.latents.T, cells.batches)[-1, :-1]
    assert np.abs(correlations).max() < 0.05
    np.testing.assert_array_equal(cells.regulation.strength, alone.regulation.strength)


def test_types_and_batches_depend_neither_on_each_other_nor_on_the_place():
    cells = make_cells(1200, 2, n_types=6, n_batches=2, **SMALL)
    both = np.bincount(2 * cells.bins + cells.batches, minlength=12)
    assert np.abs(both - 100).max() < 30
    # In random order: neither in blocks nor in turn.
    assert np.mean(np.diff(cells.bins) == 0) == pytest.approx(1 / 6, abs=0.05)
    assert np.mean(np.diff(cells.batches) == 0) == pytest.approx(1 / 2, abs=0.07)


@pytest.mark.parametrize("within", [0.2, 0.7])
def test_cells_vary_about_the_profile_of_their_type(within):
    cells = make_cells(6000, 4, n_types=300, within_types=within, fold=4.0, **SMALL)
    assert (np.bincount(cells.bins) == 20).all()
    assert (np.diff(cells.bins) < 0).any()
    scores = np.log(cells.latents)
    means = np.array([scores[cells.bins == t].mean(axis=0) for t in range(300)])
    share = np.square(scores - means[cells.bins]).sum() / np.square(scores - scores.mean(axis=0)).sum()
    assert share == pytest.approx(within, abs=0.07)
    # Over many types the concentrations are those of cells without types: log-uniform, with the same correlation.
    assert scores.var(axis=0) == pytest.approx(np.log(4.0) ** 2 / 12 * np.ones(4), rel=0.15)
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.25), abs=0.12)


def test_a_few_types_make_factors_dependent_and_cells_of_no_variation_are_alike():
    apart = make_cells(1000, 4, n_types=3, within_types=0.0, correlation=0.0, **SMALL)
    assert len(np.unique(apart.latents, axis=0)) == 3
    typed = make_cells(1000, 4, n_types=3, within_types=0.3, correlation=0.0, **SMALL)
    free = make_cells(1000, 4, n_types=3, within_types=1.0, correlation=0.0, **SMALL)
    dependence = [np.abs(np.corrcoef(c.latents.T)[np.triu_indices(4, 1)]).max() for c in (typed, free)]
    assert dependence[0] > 0.3
    assert dependence[1] < 0.1


def test_profiles_and_shifts_do_not_depend_on_the_number_of_cells():
    few, many = (make_cells(n, 3, n_types=4, within_types=0.0, n_batches=2, **SMALL) for n in (40, 400))
    np.testing.assert_array_equal(np.unique(few.latents, axis=0), np.unique(many.latents, axis=0))
    np.testing.assert_allclose(shifts_of(few), shifts_of(many))
    np.testing.assert_array_equal(few.regulation.strength, many.regulation.strength)


def test_a_doublet_is_the_sum_of_two_cells_of_one_batch():
    plain, cells = (make_cells(300, 3, n_batches=2, doublets=share, **SMALL) for share in (0.0, 0.2))
    assert plain.doublets is None
    assert cells.doublets.sum() == 60
    np.testing.assert_array_equal(cells.batches, plain.batches)
    for name in ("X", "clean", "latents"):
        np.testing.assert_array_equal(getattr(cells, name)[~cells.doublets], getattr(plain, name)[~cells.doublets])
    for i in np.flatnonzero(cells.doublets):
        same = np.flatnonzero((plain.batches == plain.batches[i]) & (np.arange(300) != i))
        rest = np.abs(plain.X[same] + plain.X[i] - cells.X[i]).max(axis=1)
        (second,) = same[rest < 1e-12 * cells.X[i].max()]
        np.testing.assert_allclose(cells.clean[i], plain.clean[i] + plain.clean[second])
        np.testing.assert_allclose(cells.latents[i], (plain.latents[i] + plain.latents[second]) / 2)


def test_all_cells_of_a_batch_of_one_or_two_can_be_doublets():
    cells, plain = (make_cells(5, 3, n_batches=3, doublets=share, **SMALL) for share in (1.0, 0.0))
    assert cells.doublets.all()
    for b in range(3):
        of = cells.batches == b
        both = plain.X[of].sum(axis=0) * (2 if of.sum() == 1 else 1)
        np.testing.assert_allclose(cells.X[of], np.broadcast_to(both, cells.X[of].shape))


def test_a_doublet_has_the_molecules_of_two_cells_with_noise_of_their_own():
    noise = TechnicalNoise(library_mean=8.0, library_sd=0.1, counts=True)
    cells = make_cells(400, 3, doublets=0.5, technical=noise, **SMALL)
    totals = cells.X.sum(axis=1)
    assert totals[cells.doublets].mean() / totals[~cells.doublets].mean() == pytest.approx(2, rel=0.03)
    assert np.log(totals[cells.doublets]).std() == pytest.approx(0.1 / np.sqrt(2), rel=0.2)


def test_a_preset_is_what_it_says_and_what_is_given_goes_before_it():
    chosen = make_cells(60, 3, preset="10x", **SMALL)
    noise = CELL_PRESETS["10x"].technical(len(chosen.genes))
    spelt = {"n_types": 6, "within_types": 0.5, "n_batches": 2, "batch_shift": 0.3, "doublets": 0.05}
    np.testing.assert_array_equal(chosen.X, make_cells(60, 3, technical=noise, **spelt, **SMALL).X)
    less = make_cells(60, 3, preset="10x", n_batches=1, n_types=1, doublets=0.0, technical=TechnicalNoise(), **SMALL)
    assert less.batches is None
    assert less.bins is None
    np.testing.assert_array_equal(less.X, make_cells(60, 3, **SMALL).X)
    np.testing.assert_array_equal(less.X, make_cells(60, 3, preset="clean", **SMALL).X)
    binned = make_cells(60, 3, preset="10x", n_bins=4, **SMALL)
    assert np.bincount(binned.bins).tolist() == [15] * 4


@pytest.mark.parametrize(("preset", "zeros"), [("counts", (0.0, 0.3)), ("10x", (0.7, 0.9))])
def test_presets_of_counts_have_the_depth_they_say_whatever_the_network(preset, zeros):
    for n_factors in (3, 12):
        cells = make_cells(800, n_factors, preset=preset, doublets=0.0, **SMALL)
        assert (np.rint(cells.X) == cells.X).all()
        assert zeros[0] <= (cells.X == 0).mean() <= zeros[1]
        if preset == "counts":
            assert np.median(cells.X.sum(axis=1)) == pytest.approx(3.5 * len(cells.genes), rel=0.06)
            assert np.log(cells.X.sum(axis=1)).std() == pytest.approx(0.4, rel=0.1)


def test_types_go_with_the_stochastic_model():
    still = make_cells(40, 2, n_types=3, **SMALL)
    calm = make_cells(40, 2, n_types=3, noise="dpd", noise_strength=0.0, **SMALL)
    np.testing.assert_allclose(calm.latents, still.latents, rtol=1e-9)
    np.testing.assert_allclose(calm.X, still.X, rtol=1e-9)


def test_anndata_names_batches_types_and_doublets(tmp_path):
    anndata = pytest.importorskip("anndata")
    cells = make_cells(60, 3, preset="10x", **SMALL)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    obs = anndata.read_h5ad(tmp_path / "cells.h5ad").obs
    assert obs["batch"].tolist() == [f"batch_{b}" for b in cells.batches]
    assert obs["cell_type"].tolist() == [f"type_{t}" for t in cells.bins]
    assert obs["doublet"].tolist() == cells.doublets.tolist()
    assert not {"batch", "doublet", "cell_type"} & set(make_cells(5, 2, **SMALL).to_anndata().obs)


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"preset": "dirty"}, ValueError, "preset='dirty' is not known: use one of clean, counts, 10x"),
        ({"n_types": 9}, ValueError, "n_types=9 is out of range: use from 1 to 5"),
        ({"n_batches": 0}, ValueError, "n_batches=0 is out of range: use from 1 to 5"),
        ({"n_bins": 2, "n_types": 2}, ValueError, "n_bins=2 and n_types=2 were both given"),
        ({"within_types": 0.5}, ValueError, "within_types=0.5 was given without n_types: give n_types, 2 or more"),
        ({"batch_shift": 0.5}, ValueError, "batch_shift=0.5 was given without n_batches: give n_batches, 2 or more"),
        ({"n_types": 2, "within_types": 1.5}, ValueError, "within_types=1.5 is out of range"),
        ({"n_batches": 2, "batch_shift": 6}, ValueError, "batch_shift=6 is out of range"),
        ({"doublets": 1.1}, ValueError, "doublets=1.1 is out of range"),
        ({"doublets": "few"}, TypeError, "doublets='few' is not a number"),
        ({"n_batches": 2.5}, TypeError, "n_batches=2.5"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, error, complaint):
    with pytest.raises(error, match=complaint):
        make_cells(**{"n_cells": 5, "n_factors": 3, **SMALL, **change})
