"""The standard benchmark is the same in a worker process as where it is planned."""

from joblib import Parallel, delayed

from identica.experiments.benchmark import BenchmarkPlan, standard_plan


def test_a_plan_that_was_sent_to_workers_builds_the_same_methods_there():
    plan = standard_plan(seeds=[0])
    there = Parallel(n_jobs=2)(delayed(BenchmarkPlan.fingerprints)(plan) for _ in range(2))
    assert there == [plan.fingerprints()] * 2


def test_nonstationary_data_have_longer_training():
    plan = standard_plan(seeds=[0])
    method = plan.methods["auxiliary-contrastive"]
    steps = [method.build(plan.datasets[name]).training.max_steps for name in ("linear", "nonstationary-2")]
    assert steps == [1500, 6000]
