"""The stochastic simulator: step by step as the equations say, and as the original printed."""

import dataclasses

import numpy as np
import pytest
import torch
from reference import euler_maruyama, shared

from identica.datasets import GeneNetwork, integration, read_sergio, run_sergio, write_sergio

REFERENCE = "reference/sergio"


def network():
    """Two masters, a gene under both, and one under that."""
    return GeneNetwork(
        n_genes=4,
        regulator=np.array([0, 1, 2, 0]),
        target=np.array([2, 2, 3, 3]),
        strength=np.array([2.0, -1.5, 3.0, -0.5]),
        hill=np.array([2.0, 1.0, 3.5, 2.0]),
        masters=np.array([0, 1]),
        rates=np.array([[0.5, 2.0], [1.0, 0.3]]),
    )


@pytest.mark.parametrize("noise", ["sp", "spd", "dpd"])
def test_follows_the_equations_step_by_step(noise):
    n_draws = 2 if noise == "dpd" else 1
    draws = np.random.default_rng(0).normal(size=(4, n_draws, 2, 59))
    sampled = np.array([3, 59, 3, 17])
    settings = {"noise": noise, "noise_strength": [1.0, 0.5, 2.0, 0.0], "decay": [0.8, 1.0, 0.5, 2.0], "dt": 0.02}
    run = run_sergio(network(), 4, sampling_state=15, draws=draws, sampled=sampled, keep_trajectory=True, **settings)
    expected, half = euler_maruyama(network(), draws=draws, sampled=sampled, **settings)
    np.testing.assert_allclose(run.trajectory, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.half_response, half, rtol=1e-12)
    np.testing.assert_array_equal(run.expression, run.trajectory[..., sampled].transpose(1, 0, 2))
    assert run.cells.shape == (8, 4)
    np.testing.assert_array_equal(run.cells[5], run.expression[1, :, 1])


def test_without_noise_it_stays_at_the_steady_state_of_the_masters():
    run = run_sergio(network(), 5, noise_strength=0.0, decay=0.8, random_state=0, keep_trajectory=True)
    np.testing.assert_allclose(run.trajectory[:2], np.repeat(network().rates[..., None] / 0.8, 75, axis=2))
    np.testing.assert_allclose(run.trajectory[2:].std(axis=-1), 0.0, atol=1e-12)


def test_half_responses_that_are_given_are_used():
    half = np.array([1.0, 2.0, 0.5, 1.5])
    run = run_sergio(network(), 5, noise_strength=0.0, half_response=half, random_state=0)
    x = network().rates / 0.8
    production = 2 * x[0] ** 2 / (1 + x[0] ** 2) + 1.5 * (1 - x[1] / (2 + x[1]))
    np.testing.assert_allclose(run.expression[:, 2, 0], production / 0.8)


def test_noise_has_the_variance_of_the_linearised_equation():
    # A master gene: dx = (b - l x) dt + q (sqrt(b) dw1 + sqrt(l x) dw2) has mean b / l and variance q^2 b / l.
    alone = GeneNetwork(1, *np.empty((2, 0), dtype=int), *np.empty((2, 0)), np.array([0]), np.array([[50.0]]))
    cells = run_sergio(alone, 4000, decay=1.0, dt=0.02, sampling_state=60, random_state=0).cells
    assert cells.mean() == pytest.approx(50.0, rel=0.02)
    assert cells.var() == pytest.approx(50.0, rel=0.1)


def test_a_seed_fixes_it_and_leaves_the_global_state_alone():
    first, second = (run_sergio(network(), 20, random_state=5).expression for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, run_sergio(network(), 20, random_state=6).expression)
    assert not np.array_equal(run_sergio(network(), 20).expression, run_sergio(network(), 20).expression)


def test_the_number_of_threads_of_torch_stays(monkeypatch):
    # Numba sets it where both use one OpenMP, which depends on what was loaded before.
    monkeypatch.setattr(integration, "_compiled", lambda: lambda *_: torch.set_num_threads(2))
    torch.set_num_threads(1)
    integration.integrate()
    assert torch.get_num_threads() == 1


