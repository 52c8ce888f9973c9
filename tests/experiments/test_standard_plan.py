"""The standard benchmark is the same in a worker process as where it is planned."""

import pickle
from dataclasses import replace

from identica.experiments.benchmark import standard_plan


def test_a_plan_that_was_sent_to_a_worker_builds_the_same_methods():
    plan = standard_plan(seeds=[0])
    sent = pickle.loads(pickle.dumps((plan.datasets, plan.methods)))
    assert replace(plan, datasets=sent[0], methods=sent[1]).fingerprints() == plan.fingerprints()


def test_nonstationary_data_have_longer_training():
    data = standard_plan().datasets
    steps = {
        name: standard_plan().methods["auxiliary-contrastive"].build(data[name]).training.max_steps
        for name in ("linear", "nonstationary-2")
    }
    assert steps == {"linear": 1500, "nonstationary-2": 6000}
