"""A fingerprint changes with what changes an outcome, and with nothing else."""

import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from benchmark_cases import PATHS, data, made, pca, plan_of_twelve
from sklearn.decomposition import PCA, FastICA
from sklearn.pipeline import make_pipeline

from identica import DICA
from identica.datasets import make_mixture, make_regulon
from identica.experiments.baselines import UnivariateLinearModel
from identica.experiments.benchmark import BenchmarkPlan, MethodSpec
from identica.experiments.benchmark.fingerprint import digest
from identica.networks import Dense


def mixture(**arguments):
    def generate(n_samples, seed):
        return make_mixture(n_samples, **arguments, random_state=seed)

    return generate


def frame(weight):
    return pd.DataFrame({"source": ["a"], "target": ["b"], "weight": [weight]})


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (lambda n: PCA(n), (2, 3)),
        (lambda hidden: DICA(2, network=Dense(hidden=hidden)), ((8,), (9,))),
        (lambda n: make_pipeline(PCA(4), FastICA(n)), (2, 3)),
        (lambda n: partial(made, n_samples=n), (2, 3)),
        (lambda n: mixture(n_features=n, n_components=2), (10, 11)),
        (lambda noise: lambda n, seed, noise=noise: None, (0.0, 0.1)),
        (lambda values: np.array(values), ([1.0], [2.0])),
        (lambda values: np.array(values, dtype=object), (["a"], ["b"])),
        (lambda seed: make_regulon(3, 10, random_state=seed), (0, 1)),
        (lambda weight: UnivariateLinearModel(frame(weight), ["b"]), (1.0, -1.0)),
        (lambda names: dict.fromkeys(names, 1), ("ab", "ac")),
        (lambda names: set(names), ("abc", "abd")),
        (lambda value: np.float64(value).item(), (0.1, 0.2)),
        (lambda value: DICA(value).set_params, (2, 3)),
        (lambda kind: kind, (PCA, FastICA)),
    ],
)
def test_what_changes_an_outcome_changes_the_digest(make, changes):
    first, second = changes
    assert digest(make(first)) == digest(make(first))
    assert digest(make(first)) != digest(make(second))


def test_lambdas_on_one_line_differ():
    two, three = (lambda n: n * 2), (lambda n: n * 3)
    assert digest(two) != digest(three)


def test_what_holds_itself_has_a_digest():
    def again(n):
        return again(n - 1)

    assert len(digest(again)) == 12


def test_seeds_talk_and_order_have_no_part():
    assert digest(DICA(2, verbose=1, random_state=3)) == digest(DICA(2))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    plan = BenchmarkPlan({"a": data(note="a note")}, {"pca": MethodSpec(pca, note="another")}, (1,))
    assert plan.fingerprints() == BenchmarkPlan({"a": data()}, {"pca": MethodSpec(pca)}, (2,)).fingerprints()


def test_another_process_finds_the_same():
    code = "from benchmark_cases import plan_of_twelve; print(plan_of_twelve().fingerprints())"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=PATHS | {"PYTHONHASHSEED": "5"}
    )
    assert told.stdout.strip() == str(plan_of_twelve().fingerprints())
