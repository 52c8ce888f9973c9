"""What the README shows is what happens."""

import re
import subprocess
from pathlib import Path

import pytest

import identica
from identica.datasets import make_cells, make_regulon

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_two_commands_do_everything():
    install, test = blocks("sh")
    assert install.count("\n") == test.count("\n") == 1
    assert install.endswith("-e . && .venv/bin/identica demo\n")
    assert test.endswith("-m pytest\n")
    assert "-c constraints.txt" in install
    assert "-c constraints.txt" in test


def test_ci_runs_these_very_commands():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extraction,) = re.findall(r"awk '.*?' README\.md", script)
    printed = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout == "".join(blocks("sh"))
    assert 'bash -euo pipefail -c "$command"' in script


@pytest.mark.slow
def test_the_python_example_does_as_it_says(capsys):
    example, _ = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    r2, unexplained, by_pca, agreement = map(float, re.findall(r"\d\.\d+", capsys.readouterr().out))
    assert r2 > 0.9
    assert unexplained < by_pca
    assert agreement > 0.95


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_session_with_cells_does_as_it_says():
    pytest.importorskip("anndata")
    regulon = make_regulon(20, 60, random_state=0)
    names = {
        "identica": identica,
        "adata": make_cells(200, 10, regulon=regulon, random_state=0).to_anndata(),
        "net": regulon.to_frame(),
    }
    exec(compile(blocks("python")[1], "README.md", "exec"), names)
    assert names["adata"].obsm["X_dica"].shape == (200, 10)
    assert names["adata"].varm["dica_influence"].shape == (names["adata"].n_vars, 10)
    assert len(names["adata"].uns["dica"]["labels"]) == 10


def test_every_tested_version_is_pinned_once():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][\w.]*", pin) for pin in pins)
    assert len({pin.split("==")[0] for pin in pins}) == len(pins)