def test_cells_are_steps_drawn_with_replacement():
    # Drawn without, n_cells steps of as many would each come once.
    run = run_sergio(network(), 400, sampling_state=1, random_state=0)
    share = len(np.unique(run.sampled)) / 400
    assert run.sampled.min() >= 0
    assert run.sampled.max() < 400
    assert share == pytest.approx(1 - np.exp(-1), abs=0.06)


def test_files_go_out_and_in(tmp_path):
    write_sergio(network(), tmp_path / "targets.txt", tmp_path / "masters.txt")
    again = read_sergio(tmp_path / "targets.txt", tmp_path / "masters.txt")
    for name in ("n_genes", "regulator", "target", "strength", "hill", "masters", "rates"):
        np.testing.assert_array_equal(getattr(again, name), getattr(network(), name))
    (tmp_path / "targets.txt").write_text("2,1,0,2.5\n")
    (tmp_path / "masters.txt").write_text("0,1\n1,2\n")
    assert read_sergio(tmp_path / "targets.txt", tmp_path / "masters.txt", hill=2.0).hill.tolist() == [2.0]


@pytest.mark.parametrize(
    ("targets", "masters", "complaint"),
    [
        ("1,1,0,2\n", "0,1\n", "targets.txt: line 1 has 4 fields where 5 are expected for 1 regulator"),
        ("1,1,0,2,x\n", "0,1\n", "line 1 holds something that is not a number"),
        ("1,1,0,2,nan\n", "0,1\n", "line 1 holds a number that is not finite"),
        ("1,1,0,2,0\n", "0,1\n", "line 1 has a Hill coefficient that is not positive"),
        ("1.5,1,0,2,2\n", "0,1\n", "line 1 has the gene 1.5: genes are numbered"),
        ("1,1,0,2,2\n", "0,1,2\n3,1\n", "masters.txt: line 2 has 2 fields"),
        ("1,1,0,2,2\n", "0,-1\n", "line 1 has a negative production rate"),
        ("1,1,0,2,2\n", "", "masters.txt is empty"),
        ("1,1,0,2,2\n", "0,1\n0,1\n", "names a gene twice"),
        ("1,1,0,2,2\n", "0,1\n1,1\n", "gene 1 has both a production rate and regulators"),
        ("2,1,0,2,2\n", "0,1\n", "masters.txt name gene 2 and not gene 1: number all from 0"),
        ("1e15,1,0,2,2\n", "0,1\n", "and not gene 1: number all from 0"),
        ("1,0\n", "0,1\n", "targets.txt: line 1 does not say in its second field how many regulators follow"),
        ("1,-1\n", "0,1\n", "line 1 does not say in its second field"),
        ("1,1e300,0\n", "0,1\n", "line 1 does not say in its second field"),
        ("1\n", "0,1\n", "line 1 does not say in its second field"),
        ("1,1,0,2,2\n1,1,0,1,2\n", "0,1\n", "targets.txt: line 2 names gene 1 a second time"),
        ("1,1.7,0,2,2\n", "0,1\n", "line 1 does not say in its second field"),
        ("1,1,0,,2,2\n", "0,1\n", "line 1 holds something that is not a number"),
        ("1,1,0,2,1_0\n", "0,1\n", "line 1 holds something that is not a number"),
        ("1" * 200_000, "0,1\n", "is no file with commas between numbers: field larger than"),
        ("1,1,2,2,2\n2,1,1,2,2\n", "0,1\n", "gene 1 is on a cycle or behind one"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path, targets, masters, complaint):
    (tmp_path / "targets.txt").write_text(targets)
    (tmp_path / "masters.txt").write_text(masters)
    with pytest.raises(ValueError, match=complaint):
        read_sergio(tmp_path / "targets.txt", tmp_path / "masters.txt")


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"noise": "pink"}, ValueError, "noise='pink' is not known: use one of sp, spd, dpd"),
        ({"n_cells": 0}, ValueError, "n_cells=0 is out of range"),
        ({"dt": 0.0}, ValueError, "dt=0 is out of range"),
        ({"dt": 2.0}, ValueError, "dt=2 is too long for a decay of 0.8, by which expression relaxes within 1.25"),
        (
            {"noise_strength": 1e308, "n_cells": 99, "random_state": 0},
            ValueError,
            r"expression is not finite .* a noise_strength of up to 1e\+308",
        ),
        ({"decay": 0.0}, ValueError, "decay must be finite and positive for every gene"),
        ({"noise_strength": [1.0, 2.0]}, ValueError, r"noise_strength has the shape \(2,\)"),
        ({"half_response": [1.0]}, ValueError, r"half_response has the shape \(1,\)"),
        ({"half_response": [np.nan] * 4}, ValueError, "a half response is not positive and finite"),
        ({"sampled": [0, -46, 2]}, ValueError, "sampled names steps outside the run: give numbers from -45 to 44"),
        ({"sampled": [0, 1, 45]}, ValueError, "sampled names steps outside the run: give numbers from -45 to 44"),
        ({"sampled": [0, 1]}, ValueError, r"sampled has the shape \(2,\) and type int64: give 3 integers"),
        ({"sampled": [0.7, 1.2, 2.9]}, ValueError, "type float64: give 3 integers"),
        ({"draws": np.full((4, 2, 2, 44), np.nan)}, ValueError, "draws holds a number that is not finite"),
        ({"draws": np.zeros((4, 2, 2, 5))}, ValueError, r"draws has the shape .*: \(4, 2, 2, 44\) is needed"),
    ],
)
def test_arguments_that_cannot_be_are_refused(change, error, complaint):
    with pytest.raises(error, match=complaint):
        run_sergio(network(), **{"n_cells": 3, **change})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rates": np.full((2, 2), np.nan)}, "a production rate is negative or not finite"),
        ({"rates": np.ones(2)}, r"rates have the shape \(2,\): give \(2, n_bins\)"),
        ({"strength": np.full(4, np.inf)}, "a strength is not finite"),
        ({"strength": np.ones(5)}, "4 targets, 5 strengths"),
        ({"strength": np.ones((4, 1))}, r"strength has the shape \(4, 1\): give one number for every edge"),
        ({"hill": 2.0}, r"hill has the shape \(\): give one number for every edge"),
        ({"hill": np.full(4, -1.0)}, "a Hill coefficient is not positive and finite"),
        ({"regulator": np.array([0, 1, 2, 4])}, "regulator names a gene that is not there: .* from 0 to 3"),
        ({"regulator": np.array([0, 1, 2, -1])}, "regulator names a gene that is not there"),
        ({"target": np.array([2, 2, 3, 9])}, "target names a gene that is not there"),
        ({"masters": np.array([0, -1])}, "masters names a gene that is not there"),
        ({"masters": np.array([0.0, 1.0])}, "masters is not a row of integers"),
        ({"rates": np.ones((2, 0))}, "rates have no column"),
        ({"masters": np.array([0, 1, 1]), "rates": np.ones((3, 2))}, "a master is named twice"),
    ],
)
def test_networks_that_cannot_be_are_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(network(), **change)


