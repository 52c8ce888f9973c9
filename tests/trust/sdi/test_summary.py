"""Many points: shares, quantiles, plain values, the time that they share."""

import json

import numpy as np
import pytest
from influence_cases import k_sign, on_sphere

from identica.trust.sdi import check_sdi, summarise_sdi


@pytest.fixture(scope="module")
def jacobians():
    padding = np.zeros((34, 5))
    unit, few = np.concatenate([np.eye(5), 1e-3 * np.eye(5)]), on_sphere(np.random.default_rng(0), 40, 5)
    return np.stack([k_sign(5, 2), np.concatenate([unit, padding[:30]]), few])


@pytest.fixture(scope="module")
def summary(jacobians):
    return summarise_sdi(jacobians, time_limit=600)


def test_shares_and_quantiles(summary):
    assert summary.shares(1) == pytest.approx({"holds": 1 / 3, "fails": 2 / 3, "undecided": 0})
    assert summary.shares(2, symmetric=True) == pytest.approx({"holds": 2 / 3, "fails": 1 / 3, "undecided": 0})
    assert summary.locally_identifiable == pytest.approx(2 / 3)
    low, high = summary.gamma()
    assert low == pytest.approx(high)
    assert (low[0], low[4]) == pytest.approx((0, 1))
    assert len(summary.volume_efficiency) == 5
    with pytest.raises(ValueError, match="condition=3 is out of range: use from 1 to 2"):
        summary.shares(3)


def test_plain_values_of_a_point_and_of_all(summary, jacobians):
    record = json.loads(json.dumps(summary.to_dict()))
    assert record["points"][0] == {
        "condition_1": "holds",
        "condition_2": "holds",
        "gamma": pytest.approx([1, 1]),
        "symmetric": {"condition_1": "holds", "condition_2": "holds", "gamma": pytest.approx([1, 1])},
        "locally_identifiable": True,
    }
    assert record["points"][2]["gamma"] == pytest.approx(list(check_sdi(jacobians[2]).gamma))
    assert record["summary"]["n_points"] == 3
    assert record["summary"]["indices"] == [0, 1, 2]
    assert record["summary"]["condition_1"] == {
        "holds": pytest.approx(1 / 3),
        "fails": pytest.approx(2 / 3),
        "undecided": 0,
    }
    assert set(record["summary"]["symmetric"]) == {
        "condition_1",
        "condition_2",
        "gamma_low",
        "gamma_high",
        "corner_size",
    }


def test_some_points_are_drawn_by_the_seed(jacobians):
    many = np.concatenate([jacobians] * 4)
    told = []
    drawn = [
        summarise_sdi(many, n_points=5, random_state=seed, on_point=lambda *step: told.append(step[1:]))
        for seed in (0, 0, 1)
    ]
    first, second, third = ([point.index for point in summary.points] for summary in drawn)
    assert first == second != third
    assert first == sorted(set(first))
    assert told[:5] == [(done, 5) for done in range(1, 6)]


def test_points_beyond_the_time_are_left_out(jacobians):
    summary = summarise_sdi(np.concatenate([jacobians] * 4), time_limit=1e-6)
    assert (len(summary.points), summary.n_left_out) == (1, 11)


def test_one_jacobian_is_one_point():
    assert len(summarise_sdi(np.eye(3)).points) == 1


def test_processes_side_by_side_give_the_same(summary, jacobians):
    assert summarise_sdi(jacobians, n_jobs=2, time_limit=600).to_dict() == summary.to_dict()
