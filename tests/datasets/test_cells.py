"""Simulated cells: the truth about them is the truth, and each setting does what it says."""

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

from identica.datasets import Regulon, TechnicalNoise, make_cells, make_regulon
from identica.datasets.regulation import Regulation

REGULON = make_regulon(30, 80, random_state=1)
SMALL = {"regulon": REGULON, "random_state": 0}


@pytest.mark.parametrize(("half_responses", "decay"), [("factor", 0.8), ("edge", 0.8), ("factor", 0.3)])
def test_jacobians_are_exact(half_responses, decay):
    cells = make_cells(6, 3, half_responses=half_responses, hill=2.5, decay=decay, **SMALL)
    np.testing.assert_array_equal(cells.X, cells.regulation.production(cells.latents) / decay)
    for j in range(3):
        step = 1e-6 * np.eye(3)[j]
        up, down = (cells.regulation.production(cells.latents + s) / decay for s in (step, -step))
        np.testing.assert_allclose(cells.jacobians[:, :, j], (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


def test_jacobians_of_steep_curves_are_numbers():
    cells = make_cells(50, 3, hill=200.0, fold=100.0, half_responses="edge", **SMALL)
    assert np.isfinite(cells.jacobians).all()
    assert np.abs(cells.jacobians).max() > 1
    at_zero = make_cells(5, 3, hill=1.0, cross_talk=0.0, **SMALL)
    step = 1e-7 * np.ones((1, 3))
    slopes = (at_zero.regulation.production(step) - at_zero.regulation.production(0 * step)) / 1e-7
    np.testing.assert_allclose(at_zero.regulation.derivative(0 * step).sum(axis=2), slopes, rtol=1e-5, atol=1e-6)


def test_expression_is_production_over_decay_and_signs_are_those_of_the_network():
    cells = make_cells(50, 4, cross_talk=0.0, decay=0.5, **SMALL)
    np.testing.assert_array_equal(cells.X, cells.regulation.production(cells.latents) / 0.5)
    signs = np.sign(cells.regulon.matrix(cells.factors, cells.genes))
    np.testing.assert_array_equal(np.sign(cells.jacobians), np.broadcast_to(signs, cells.jacobians.shape))
    assert cells.factors == REGULON.factors[:4]
    assert (cells.X >= 0).all()


def test_repressors_leave_what_they_do_not_take():
    cells = make_cells(50, 4, cross_talk=0.0, **SMALL)
    none, much = (cells.regulation.production(np.full((1, 4), x))[0] for x in (0.0, 1e6))
    edges = cells.regulation
    repressed = np.bincount(edges.target, np.maximum(-edges.strength, 0), minlength=len(cells.genes))
    activated = np.bincount(edges.target, np.maximum(edges.strength, 0), minlength=len(cells.genes))
    np.testing.assert_allclose(none, repressed)
    np.testing.assert_allclose(much, activated, atol=1e-6)


def test_concentrations_are_log_uniform_and_dependent():
    latents = make_cells(4000, 3, fold=9.0, correlation=0.6, **SMALL).latents
    logarithms = np.log(latents) / np.log(9.0)
    assert kstest(logarithms[:, 1], "uniform", (-0.5, 1.0)).pvalue > 0.01
    expected = 6 / np.pi * np.arcsin(0.3)
    np.testing.assert_allclose(spearmanr(latents).statistic[np.triu_indices(3, 1)], expected, atol=0.05)


def test_cross_talk_is_dense_and_weak():
    cells = make_cells(5, 3, cross_talk=0.2, **SMALL)
    signs = cells.regulon.matrix(cells.factors, cells.genes)
    strengths = np.zeros_like(signs)
    strengths[cells.regulation.target, cells.regulation.regulator] = cells.regulation.strength
    assert (strengths != 0).all()
    assert strengths[signs == 0].std() == pytest.approx(0.2, rel=0.2)
    assert np.abs(strengths[signs != 0]).min() >= 1
    np.testing.assert_array_equal(np.sign(strengths[signs != 0]), np.sign(signs[signs != 0]))


def test_the_strength_of_edges_is_uniform_in_its_range():
    cells = make_cells(5, 3, cross_talk=0.0, strength=(2.0, 3.0), **SMALL)
    sizes = np.abs(cells.regulation.strength)
    assert len(sizes) > 50
    assert kstest(sizes, "uniform", (2.0, 1.0)).pvalue > 0.01


def test_a_half_response_of_each_edge_lies_in_its_factor_s_range():
    cells = make_cells(5, 3, half_responses="edge", fold=16.0, **SMALL)
    assert len(np.unique(cells.regulation.half_response)) == len(cells.regulation.strength)
    assert cells.regulation.half_response.min() >= 0.25
    assert cells.regulation.half_response.max() <= 4
    # Over all of that range, evenly in the logarithm.
    logarithms = np.log(cells.regulation.half_response) / np.log(16.0)
    np.testing.assert_allclose(np.quantile(logarithms, [0.1, 0.5, 0.9]), [-0.4, 0.0, 0.4], atol=0.1)
    shared = make_cells(200_00, 3, fold=16.0, **SMALL)
    assert shared.regulation.half_response[0] == pytest.approx(shared.latents.mean(), rel=0.02)


def test_cells_of_a_type_share_concentrations():
    cells = make_cells(60, 3, n_bins=4, **SMALL)
    assert [len(np.unique(cells.latents[cells.bins == b], axis=0)) for b in range(4)] == [1, 1, 1, 1]
    assert np.bincount(cells.bins).tolist() == [15] * 4


@pytest.mark.parametrize("n_bins", [None, 3])
def test_the_stochastic_model_goes_about_the_quasi_steady_state(n_bins):
    still = make_cells(600, 2, n_bins=n_bins, **SMALL)
    noisy = make_cells(600, 2, n_bins=n_bins, noise="dpd", noise_strength=0.05, **SMALL)
    np.testing.assert_array_equal(noisy.regulation.strength, still.regulation.strength)
    assert not np.array_equal(noisy.X, still.X)
    assert np.corrcoef(noisy.latents.ravel(), still.latents.ravel())[0, 1] > 0.9
    assert np.abs(noisy.X.mean(axis=0) / still.X.mean(axis=0) - 1).max() < 0.05
    calm = make_cells(40, 2, n_bins=n_bins, noise="dpd", noise_strength=0.0, decay=0.5, **SMALL)
    exact = make_cells(40, 2, n_bins=n_bins, decay=0.5, **SMALL)
    np.testing.assert_allclose(calm.X, exact.X, rtol=1e-9)
    np.testing.assert_allclose(calm.latents, exact.latents, rtol=1e-12)


def test_the_noise_of_continuous_cells_has_the_size_of_the_linearised_equation():
    # Noise of production alone: a factor at level s has variance q^2 s / 2 about it.
    still = make_cells(3000, 2, **SMALL)
    noisy = make_cells(3000, 2, noise="sp", noise_strength=0.1, **SMALL)
    variance = np.square(noisy.latents - still.latents).mean(axis=0)
    np.testing.assert_allclose(variance, 0.1**2 * still.latents.mean(axis=0) / 2, rtol=0.1)


@pytest.mark.parametrize("hill", [3.0, 400.0])
def test_the_stochastic_model_knows_steep_curves(hill):
    settings = {"hill": hill, "fold": 100.0, "half_responses": "edge", **SMALL}
    calm = make_cells(20, 2, noise="sp", noise_strength=0.0, **settings)
    np.testing.assert_allclose(calm.X, make_cells(20, 2, **settings).X, rtol=1e-8, atol=1e-12)


def test_the_strength_of_noise_is_1_by_default():
    given, not_given = (make_cells(5, 2, noise="sp", **SMALL, **q) for q in ({"noise_strength": 1.0}, {}))
    np.testing.assert_array_equal(given.X, not_given.X)


def test_technical_noise_comes_last_and_is_kept_apart():
    cells = make_cells(50, 2, technical=TechnicalNoise(counts=True), **SMALL)
    assert (np.rint(cells.X) == cells.X).all()
    np.testing.assert_array_equal(cells.clean, make_cells(50, 2, **SMALL).X)


def test_the_network_does_not_depend_on_the_number_of_cells():
    few, many = (make_cells(n, 3, half_responses="edge", **SMALL).regulation for n in (5, 50))
    np.testing.assert_array_equal(few.strength, many.strength)
    np.testing.assert_array_equal(few.half_response, many.half_response)


def test_anndata_holds_the_truth(tmp_path):
    anndata = pytest.importorskip("anndata")
    cells = make_cells(20, 3, n_bins=2, technical=TechnicalNoise(counts=True), **SMALL)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(read.X, cells.X)
    np.testing.assert_array_equal(read.layers["clean"], cells.clean)
    np.testing.assert_array_equal(read.obsm["tf_concentration"], cells.latents)
    assert list(read.obsm["tf_concentration"].columns) == list(cells.factors)
    assert list(read.var_names) == list(cells.genes)
    assert read.uns["regulon"].shape == (len(cells.regulon), 3)
    assert set(read.obs["cell_type"]) == {"type_0", "type_1"}
    flat = cells.to_anndata(jacobians=True).obsm["tf_jacobian"]
    np.testing.assert_array_equal(flat.reshape(cells.jacobians.shape), cells.jacobians)


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"n_factors": 31}, ValueError, "n_factors=31 is out of range: use from 1 to 30"),
        ({"n_cells": 0}, ValueError, "n_cells=0"),
        ({"fold": 1.0}, ValueError, "fold=1 is out of range: use a finite value of more than 1"),
        ({"hill": 0.0}, ValueError, "hill=0"),
        ({"cross_talk": -0.1}, ValueError, "cross_talk=-0.1"),
        ({"cross_talk": 1e7}, ValueError, "cross_talk=1e.07 is out of range: use .* at most 1e.06"),
        ({"noise": "sp", "noise_strength": 1e7}, ValueError, "noise_strength=1e.07 is out of range"),
        ({"noise_strength": 0.5}, ValueError, "noise_strength=0.5 was given without noise: give noise, one of sp, spd"),
        ({"half_responses": "gene"}, ValueError, "half_responses='gene' is not known: use one of factor, edge"),
        ({"noise": "pink"}, ValueError, "noise='pink' is not known"),
        ({"n_bins": 9}, ValueError, "n_bins=9 is out of range: use from 1 to 5"),
        ({"correlation": 1.0}, ValueError, "correlation=1 is out of range"),
        ({"strength": (3.0, 1.0)}, ValueError, "the higher strength=1 is out of range"),
        ({"hill": "steep"}, TypeError, "hill='steep' is not a number"),
        ({"regulon": "TRRUST"}, TypeError, "regulon is a str, and no Regulon: read one"),
        ({"regulon": Regulon(["A"], ["x"], [0])}, ValueError, "the regulon has no edges, of a known sign"),
        ({"technical": 3}, TypeError, "technical=3 is not a TechnicalNoise"),
        ({"strength": 5}, TypeError, "strength=5 is no range"),
        ({"strength": (1e308, 1e308), "n_cells": 50}, ValueError, "expression is not finite with strength"),
    ],
)
def test_arguments_that_cannot_be_are_refused(change, error, complaint):
    with pytest.raises(error, match=complaint):
        make_cells(**{"n_cells": 5, "n_factors": 3, **SMALL, **change})


