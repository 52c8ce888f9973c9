"""Small benchmarks that tests share, and that workers and other processes can import."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_info

from identica.experiments.benchmark import BenchmarkPlan, DatasetSpec, MethodSpec

PATHS = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
"""Environment of a process that imports what this one does."""


def made(n_samples, seed):
    """Return three features of two components, and an auxiliary variable."""
    generator = np.random.default_rng(seed)
    latents = generator.uniform(size=(n_samples, 2))
    X = latents @ np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 1.0]])
    return SimpleNamespace(X=X, latents=latents, auxiliary=latents[:, :1] > 0.5)


def without_auxiliary(n_samples, seed):
    data = made(n_samples, seed)
    return SimpleNamespace(X=data.X, latents=data.latents)


class Sleeper(TransformerMixin, BaseEstimator):
    """Takes its time, then takes the first two features for components."""

    def __init__(self, seconds=0.0, fault=None, random_state=None):
        self.seconds = seconds
        self.fault = fault
        self.random_state = random_state

    def fit(self, X, y=None):
        time.sleep(self.seconds)
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault is not None:
            raise ArithmeticError(self.fault)
        self.reconstruction_error_ = np.float32(0.25)
        self.told_ = y
        return self

    def transform(self, X):
        return X[:, :2] if self.told_ is None else np.column_stack([self.told_[: len(X)], X[:, 0]])


class Noted(Sleeper):
    """Notes each fit that is done, with the process that gave it, in a file."""

    def __init__(self, log, seconds=0.0, random_state=None):
        super().__init__(seconds, random_state=random_state)
        self.log = log

    def fit(self, X, y=None):
        super().fit(X, y)
        with Path(self.log).open("a", encoding="utf-8") as file:
            file.write(f"{os.getppid()} {len(X)} {self.seconds} {self.random_state}\n")
        return self


class Counter(Sleeper):
    """Gives the largest number of threads or workers that it could use as its error."""

    def fit(self, X, y=None):
        super().fit(X, y)
        pools = [pool["num_threads"] for pool in threadpool_info()]
        self.reconstruction_error_ = max(effective_n_jobs(-1), torch.get_num_threads(), *pools)
        return self


def data(generate=made, n_samples=60, **more):
    return DatasetSpec(generate, n_samples, 40, 2, **more)


def pca(dataset):
    return PCA(dataset.n_components)


def sleeper(dataset):
    return Sleeper(0.1)


def broken(fault, dataset):
    return Sleeper(fault=fault)


def noted(log, seconds, dataset):
    return Noted(log, seconds)


def noted_plan(log, n_seeds, seconds):
    """Return a plan of four cells per seed, of which each takes one of two times, and which note what is done."""
    methods = {f"of {time}": MethodSpec(partial(noted, str(log), time)) for time in seconds}
    return BenchmarkPlan({"a": data(), "b": data(n_samples=50)}, methods, tuple(range(n_seeds)))


def plan_of_twelve():
    """Return a plan of which each cell takes about 0.2 seconds."""
    methods = {"sleeper": MethodSpec(sleeper), "pca": MethodSpec(pca), "slower": MethodSpec(lambda _: Sleeper(0.15))}
    return BenchmarkPlan({"a": data(), "b": data(n_samples=50)}, methods, (0, 1))
