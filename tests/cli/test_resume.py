"""A fit that was interrupted or killed goes on to the result of one that never was."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from cli_cases import QUICK, write_small_csv

import identica
from identica.cli import main
from identica.training.descent import Descent
from identica.trust import CrossCheck, cross_check, judge

PROGRAM = [sys.executable, "-c", "import sys; from identica.cli import main; sys.exit(main())"]
LONG = (
    '{"network": {"hidden": [16]}, "device": "cpu",'
    ' "training": {"max_steps": 3000, "batch_size": 16, "patience": 1000, "checkpoint_seconds": 0.5}}'
)


@pytest.fixture
def prepared(tmp_path):
    write_small_csv(tmp_path / "data.csv")
    (tmp_path / "long.json").write_text(LONG)
    (tmp_path / "quick.json").write_text(QUICK)
    return tmp_path


def words(folder, output, *more, config="long.json"):
    return [
        *["fit", str(folder / "data.csv"), "-d", "2", "--config", str(folder / config), "--threads", "1"],
        *["--output", str(folder / output), *more],
    ]


def stopped(folder, output, number):
    """Start a fit, wait for its checkpoint, send a signal; return what was said."""
    process = subprocess.Popen(
        [*PROGRAM, *words(folder, output)],
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets the jobs in its background ignore Ctrl-C, and these tests may be in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    checkpoint = folder / output / "checkpoint.safetensors"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.slow
def test_interrupted_and_killed_fits_go_on_to_the_same_result(prepared, capsys, monkeypatch):
    epoch, n_epochs = Descent.epoch, 0

    def counted(self, *args):
        nonlocal n_epochs
        n_epochs += 1
        return epoch(self, *args)

    monkeypatch.setattr(Descent, "epoch", counted)
    assert main(words(prepared, "whole")) == 0
    expected, n_whole = np.load(prepared / "whole" / "latents.npy"), n_epochs

    status, said = stopped(prepared, "interrupted", signal.SIGINT)
    assert status == 130
    line = said.splitlines()[-1]
    assert "interrupted/checkpoint.safetensors keeps what is done, go on with: identica fit " in line
    assert line.endswith(" --resume")
    assert "Traceback" not in said

    status, _ = stopped(prepared, "killed", signal.SIGKILL)
    assert status == -signal.SIGKILL

    for output in ("interrupted", "killed"):
        assert [path.name for path in (prepared / output).iterdir()] == ["checkpoint.safetensors"]
        n_epochs = 0
        assert main(words(prepared, output, "--resume")) == 0
        # What was done is not done again.
        assert n_epochs < n_whole
        np.testing.assert_array_equal(np.load(prepared / output / "latents.npy"), expected)
        assert not (prepared / output / "checkpoint.safetensors").exists()
        histories = [
            [line.split(",")[:3] for line in (prepared / name / "history.csv").read_text().splitlines()]
            for name in (output, "whole")
        ]
        assert histories[0] == histories[1]


@pytest.mark.slow
def test_an_unfinished_fit_is_neither_lost_nor_mixed_up(prepared, capsys):
    stopped(prepared, "out", signal.SIGKILL)
    before = (prepared / "out" / "checkpoint.safetensors").read_bytes()
    capsys.readouterr()
    assert main(words(prepared, "out")) == 2
    assert "is of an unfinished fit, go on with it by --resume, or delete it" in capsys.readouterr().err
    assert main(words(prepared, "out", "--resume", "--seed", "9")) == 2
    assert "the checkpoint was written by a fit of other data or with other parameters" in capsys.readouterr().err
    assert (prepared / "out" / "checkpoint.safetensors").read_bytes() == before


def test_an_interrupt_before_anything_was_saved(prepared, monkeypatch, capsys):
    def interrupt(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("identica.DICA.fit", interrupt)
    assert main(words(prepared, "out")) == 130
    assert capsys.readouterr().err == "identica: interrupted before anything was saved\n"
    assert not (prepared / "out").exists()


def test_resuming_what_is_finished(prepared, capsys):
    quick = words(prepared, "out", config="quick.json")
    assert main(quick) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (prepared / "out").iterdir()}
    capsys.readouterr()
    assert main([*quick, "--resume"]) == 0
    assert "it is finished: nothing to resume" in capsys.readouterr().out
    assert main([*quick, "--resume", "--method", "autoencoder"]) == 2
    assert "holds a finished fit of other data or parameters" in capsys.readouterr().err
    assert {path.name: path.stat().st_mtime_ns for path in (prepared / "out").iterdir()} == before
    assert main([*quick, "--method", "autoencoder"]) == 0
    assert json.loads((prepared / "out" / "run.json").read_text())["configuration"]["method"] == "autoencoder"


def test_resuming_a_finished_fit_of_other_data_or_options_is_refused(prepared, capsys):
    X = np.random.default_rng(0).normal(size=(40, 5))
    np.savez(prepared / "both.npz", a=X, b=X + 1)
    command = ["fit", str(prepared / "both.npz"), "-d", "2", "--config", str(prepared / "quick.json"), "--resume"]
    command += ["--output", str(prepared / "out")]
    assert main([*command, "--key", "a"]) == 0
    before = {path.name: path.read_bytes() for path in (prepared / "out").iterdir()}
    capsys.readouterr()

    def refused():
        assert "holds a finished fit of other data or parameters" in capsys.readouterr().err
        assert {path.name: path.read_bytes() for path in (prepared / "out").iterdir()} == before

    assert main([*command, "--key", "b"]) == 2
    refused()
    assert main([*command, "--key", "a", "--holdout", "0.2"]) == 2
    refused()
    X[3, 2] += 1e-9
    np.savez(prepared / "both.npz", a=X, b=X + 1)
    assert main([*command, "--key", "a"]) == 2
    refused()
    X[3, 2] -= 1e-9


@pytest.mark.parametrize("name", ["model.safetensors", "latents.npy", "latents.csv", "history.csv"])
def test_resuming_a_finished_fit_that_has_lost_a_file_says_which(prepared, capsys, name):
    quick = words(prepared, "out", "--resume", config="quick.json")
    assert main(quick) == 0
    (prepared / "out" / name).unlink()
    assert main(quick) == 2
    assert f"holds a finished fit whose {name} is missing" in capsys.readouterr().err


def test_resuming_beside_a_record_of_something_else(prepared, capsys):
    (prepared / "out").mkdir()
    (prepared / "out" / "run.json").write_text('{"configuration": 3, "data": 4}')
    assert main(words(prepared, "out", "--resume", config="quick.json")) == 2
    assert "holds a finished fit of other data or parameters" in capsys.readouterr().err


def test_a_criterion_and_a_solver_are_kept_and_resumed(prepared, capsys):
    (prepared / "quick.json").write_text(
        QUICK.replace(
            "{", '{"criterion": {"kind": "volume", "p": Infinity}, "solver": {"kind": "staged", "restarts": 3}, ', 1
        )
    )
    quick = words(prepared, "out", "--resume", config="quick.json")
    assert main(quick) == 0
    kept = json.loads((prepared / "out" / "run.json").read_text())["configuration"]
    assert kept["criterion"] == {"kind": "volume", "p": "inf", "polytope": "l1"}
    assert kept["solver"] == {"kind": "staged", "restarts": 3, "weight": 0.15}
    assert main(quick) == 0
    assert "nothing to resume" in capsys.readouterr().out


def test_resuming_what_has_not_begun_begins(prepared):
    assert main(words(prepared, "out", "--resume", config="quick.json")) == 0
    assert (prepared / "out" / "run.json").exists()


def test_what_a_killed_process_was_writing_is_cleared_away(prepared):
    (prepared / "out").mkdir()
    for name in (".checkpoint.safetensors.0f1e2d3c.tmp", ".latents.npy.01234567.tmp", ".notes.tmp"):
        (prepared / "out" / name).write_bytes(b"half")
    assert main(words(prepared, "out", "--resume", config="quick.json")) == 0
    assert [path.name for path in (prepared / "out").glob(".*")] == [".notes.tmp"]


def test_a_damaged_checkpoint(prepared, capsys):
    (prepared / "out").mkdir()
    (prepared / "out" / "checkpoint.safetensors").write_bytes(b"garbage")
    assert main(words(prepared, "out", "--resume")) == 2
    assert "checkpoint.safetensors is damaged or no checkpoint" in capsys.readouterr().err


def test_other_fits_are_compared_and_gone_on_with_after_an_interrupt(prepared, monkeypatch, capsys):
    quick = [*words(prepared, "out", config="quick.json"), "--cross-check"]
    made = []

    def interrupted(*args, on_fit, **kwargs):
        def told(fit):
            made.append(fit.kind)
            if len(made) == 2:
                raise KeyboardInterrupt
            on_fit(fit)

        return cross_check(*args, on_fit=told, **kwargs)

    monkeypatch.setattr("identica.trust.cross_check", interrupted)
    assert main(quick) == 130
    kept = prepared / "out" / "cross-check"
    said = capsys.readouterr().err
    assert f"interrupted: {kept} keeps what is done, go on with: identica fit" in said
    assert said.rstrip().endswith("--resume")
    assert len(list(kept.iterdir())) == 2
    monkeypatch.undo()
    assert main([*quick, "--resume"]) == 0
    out = capsys.readouterr().out
    assert "half 0: " in out
    assert "seed 0: " in out
    assert re.search(r"fit of the same rows from another seed has (the same|other) components", out)
    assert not kept.exists()
    record = json.loads((prepared / "out" / "run.json").read_text())
    questions = {sign["name"]: sign["question"] for sign in record["verdict"]["signs"]}
    assert questions["seeds"] == questions["halves"] == "data"
    page = (prepared / "out" / "report.html").read_text()
    assert "two halves of the rows" in page
    assert "--cross-check" not in page
    found = CrossCheck.from_dict(record["cross_check"])
    model = identica.load(prepared / "out" / "model.safetensors")
    assert judge(model, cross=found).number == record["verdict"]["number"]
    # The page made again says the same.
    (prepared / "out" / "report.html").unlink()
    assert main(["report", str(prepared / "out")]) == 0
    assert "two halves of the rows" in (prepared / "out" / "report.html").read_text()


def test_a_finished_fit_without_other_fits_is_not_said_to_have_them(prepared, capsys):
    quick = words(prepared, "out", config="quick.json")
    assert main(quick) == 0
    assert main([*quick, "--cross-check", "--resume"]) == 2
    assert "holds a finished fit without --cross-check" in capsys.readouterr().err
    assert "identica fit --cross-check does" in (prepared / "out" / "report.html").read_text()
    assert main([*quick, "--cross-check", "--jobs", "0"]) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ["--method", "autoencoder"],
            "--cross-check compares single components, and autoencoder does not look for any",
        ),
        (["--holdout", "0.94"], "leaves 2 rows in each half, at least 3 are needed for 2 components"),
    ],
)
def test_other_fits_that_are_not_possible_are_refused_before_any_fit(prepared, more, said, capsys):
    assert main([*words(prepared, "out", config="quick.json"), "--cross-check", *more]) == 2
    assert said in capsys.readouterr().err
    assert not (prepared / "out").exists()
