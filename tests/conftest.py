"""What every test runs under: few threads, and nobody touches the global random state. And a model to try things on."""

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from cli_cases import QUICK, write_small_csv
from threadpoolctl import threadpool_limits

from identica.cli import main
from identica.estimators import base

mpl.use("Agg")
# One thread here and in the commands that tests start, which may share the cores with others.
torch.set_num_threads(1)
threadpool_limits(1)
os.environ["OMP_NUM_THREADS"] = "1"
# Tests that do not say how many starts a fit has get by with two.
base.AUTO_STARTS = 2


@pytest.fixture(autouse=True)
def global_random_state_is_left_alone() -> Iterator[None]:
    """Fail a test after which NumPy's or torch's global generator stands elsewhere."""
    torch.set_num_threads(1)  # which commands and benchmarks that tests have run may have changed
    torch.manual_seed(0)  # so that modules which a test makes are the same in every run
    numpy_before = np.random.get_state(legacy=False)  # noqa: NPY002
    torch_before = torch.get_rng_state()
    yield
    numpy_after = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(numpy_after, numpy_before, "NumPy's global random state has changed")
    assert torch.equal(torch.get_rng_state(), torch_before), "torch's global random state has changed"


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A model of a table with names."""
    folder = tmp_path_factory.mktemp("model")
    write_small_csv(folder / "data.csv")
    (folder / "quick.json").write_text(QUICK)
    words = ["fit", str(folder / "data.csv"), "-d", "2", "--config", str(folder / "quick.json")]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder / "out" / "model.safetensors"


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command in a folder and check that it complains in one line and leaves the folder as it was."""
    monkeypatch.chdir(tmp_path)

    def run(words, complaint):
        before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        folders = {path for path in Path().rglob("*") if path.is_dir()}
        capsys.readouterr()
        assert main(words) == 2
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1
        assert shown.err.startswith("identica: error: ")
        assert complaint in shown.err
        assert shown.out == ""
        assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
        assert {path for path in Path().rglob("*") if path.is_dir()} == folders

    return run
