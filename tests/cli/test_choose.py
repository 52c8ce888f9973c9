"""How many components, on the command line: what it reads, writes and says, and how it goes on."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, write_small_csv

from identica.cli import main
from identica.cli.choose import numbers_in, quick_estimator
from identica.datasets import make_mixture
from identica.trust import single_fits

WORDS = ["-d", "2:4", "--method", "polytopic", "--config", "few.json", "--output", "out"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be where a small table of three components is."""
    monkeypatch.chdir(tmp_path)
    X = make_mixture(300, 30, 3, kind="linear", noise=0.02, random_state=0).X
    write_small_csv(Path("data.csv"), X)
    Path("few.json").write_text('{"n_restarts": 4}')
    return tmp_path


def test_the_number_is_found_written_and_said(folder, capsys):
    assert main(["choose", "data.csv", *WORDS]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    content = json.loads((folder / "out" / "choose.json").read_text())
    assert content["recommended"] == 3
    assert [row["n_components"] for row in content["rows"]] == [2, 3, 4]
    assert content["configuration"]["method"] == "polytopic"
    assert "n_components" not in content["configuration"]
    assert "<svg" in (folder / "out" / "choose.svg").read_text()
    assert len(re.findall(r"^\d components, (?:seed|half) \d: \d+\.\d\d% unexplained, ", said.out, re.MULTILINE)) == 12
    assert re.search(r"^ +3 .* 3 +3$", said.out, re.MULTILINE)
    assert "3 components: other fits find all of them again, 3 as single components" in said.out
    assert "trusted components: 0, 1, 2\n" in said.out


def test_after_ctrl_c_the_same_command_goes_on(folder, capsys, monkeypatch):
    carry_out, n_fits = single_fits.carry_out, 0

    def stop(*arguments):
        nonlocal n_fits
        n_fits += 1
        if n_fits == 5:
            raise KeyboardInterrupt
        return carry_out(*arguments)

    monkeypatch.setattr("identica.trust.single_fits.carry_out", stop)
    assert main(["choose", "data.csv", *WORDS]) == 130
    said = capsys.readouterr().err
    assert said == "identica: interrupted: out keeps the fits that are done, run the same command again to go on\n"
    assert not (folder / "out" / "choose.json").exists()
    assert main(["choose", "data.csv", *WORDS]) == 0
    assert n_fits == 5 + 8


def test_fits_of_another_command_are_refused(folder, capsys):
    assert main(["choose", "data.csv", *WORDS]) == 0
    capsys.readouterr()
    assert main(["choose", "data.csv", *WORDS, "--seed", "1"]) == 2
    assert "is of a fit of other data or with other settings: give another directory" in capsys.readouterr().err
    assert main(["choose", "data.csv", *WORDS, "-d", "3"]) == 0
    assert json.loads((folder / "out" / "choose.json").read_text())["recommended"] == 3


def test_images_and_arrays_are_read_as_fit_reads_them(folder):
    images = make_mixture(300, 12, 2, kind="linear", random_state=0).X.reshape(300, 3, 4)
    np.savez("two.npz", a=images, b=images[:5])
    assert main(["choose", "two.npz", "--key", "a", "-d", "2", "--method", "polytopic", "--output", "out"]) == 0


def test_an_auxiliary_variable_is_told_to_each_fit(folder):
    X = make_mixture(300, 6, 2, kind="linear", random_state=0).X
    lines = [",".join([*map(repr, row.tolist()), "abcde"[i % 5]]) for i, row in enumerate(X)]
    Path("labelled.csv").write_text("\n".join(["a,b,c,d,e,f,batch", *lines]) + "\n")
    Path("quick.json").write_text(QUICK)
    words = ["--method", "auxiliary-ica", "--auxiliary", "batch", "--config", "quick.json", "--output", "out"]
    assert main(["choose", "labelled.csv", "-d", "2", *words]) == 0
    assert json.loads(Path("out/choose.json").read_text())["rows"][0]["n_fits"] == 4


def test_fits_are_short_unless_the_configuration_says_otherwise(folder):
    quick = quick_estimator(None, {"method": None})
    assert (quick.n_init, quick.training.max_steps, quick.verbose) == (1, 1500, 0)
    Path("own.toml").write_text('method = "sparse-jacobian"\nn_init = 2\n[training]\nbatch_size = 64\n')
    own = quick_estimator(Path("own.toml"), {})
    assert (own.method, own.n_init, own.training.max_steps, own.training.batch_size) == ("sparse-jacobian", 2, 1500, 64)
    Path("own.toml").write_text("n_components = 3\n[training]\nmax_steps = 70\n")
    assert quick_estimator(Path("own.toml"), {}).training.max_steps == 70


def test_numbers_are_listed_in_order_and_once():
    assert numbers_in("2:15") == list(range(2, 16))
    assert numbers_in("8, 2,2:4") == [2, 3, 4, 8]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-d", "two"], "-d two: 'two' is no number of components, give one number (5), a range with both its ends"),
        (["-d", "2:"], "-d 2:: '2:' is no number of components"),
        (["-d", "2,,3"], "-d 2,,3: '' is no number of components"),
        (["-d", "2:3:4"], "'2:3:4' is no number of components"),
        (["-d", "4:2"], "-d 4:2: the range 4:2 ends before it begins"),
        (["-d", "0:3"], "-d 0:3: 0 components are not possible, use at least 1"),
        (["-d", "2:7"], "n_components=7 exceeds n_features=6: the decoder must be injective, try at most 6"),
        (["--seeds", "1"], "seeds=1 is out of range: use at least 2"),
        (["--jobs", "0"], "jobs=0 is out of range"),
        (["--seed", "-1"], "seed -1 is not allowed"),
        (["--holdout", "1"], "holdout=1 is out of range"),
        (["--holdout", "0.5"], "leave 30 rows held out and 15 in each half to fit, at least 50 and "),
        (["--method", "magic"], "'magic' is unknown"),
        (["--method", "auxiliary-ica"], "needs an auxiliary variable and none was given"),
        (["--auxiliary", "batch"], "--auxiliary batch was given and method dica does not use it"),
        (["--config", "data.csv"], "has the unknown ending '.csv'"),
        (["--output", "data.csv"], "not a directory"),
    ],
)
def test_bad_input_is_refused_in_one_line(refused, words, complaint):
    write_small_csv(Path("data.csv"))
    refused(["choose", "data.csv", *(["-d", "2"] if "-d" not in words else []), *words], complaint)
