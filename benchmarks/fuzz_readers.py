"""Give every reader files that are changed at random, and report what is not refused in one sentence.

python benchmarks/fuzz_readers.py --seconds 3600 --output findings
python benchmarks/fuzz_readers.py --targets h5ad model --seconds 60 --output findings

Needs atheris (pip install atheris), which looks for changes that lead to new lines of identica; without it, or with
--plain, changes are drawn blindly. Each reader has a process of its own and starts from small honest files, which
this script writes. Bytes, whole numbers of a binary header, and digits and names of JSON are changed; members of
archives are changed inside them, and checksums are mended, so that what is behind them is reached. A finding is an
error that is not one of the library's, one of its own that has several lines, an input that takes over 10 s of
computing, or memory above 1 GB; its input is saved in the folder of the output. How many inputs were read, and how
many kinds of refusals there were, shows whether changes reach what is behind the first check. The exit status is 1 if
there are any.
"""

import argparse
import collections
import gzip
import importlib
import json
import os
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz_changes import (
    Change,
    any_bytes,
    array,
    either,
    inside_gzip,
    inside_hdf5,
    inside_tensors,
    inside_zip,
    json_values,
    letters,
    parquet_table,
    tokens,
    toml_values,
)

try:
    import atheris
except ImportError:
    atheris = None

LONGEST, MOST_MEMORY = 10.0, 2**20
"""Seconds of computing for one input, and KiB of the process or one that it starts."""
LONGEST_WAIT = 60.0
"""Seconds by the clock for one input, for those that wait and do not compute."""
MAX_LENGTH = 2**18
HONEST = 0.7
"""Share of the inputs that are an honest file with one change."""
CONFIGURATIONS = ("json", "toml")
"""Whose errors name a parameter, and not the file."""


@dataclass(frozen=True)
class Target:
    """A reader, by the name that its files have."""

    name: str
    read: Callable[[Path], object]
    change: Change


# ------------------------------------------------------------------------------------------------------------- targets


def targets() -> dict[str, Target]:
    """Return all readers."""
    from identica.cli.configuration import read_parameters
    from identica.datasets import read_regulon, read_sergio
    from identica.estimators import from_configuration, load
    from identica.io import read_table
    from identica.training.checkpoint import read_snapshots

    def configuration(path: Path) -> object:
        return from_configuration(read_parameters(path, {"n_components": 2}))

    def zarr_directory(path: Path) -> object:
        folder = path.parent / "cells.zarr"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(each.file_size for each in archive.infolist()) > 2**24:
                    return None
                archive.extractall(folder)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, zlib.error):
            return None  # the archive is ours
        return read_table(folder)

    def sergio(path: Path) -> object:
        targets, _, masters = path.read_bytes().partition(b"\n---\n")
        places = [path.parent / name for name in ("targets.txt", "masters.txt")]
        places[0].write_bytes(targets)
        places[1].write_bytes(masters)
        return read_sergio(*places)

    model, state = inside_tensors("configuration", "attributes"), inside_tensors("state")
    made = (
        Target("csv", read_table, either(any_bytes, letters, letters, letters)),
        Target("csv.gz", read_table, either(any_bytes, inside_gzip(letters), inside_gzip(any_bytes))),
        Target("npy", read_table, either(any_bytes, array, array)),
        Target("npz", read_table, either(any_bytes, inside_zip, inside_zip)),
        Target("parquet", read_table, either(any_bytes, parquet_table, parquet_table)),
        Target("h5ad", read_table, either(any_bytes, inside_hdf5, inside_hdf5)),
        Target("zarr.zip", zarr_directory, inside_zip),
        Target("idx3-ubyte", read_table, any_bytes),
        Target("idx3-ubyte.gz", read_table, either(any_bytes, inside_gzip(any_bytes))),
        Target("model.safetensors", load, either(model, model, any_bytes)),
        Target("checkpoint.safetensors", read_snapshots, either(state, state, any_bytes)),
        Target("regulon.tsv", read_regulon, either(any_bytes, letters, letters)),
        Target("sergio", sergio, either(any_bytes, letters, letters)),
        Target("json", configuration, either(tokens, json_values, json_values)),
        Target("toml", configuration, either(tokens, toml_values, toml_values)),
    )
    return {target.name: target for target in made}