@pytest.mark.parametrize("decay", [0.8, 300.0])
def test_the_stochastic_model_is_stable_whatever_the_decay(decay):
    settings = {"n_bins": 4, "decay": decay, **SMALL}
    still, noisy = make_cells(400, 2, **settings), make_cells(400, 2, noise="sp", noise_strength=0.01, **settings)
    assert noisy.X.mean() == pytest.approx(still.X.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("latents", "complaint"),
    [
        (np.ones((3, 5)), r"latents have the shape \(3, 5\): give \(n_cells, 2\)"),
        (np.ones(2), r"latents have the shape \(2,\): give \(n_cells, 2\)"),
        ([[1.0, -1.0]], "negative, infinite or NaN: give positive concentrations"),
        ([[1.0, np.nan]], "negative, infinite or NaN: give positive concentrations"),
    ],
)
def test_jacobians_at_what_is_no_concentration_are_refused(latents, complaint):
    with pytest.raises(ValueError, match=complaint):
        make_cells(5, 2, **SMALL).jacobian(latents)


def test_the_jacobian_can_be_had_again_from_what_is_written():
    pytest.importorskip("anndata")
    cells = make_cells(5, 3, half_responses="edge", **SMALL)
    written = cells.to_anndata()
    edges = written.uns["regulation"]
    again = Regulation(
        regulator=edges["source"].map(cells.factors.index).to_numpy(),
        target=edges["target"].map(cells.genes.index).to_numpy(),
        strength=edges["strength"].to_numpy(),
        hill=edges["hill"].to_numpy(),
        half_response=edges["half_response"].to_numpy(),
        n_regulators=3,
        n_genes=len(cells.genes),
    )
    found = again.derivative(written.obsm["tf_concentration"]) / written.uns["decay"]
    np.testing.assert_array_equal(found, cells.jacobians)
