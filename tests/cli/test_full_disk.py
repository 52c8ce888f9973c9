"""Disks that are full: one line on standard error, no half a file, and what was there stays."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_cases import QUICK, write_small_csv

from identica import load
from identica.cli import main


@pytest.mark.parametrize(
    "name", ["model.safetensors", "latents.npy", "latents.csv", "history.csv", "report.html", "run.json"]
)
def test_a_disk_that_is_full_at_the_end_of_a_fit(tmp_path, monkeypatch, capsys, name):
    write_small_csv(tmp_path / "data.csv")
    (tmp_path / "quick.json").write_text(QUICK)
    replace = Path.replace

    def fail(self, target):
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    words = ["fit", str(tmp_path / "data.csv"), "-d", "2", "--config", str(tmp_path / "quick.json")]
    assert main([*words, "--output", str(tmp_path / "out")]) == 2
    left = [path.name for path in (tmp_path / "out").iterdir()] if (tmp_path / "out").exists() else []
    assert name not in left
    assert "run.json" not in left
    assert not [path for path in left if path.endswith(".tmp")]
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"identica: error: {tmp_path / 'out' / name}: No space left on device"


def test_a_file_that_may_not_grow(tmp_path):
    """The operating system itself refuses to write on, in the middle of a file."""
    command = [sys.executable, "-c", "import sys; from identica.cli import main; sys.exit(main())"]
    words = ["simulate", "mixture", "-n", "2000", "-m", "10", "--output", str(tmp_path / "out")]
    run = subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert run.returncode == 2
    assert run.stderr == f"identica: error: {tmp_path / 'out' / 'X.npy'}: File too large\n"
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_of_at_most(size):
    """Let the operating system refuse to write on after so many bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_may_not_grow(tmp_path, capsys):
    write_small_csv(tmp_path / "data.csv")
    (tmp_path / "quick.json").write_text(QUICK)
    words = ["fit", str(tmp_path / "data.csv"), "-d", "2", "--config", str(tmp_path / "quick.json")]
    with files_of_at_most(2_000):
        assert main([*words, "--output", str(tmp_path / "out")]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"identica: error: {tmp_path / 'out' / 'checkpoint.safetensors'}: File too large"
    assert not (tmp_path / "out").exists()


def test_a_model_that_may_not_grow_leaves_the_one_that_was_there(small_model, tmp_path):
    fitted = load(small_model)
    fitted.save(tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()
    with files_of_at_most(2_000), pytest.raises(OSError, match="File too large"):
        fitted.save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