def test_cells_and_the_truth_about_them_as_anndata(tmp_path):
    anndata = pytest.importorskip("anndata")
    run = run_sergio(network(), 3, random_state=0)
    run.to_anndata().write_h5ad(tmp_path / "cells.h5ad")
    adata = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(adata.X, run.cells)
    assert list(adata.obs["cell_type"]) == ["type_0"] * 3 + ["type_1"] * 3
    assert list(adata.obsm["tf_concentration"].columns) == ["gene_0", "gene_1", "gene_2"]
    np.testing.assert_array_equal(adata.obsm["tf_concentration"], run.cells[:, :3])
    edges = adata.uns["regulation"]
    assert list(zip(edges["source"], edges["target"], strict=True))[1] == ("gene_1", "gene_2")
    np.testing.assert_array_equal(edges["half_response"], run.half_response)


def test_jacobians_are_the_slopes_of_the_quasi_steady_state():
    decay = np.array([0.8, 1.0, 0.5, 2.0])
    run = run_sergio(network(), 5, decay=decay, random_state=0)
    K, n, H = run.network.strength, run.network.hill, run.half_response

    def steady(x):
        share = 1 / (1 + (H / x[[0, 1, 2, 0]]) ** n)
        effect = np.where(K > 0, K * share, -K * (1 - share))
        return np.array([0, 0, effect[:2].sum(), effect[2:].sum()]) / decay

    assert run.jacobians.shape == (10, 4, 3)
    for cell, jacobian in zip(run.cells, run.jacobians, strict=True):
        steps = 1e-6 * np.eye(4)[:3]
        by_hand = np.stack([(steady(cell + step) - steady(cell - step)) / 2e-6 for step in steps], axis=-1)
        np.testing.assert_allclose(jacobian, by_hand, atol=1e-7)
    pytest.importorskip("anndata")
    kept = run.to_anndata(jacobians=True).obsm["tf_jacobian"]
    np.testing.assert_array_equal(kept.reshape(10, 4, 3), run.jacobians)
    assert "tf_jacobian" not in run.to_anndata().obsm