def seeds(name: str, folder: Path) -> list[bytes]:
    """Write small honest files of one kind and return what is in them."""
    values = np.random.default_rng(0).random((12, 4)).astype(np.float32)
    path = folder / f"seed.{name}"
    text = "a,b,c,d\n" + "\n".join(",".join(f"{value:.3f}" for value in row) for row in values) + "\n"
    if name.startswith("idx"):
        whole = bytes([0, 0, 8, 3]) + struct.pack(">3I", 4, 3, 2) + bytes(range(24))
        return [gzip.compress(whole, mtime=0) if name.endswith(".gz") else whole]
    match name:
        case "csv":
            return [text.encode(), b'"","n"\n"a",1\n"b",2\n', ";v;w\nä;1,5;0\nö;2,5;-1e3\n".encode()]
        case "csv.gz":
            return [gzip.compress(text.encode(), mtime=0)]
        case "npy":
            np.save(path, values)
            return [path.read_bytes()]
        case "npz":
            import scipy.sparse as sp

            made = []
            for write in (
                lambda: np.savez(path, x=values),
                *(
                    lambda kind=kind: sp.save_npz(path, kind(np.round(values)))
                    for kind in (sp.csr_matrix, sp.coo_matrix)
                ),
            ):
                write()
                made.append(path.read_bytes())
            return made
        case "parquet":
            import pandas as pd

            pd.DataFrame(values, columns=list("abcd")).to_parquet(path)
            return [path.read_bytes()]
        case "h5ad" | "zarr.zip":
            versions = (2, 3) if name == "zarr.zip" else (2,)
            kinds = ((None, False), ("gzip", True))
            return [_cells(values, *kind, path, version) for kind in kinds for version in versions]
        case "model.safetensors" | "checkpoint.safetensors":
            return [_fitted(name.startswith("checkpoint"), path)]
        case "regulon.tsv":
            return [b"A\tB\tActivation\t1;2\nA\tC\tRepression\t3\n", b"source\ttarget\tweight\nA\tB\t1\nB\tC\t-1.5\n"]
        case "sergio":
            return [b"2,2,0,1,1.5,-2.0,2,2\n3,1,2,1.0,2\n---\n0,1.0,2.0\n1,0.5,0.1\n"]
        case "json":
            return [json.dumps({"n_components": 2, "training": {"max_steps": 40}, "network": {"hidden": [8]}}).encode()]
        case _:
            return [b"n_components = 2\nn_init = 1\n[training]\nmax_steps = 40\n[network]\nhidden = [8, 8]\n"]


