"""The command line as a module of Python."""

import subprocess
import sys

import identica


def test_python_runs_the_package():
    run = subprocess.run([sys.executable, "-m", "identica", "--version"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"identica {identica.__version__}")