def test_two_files_are_not_written_into_one(tmp_path):
    with pytest.raises(ValueError, match="targets and masters are both"):
        write_sergio(network(), tmp_path / "one.txt", tmp_path / "one.txt")
    (tmp_path / "targets.txt").write_text("2,1,0,2.5\n")
    with pytest.raises(ValueError, match="hill=nan is out of range"):
        read_sergio(tmp_path / "targets.txt", tmp_path / "targets.txt", hill=float("nan"))


def test_neither_file_is_written_where_one_cannot_be(tmp_path):
    (tmp_path / "targets.txt").write_text("as it was")
    with pytest.raises(ValueError, match="none"):
        write_sergio(network(), tmp_path / "targets.txt", tmp_path / "none" / "masters.txt")
    assert (tmp_path / "targets.txt").read_text() == "as it was"


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "targets.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"targets\.txt is not text in UTF-8"):
        read_sergio(tmp_path / "targets.txt", tmp_path / "targets.txt")


def test_a_layer_in_parts_is_the_layer(monkeypatch):
    draws = np.random.default_rng(0).normal(size=(4, 2, 2, 44))
    whole = run_sergio(network(), 3, draws=draws, sampled=[1, 2, 3])
    monkeypatch.setattr("identica.datasets.sergio.ENTRIES_AT_ONCE", 1)
    np.testing.assert_array_equal(run_sergio(network(), 3, draws=draws, sampled=[1, 2, 3]).cells, whole.cells)


@pytest.mark.parametrize(("noise", "q"), [("dpd", 0.0), ("dpd", 1.0), ("sp", 1.0), ("spd", 0.5)])
def test_agrees_with_the_original_at_every_step(noise, q):
    folder = shared(REFERENCE)
    logged = np.load(folder / f"ref_tiny_{noise}_q{q}.npz")
    tiny = read_sergio(folder / "tiny_targets.txt", folder / "tiny_regs.txt")
    run = run_sergio(
        tiny,
        20,
        noise=noise,
        noise_strength=q,
        decay=[0.8, 0.7, 0.9, 0.8, 1.0, 0.6],
        sampling_state=5,
        draws=logged["dW"],
        sampled=logged["sc"],
        keep_trajectory=True,
    )
    np.testing.assert_allclose(run.trajectory, logged["traj"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.expression, logged["expr"], rtol=0, atol=1e-12)


def test_agrees_with_the_original_s_demo_in_distribution():
    folder = shared(REFERENCE)
    demo = read_sergio(folder / "demo/steady-state_input_GRN.txt", folder / "demo/steady-state_input_MRs.txt")
    ours = run_sergio(demo, 300, random_state=0).expression
    means, spreads = [ours.mean(axis=-1).ravel()], [ours.std(axis=-1).mean()]
    for seed in (0, 1):
        theirs = np.load(folder / f"ref_demo_dpd_seed{seed}.npz")["expr"]
        means.append(theirs.mean(axis=-1).ravel())
        spreads.append(theirs.std(axis=-1).mean())
    correlations = np.corrcoef(means)
    assert correlations[0, 1:].min() > correlations[1, 2] - 0.01
    assert spreads[0] == pytest.approx(np.mean(spreads[1:]), rel=0.05)
