"""Files of every reader that are changed as `benchmarks/fuzz_readers.py` does it: each is read or refused in a line."""

import random
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
MANY, FEW = 300, {"h5ad": 8, "zarr.zip": 25}
"""Inputs of each reader; in a file of HDF5 a process looks first."""

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def fuzz():
    """The script."""
    if not FOLDER.is_dir():
        pytest.skip("the benchmarks are not part of this distribution")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import fuzz_readers

        yield fuzz_readers
        for name in ("fuzz_readers", "fuzz_changes"):
            sys.modules.pop(name, None)


NAMES = (
    *("csv", "csv.gz", "npy", "npz", "parquet", "h5ad", "zarr.zip", "idx3-ubyte", "idx3-ubyte.gz"),
    *("model.safetensors", "checkpoint.safetensors", "regulon.tsv", "sergio", "json", "toml"),
)


def test_all_readers_are_named(fuzz):
    assert tuple(fuzz.targets()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_file_is_read_or_refused_in_one_line(fuzz, name, tmp_path):
    target = fuzz.targets()[name]
    honest = fuzz.seeds(name, tmp_path)
    findings = fuzz.Findings(target, tmp_path / "findings", tmp_path)
    findings.most_memory = 2**40  # what other tests in this process took is none of this
    for data in honest:
        findings.run(data)
    assert findings.n_read == len(honest)
    rng = random.Random(0)
    for _ in range(FEW.get(name, MANY)):
        findings.run(target.change(rng.choice(honest), rng))
    assert dict(findings.found) == {}
    assert len(honest) < findings.n_read < findings.n_runs
    assert len(findings.refusals) > 2


def test_what_is_a_finding(fuzz, tmp_path):
    def raising(error):
        def read(path):
            raise error(path)

        return fuzz.Target("csv", read, None)

    found = []
    for error in (
        lambda path: ValueError(f"{path} is bad"),
        lambda path: ValueError("is bad"),
        lambda path: ValueError(f"{path} is\nbad"),
        lambda path: KeyError(str(path)),
        lambda path: SystemExit(3),
    ):
        findings = fuzz.Findings(raising(error), tmp_path / "findings", tmp_path)
        findings.most_memory = 2**40
        findings.run(b"x")
        found.append([kind.split()[0].strip(":,") for kind in findings.found])
    assert found == [[], ["ValueError"], ["ValueError"], ["KeyError"], ["SystemExit"]]
    assert len(list((tmp_path / "findings").iterdir())) == 4
