"""The published loss in the compact space."""

from types import SimpleNamespace

import pytest
import torch

from identica import Joint, Staged
from identica.criteria import JacobianSample, Volume

SAMPLE = JacobianSample(4, 8, torch.eye(20, 3), whole_volume=False)


def penalty_of(solver, work):
    """Return the penalty with which a solver trains."""
    seen = []
    start = SimpleNamespace(
        training=SimpleNamespace(max_steps=90),
        jacobian_sample=SAMPLE,
        linear_error=1.0,
        n_epochs=lambda steps: steps,
        objective=lambda penalty=None: seen.append(penalty),
        minimise=lambda *_, **__: None,
        compute=lambda *_: {"reconstruction": torch.tensor(0.1)},
        best_step=lambda _: 10,
        is_done=lambda _: False,
        data=SimpleNamespace(loadings=None, direction=None),
        follows_counts=False,
    )
    work(solver, start)
    return seen[-1]


def test_joint_takes_the_volume_of_all_rows_and_the_refine_stage_that_of_those_drawn():
    joint = penalty_of(Joint(), lambda solver, start: solver.begin(start, None))
    assert joint.sample.whole_volume
    assert joint.warmup_epochs == 30
    refined = penalty_of(Staged(), lambda solver, start: solver.finish(start, Volume(1)))
    assert refined.sample is SAMPLE
    assert refined.first_weight == pytest.approx(0.15 * 0.9)