def _cells(values: np.ndarray, packed: str | None, sparse: bool, path: Path, version: int) -> bytes:
    import anndata
    import pandas as pd
    import scipy.sparse as sp

    kind = pd.Categorical(["a", "b"] * (len(values) // 2))
    obs = pd.DataFrame(
        {"kind": kind, "age": np.arange(float(len(values)))}, index=[f"c{i}" for i in range(len(values))]
    )
    cells = anndata.AnnData(sp.csr_matrix(np.round(values)) if sparse else values, obs=obs)
    if path.name.endswith("h5ad"):
        cells.write_h5ad(path, compression=packed)
        return path.read_bytes()
    folder = path.parent / "seed.zarr"
    shutil.rmtree(folder, ignore_errors=True)
    with anndata.settings.override(zarr_write_format=version):
        cells.write_zarr(folder)
    if version == 3 and not sparse:
        import zarr

        group = zarr.open_group(folder, mode="r+", use_consolidated=False)
        told = dict(group["X"].attrs)
        del group["X"]
        group.create_array("X", data=values, chunks=(3, 2), shards=(6, 4)).attrs.update(told)
    return Path(shutil.make_archive(str(path.parent / "seed"), "zip", folder)).read_bytes()


def _fitted(unfinished: bool, path: Path) -> bytes:
    from identica import DICA, Dense, Training

    model = DICA(
        2, n_init=1, network=Dense((8,)), training=Training(max_steps=20, checkpoint_seconds=0), random_state=0
    )
    rows = np.random.default_rng(0).random((60, 5))
    model.fit(rows, checkpoint=path)
    if not unfinished:
        model.save(path)
    return path.read_bytes()


# ------------------------------------------------------------------------------------------------------------- running


class Findings:
    """What was not refused in one sentence, and the inputs that led to it."""

    def __init__(self, target: Target, folder: Path, work: Path) -> None:
        self.target, self.folder, self.work = target, folder, work
        self.found: collections.Counter[str] = collections.Counter()
        self.n_runs = self.n_read = 0
        self.refusals: set[str] = set()
        self.slowest = self.computed = 0.0
        self.most_memory = MOST_MEMORY
        self.begin = time.perf_counter()

    def run(self, data: bytes) -> None:
        """Read one input."""
        path = self.work / (f"x.{self.target.name}" if "idx" not in self.target.name else f"x-{self.target.name}")
        path.write_bytes(data)
        start, computed = time.perf_counter(), _computed()
        try:
            self.target.read(path)
            self.n_read += 1
        except (ValueError, TypeError) as error:
            # The documented ones; what a library raises of these kinds names no file.
            told = str(error)
            self.refusals.add(re.sub(r"\d+|'.*?'", "", told.replace(str(self.work), ""))[:60])
            if "\n" in told or not told:
                self._keep(f"{type(error).__name__}, several lines: {told[:80]!r}", data)
            elif str(self.work) not in told and self.target.name not in CONFIGURATIONS:
                self._keep(f"{type(error).__name__} without the file: {told[:80]}", data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self._keep(f"{type(error).__name__}: {str(error)[:80]}", data)
        waited, seconds = time.perf_counter() - start, _computed() - computed
        self.n_runs += 1
        self.computed += seconds
        self.slowest = max(self.slowest, seconds)
        if seconds > LONGEST or waited > LONGEST_WAIT:
            self._keep("slow", data)
        if (memory := self.memory()) > self.most_memory:
            self.most_memory = 2 * memory
            self._keep("memory", data)

    def memory(self) -> int:
        """Return the most KiB that this process or one that it has started has taken."""
        return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def _keep(self, what: str, data: bytes) -> None:
        what = " ".join(what.replace(str(self.work), "").split())
        self.found[what] += 1
        if self.found[what] == 1:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "-", what)[:60].strip("-")
            (self.folder / f"{name}.{self.target.name}").write_bytes(data)

    def line(self) -> str:
        """Return what is known so far, in one line of JSON."""
        seconds = time.perf_counter() - self.begin
        told = {
            "target": self.target.name,
            "runs": self.n_runs,
            "read": self.n_read,
            "kinds_of_refusals": len(self.refusals),
        }
        told |= {"seconds": round(seconds), "computed": round(self.computed)}
        told |= {"slowest": round(self.slowest, 2), "MB": self.memory() // 1024, "findings": dict(self.found)}
        return json.dumps(told)


def _computed() -> float:
    """Return the seconds of processor time that this process and those it has started and awaited have taken."""
    return sum(os.times()[:4])


def fuzz(name: str, seconds: float, output: Path, seed: int, plain: bool) -> None:
    """Give one reader inputs until the time is over."""
    guided = atheris is not None and not plain
    if guided:
        with atheris.instrument_imports(include=["identica.io", "identica.datasets", "identica.cli.configuration"]):
            target = targets()[name]
            for module in ("arrays", "delimited", "parquet", "anndata", "idx"):
                importlib.import_module(f"identica.io.{module}")
    else:
        target = targets()[name]
    warnings.simplefilter("ignore")
    work = Path(tempfile.mkdtemp(prefix="fuzz"))
    rng = random.Random(seed)
    begun = seeds(name, work)
    findings = Findings(target, output / name, work)
    for data in begun:
        findings.run(data)
    if findings.found or findings.n_read < len(begun):
        raise SystemExit(f"an honest file of {name} was not read: {dict(findings.found)} {findings.refusals}")
    report = output / f"{name}.json"

    def one(data: bytes) -> None:
        findings.run(data)
        if findings.n_runs % 20 == 0:
            report.write_text(findings.line())

    if not guided:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            one(target.change(rng.choice(begun), rng)[:MAX_LENGTH])
        report.write_text(findings.line())
        return
    corpus = work / "corpus"
    corpus.mkdir()
    for i, data in enumerate(begun):
        (corpus / str(i)).write_bytes(data)

    def mutator(data: bytes, most: int, number: int) -> bytes:
        # Changes upon changes leave files that no first check lets pass: most begin from an honest one.
        rng = random.Random(number)
        changed = target.change(rng.choice(begun) if rng.random() < HONEST or not data else bytes(data), rng)
        return changed[:most]

    report.write_text(findings.line())
    flags = [
        "-mutate_depth=1",
        f"-max_total_time={seconds:.0f}",
        f"-max_len={MAX_LENGTH}",
        "-timeout=120",
        "-rss_limit_mb=6000",
    ]
    flags += [
        f"-seed={seed}",
        f"-artifact_prefix={output / name}-",
        "-verbosity=0",
        "-rss_limit_mb=6000",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one, custom_mutator=mutator)
    atheris.Fuzz()


def main() -> int:
    """Fuzz readers one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", help="readers, by endings; all by default")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--output", type=Path, default=Path("identica-fuzz"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    if given.one:
        fuzz(given.one, given.seconds, given.output.resolve(), given.seed, given.plain)
        return 0
    chosen = given.targets or list(targets())
    bad = 0
    for name in chosen:
        words = [
            sys.executable,
            __file__,
            "--one",
            name,
            "--seconds",
            str(given.seconds),
            "--output",
            str(given.output),
        ]
        words += ["--seed", str(given.seed), *(["--plain"] if given.plain or atheris is None else [])]
        run = subprocess.run(words, capture_output=True, text=True, check=False)
        report = given.output / f"{name}.json"
        told = report.read_text() if report.exists() else "no report"
        print(told, flush=True)
        failed = run.returncode != 0 or not report.exists()
        if failed:
            print(f"{name} ended with status {run.returncode}: {run.stderr[-2000:]}", flush=True)
        bad += failed or bool(json.loads(told)["findings"])
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
