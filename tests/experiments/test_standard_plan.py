"""The standard benchmark is the same in a worker process as where it is planned."""

import pytest
from joblib import Parallel, delayed

from identica.datasets import Regulon
from identica.experiments.benchmark import BENCHMARK_DATASETS, BenchmarkPlan, run_benchmark, standard_plan


def test_a_plan_that_was_sent_to_workers_builds_the_same_methods_there():
    plan = standard_plan(seeds=[0])
    there = Parallel(n_jobs=2)(delayed(BenchmarkPlan.fingerprints)(plan) for _ in range(2))
    assert there == [plan.fingerprints()] * 2


def test_nonstationary_data_have_longer_training():
    plan = standard_plan(seeds=[0])
    method = plan.methods["auxiliary-contrastive"]
    steps = [method.build(plan.datasets[name]).training.max_steps for name in ("linear", "nonstationary-2")]
    assert steps == [1500, 6000]


def test_every_data_set_is_generated_fitted_and_scored(tmp_path):
    rows = run_benchmark(standard_plan(methods=["pca", "polytopic"], seeds=[0], quick=True), tmp_path)
    assert {row["dataset"] for row in rows} == set(BENCHMARK_DATASETS)
    assert [row["error"] for row in rows if row["status"] != "ok"] == []
    assert all(0 < row["recovery"] < 1 for row in rows)
    scored = {row["dataset"]: row for row in rows if row["method"] == "polytopic"}
    assert scored["linear"]["recovery"] > 0.9
    # Blocks of two are scored as blocks, not by component.
    assert scored["compositional"]["recovery"] > scored["compositional"]["r2_mean"]


@pytest.mark.parametrize("name", ["datasets", "methods", "seeds"])
def test_one_name_is_no_list(name):
    with pytest.raises(TypeError, match=f"{name} is of type str, not a list: pass "):
        standard_plan(**{name: "linear"})


def test_a_network_with_too_few_factors_is_told_what_it_needs():
    small = Regulon(["a", "b"], ["x", "x"], [1, -1])
    with pytest.raises(ValueError, match=r"n_factors=5 is out of range: use from 1 to 2, .* or give a larger network"):
        standard_plan(datasets=["cells-mild"], seeds=[0], regulon=small)
