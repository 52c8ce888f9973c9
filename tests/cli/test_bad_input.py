"""Bad input: one line on standard error, nothing written, status 2."""

from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, small_data, write_small_csv

from identica.cli import main


def holed(row, column, value):
    X = small_data()
    X[row, column] = value
    return X


@pytest.mark.parametrize(
    ("X", "complaint"),
    [
        (holed(3, 1, np.nan), "NaN (a missing value) at row 3, column 1"),
        (holed(4, 2, -np.inf), "an infinite value at row 4, column 2"),
        (small_data()[:1], "data.npy has 1 row, a fit needs a minimum of 2"),
        (np.ones((5, 3)), "constant"),
        (small_data().astype(complex), "complex numbers"),
        (small_data()[None], "data.npy has 1 row, a fit needs a minimum of 2"),
        (small_data()[None, None, None], "5 dimensions"),
        (small_data().astype(str), "text"),
    ],
)
def test_arrays_that_cannot_be_fitted(refused, X, complaint):
    np.save("data.npy", X)
    refused(["fit", "data.npy", "-d", "2", "--output", "new/out"], complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 fields where 2 are expected"),
        ("a,b\n1,2\n3,x\n", "column 'b' is not numeric"),
        ("a,b\n1,2\n3,nan\n", "the value at line 3, column 'b' is missing"),
        ("a,b\n1,2\n3,\n", "the value at line 3, column 'b' is missing"),
        ('"a\nb",b\n1,2\n-inf,4\n', "the value at line 4, column 'a\\nb' is infinite"),
        ("a,b\n1,2\n3,1;5\n" + "1,2\n" * 60, "column 'b' holds '1;5' at line 3 and fields are separated by commas"),
        ("a,a\n1,2\n3,4\n", "'a' occurs twice"),
        ('a,b\n1,"1,000.5"\n3,4\n', "column 'b' holds '1,000.5' at line 2, whose thousands seem to be set apart"),
        ("a,b\n1,12'000\n3,4\n", "column 'b' holds \"12'000\" at line 2, whose thousands seem to be set apart"),
        ("", "is empty"),
        ("a,b\n", "is empty"),
        ("a,b\n1,2\n", "data.csv has 1 row, a fit needs a minimum of 2: samples go into rows"),
    ],
)
def test_text_files_that_cannot_be_fitted(refused, text, complaint):
    Path("data.csv").write_text(text)
    refused(["fit", "data.csv", "-d", "1", "--output", "out"], complaint)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-d", "0"], "n_components=0 is not possible, use at least 1"),
        (["-d", "-3"], "n_components=-3 is not possible"),
        (["-d", "7"], "n_components=7 exceeds n_features=6"),
        (["-d", "two"], "error: -d/--n-components: 'two' is not possible, give a whole number; For full helptext"),
        ([], "the number of components is not given, add -d N"),
        (["-d", "2", "--seed", "1.5"], "error: --seed: '1.5' is not possible, give a whole number; For full"),
        (["-d", "2", "--holdout", "many"], "error: --holdout: 'many' is not possible, give a number; For full"),
        (["-d", "2", "--holdout", "0.999"], "holdout=0.999 leaves 0 of 60 rows to fit on, use a smaller share"),
        (["-d", "2", "--output", ""], "an empty word was given after --output: give a value"),
        (["-d", "2", "--output="], "an empty word was given"),
        (["-d", "2", "--seed", "-1"], "seed -1 is not allowed"),
        (["-d", "2", "--seed", str(2**32)], "is not allowed, use an integer from 0 to 2**32 - 1"),
        (["-d", "2", "--holdout", "1"], "holdout=1.0 is not a share of the rows"),
        (["-d", "2", "--holdout", "nan"], "holdout=nan is not a share of the rows"),
        (["-d", "2", "--threads", "0"], "threads=0 is not possible"),
        (["-d", "2", "--threads", "100000"], "threads=100000 is not possible here, use 1 to"),
        (["-d", "2", "--device", "abacus"], "device='abacus' is not usable here"),
        (["-d", "2", "--layer", "counts"], "layer='counts' is for .h5ad, .zarr files"),
        (["-d", "2", "--index-column", "cell"], "has no column 'cell'"),
        (["-d", "2", "--method", "magic"], "'magic' is unknown: use one of autoencoder, auxiliary-ica, "),
        (["-d", "2", "--colour", "red"], "Unrecognized options: --colour"),
    ],
)
def test_arguments_that_cannot_be(refused, words, complaint):
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "--output", "out", *words], complaint)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            [],
            "Expected one of {fit, choose, transform, traverse, score, report, check-sdi, simulate, reproduce, "
            "benchmark, demo}",
        ),
        (["nonsense"], "Unrecognized options: nonsense"),
        (["fit"], "Missing from identica fit: FILE"),
        (["score", "one.npy"], "Missing from identica score"),
        (["simulate", "weather", "--output", "out"], "weather"),
        (["simulate", "mixture"], "--output DIR"),
        (["fit", "none.csv", "-d", "2"], "none.csv does not exist"),
        (["fit", ".", "-d", "2"], ". is a directory, give a file"),
        (["demo", "--seed", "-1", "--output", "out"], "seed -1 is not allowed, use an integer from 0 to 2**32 - 1"),
        (["simulate", "mixture", "--output", "out", "--seed", "-1"], "seed -1 is not allowed"),
        (["score", "a.npy", "b.npy", "--seed", "-1"], "seed -1 is not allowed"),
        (["reproduce", "mixture", "--output", "o", "--methods"], "--methods names none: name some, or leave it out"),
        (["reproduce", "mixture", "--output", "o", "--methods", "magic"], "method 'magic' is unknown: use pca, "),
        (["reproduce", "single-cell", "--output", "o", "-n", "1"], "n_samples=1 is not possible, use at least 2"),
        (["reproduce", "single-cell", "--output", "o", "--seeds", "0"], "seeds=0 is not possible, use at least 1"),
        *(
            (
                [command, "single-cell", "--output", "o", "--noise-strength", "2"],
                "strength 2 was given without --noise:",
            )
            for command in ("simulate", "reproduce")
        ),
        (["reproduce", "single-cell", "--output", "o", "-d", "5000"], "error: -d 5000 is out of range: use from 1"),
        (["reproduce", "single-cell", "--output", "o", "--dropout", "-1"], "error: --dropout -1 is out of range: use"),
        (["simulate", "single-cell", "--output", "o", "-n", "0"], "error: -n 0 is out of range: use at least 1"),
        (["simulate", "single-cell", "--output", "o", "--outliers", "2"], "error: --outliers 2 is out of range: use"),
        *(
            (["simulate", "single-cell", "--output", "o", option, value], f"error: {option} {value} is out of range")
            for option, value in (("--fold", "1"), ("--hill", "-1"), ("--cross-talk", "-1"), ("--n-bins", "2000"))
        ),
        *(
            (["simulate", "single-cell", "--output", "o", "-n", "9", "-d", "2", *words], complaint)
            for words, complaint in (
                (["--types", "0"], "error: --types 0 is out of range: use from 1 to 9"),
                (["--batches", "10"], "error: --batches 10 is out of range: use from 1 to 9"),
                (["--types", "some"], "--types: 'some' is not possible, give a whole"),
                (["--types", "2", "--within-types", "1.5"], "error: --within-types 1.5 is out of range: use"),
                (["--batches", "2", "--batch-shift", "-1"], "error: --batch-shift -1 is out of range: use"),
                (["--doublets", "nan"], "error: --doublets nan is out of range: use a finite"),
                (["--within-types", "0.2"], "error: --within-types 0.2 was given without --types: give --types, 2 or"),
                (["--batch-shift", "0.2"], "error: --batch-shift 0.2 was given without --batches: give --batches, 2"),
                (
                    ["--n-bins", "2", "--types", "3"],
                    "error: --n-bins 2 and --types 3 were both given: cells are of one",
                ),
                (["--preset", "20x"], "invalid choice '20x' for argument '--preset'"),
                (
                    ["--preset", "10x", "--dropout", "50", "--counts"],
                    "error: --preset 10x has technical noise of its own, and was given with --dropout and --counts: l",
                ),
            )
        ),
        (
            ["reproduce", "single-cell", "--output", "o", "--library-size", "-50", "--counts", "-n", "9", "-d", "2"],
            "the noise leaves no expression in any cell: use a larger --library-size",
        ),
        (["simulate", "single-cell", "--output", "o", "--library-size", "999"], "error: --library-size 999 is out of"),
        (
            ["simulate", "single-cell", "--output", "o", "--library-size", "90", "--counts", "-n", "9", "-d", "2"],
            "too much for counts: use a smaller --library-size",
        ),
        (
            ["reproduce", "single-cell", "--output", "o", "--library-size", "90", "--counts", "-d", "2", "-n", "9"],
            "too much for counts: use a smaller --library-size",
        ),
        *(
            (["reproduce", *words, "--output", "o", "-n", "4"], f"n_samples=4 is less than the {n} components to look")
            for words, n in ((["mixture"], 5), (["sprites"], 5), (["single-cell", "-d", "7"], 7))
        ),
        (["simulate", "mixture", "-n", "1.5", "--output", "o"], "-n/--n-samples: '1.5' is not possible, give a whole"),
        (
            ["simulate", "mixture", "--output", "o", "--latents", "foo"],
            "invalid choice 'foo' for argument '--latents'. Expected one of ('uniform', 'dependent', 'gaussian')",
        ),
        (
            ["simulate", "mixture", "--output", "o", "--latents", "uniform", "--correlation", "0.9"],
            "correlation=0.9 was given for latents='uniform', which are independent",
        ),
    ],
)
def test_usage(refused, words, complaint):
    refused(words, complaint)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("c.yaml", "", "unknown ending '.yaml', use .toml or .json"),
        ("c.json", "{", "is not valid JSON"),
        ("c.toml", "= 3", "is not valid TOML"),
        ("c.json", "[1]", "holds no parameters"),
        ("c.json", '{"widht": 3}', "no parameter 'widht'"),
        ("c.json", '{"training": {"steps": 3}}', "no parameter 'steps'"),
        ("c.json", '{"training": {"max_steps": 0}}', "max_steps=0"),
        ("c.json", '{"training": {"refit_samples": "x"}}', "refit_samples='x' is not an integer"),
        ("c.json", '{"training": {"checkpoint_seconds": "x"}}', "checkpoint_seconds='x' is not a number"),
        ("c.json", '{"training": {"learning_rate": "fast"}}', "learning_rate='fast' is not a number"),
        ("c.json", '{"training": {"dtype": []}}', "dtype=[] is not known: use one of float32, float64"),
        ("c.json", '{"network": {"hidden": 5}}', "hidden=5 is no sequence"),
        ("c.json", '{"network": {"activation": []}}', "activation=[] is not known"),
        ("c.json", '{"network": 3}', "network=3"),
        ("c.json", '{"method": "pca"}', "'pca' is unknown"),
        ("c.json", '{"n_restarts": "many"}', "n_restarts"),
        ("c.json", '{"random_state": "dice"}', "seed 'dice' is not allowed"),
    ],
)
def test_configurations_that_cannot_be_used(refused, name, text, complaint):
    write_small_csv(Path("data.csv"))
    Path(name).write_text(text)
    refused(["fit", "data.csv", "-d", "2", "--config", name, "--output", "out"], complaint)


def test_a_configuration_without_a_number_of_components(refused):
    write_small_csv(Path("data.csv"))
    Path("c.json").write_text('{"n_components": true}')
    refused(["fit", "data.csv", "--config", "c.json", "--output", "out"], "n_components=True is not a number")


def test_a_configuration_that_is_not_there(refused):
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "-d", "2", "--config", "c.toml"], "c.toml cannot be read")


@pytest.mark.parametrize(
    ("output", "complaint"), [("data.csv", "is not a directory"), ("/proc/none", "cannot be written")]
)
@pytest.mark.parametrize(
    "words",
    [["fit", "data.csv", "-d", "2"], ["simulate", "mixture", "-n", "9"], ["score", "data.csv", "data.csv"]],
)
def test_output_directories_that_cannot_be_written(refused, words, output, complaint):
    write_small_csv(Path("data.csv"))
    refused([*words, "--output", output], complaint)


def test_fit_does_not_write_over_what_it_reads(refused):
    folder = Path("out")
    folder.mkdir()
    np.save(folder / "latents.npy", small_data())
    write_small_csv(folder / "history.csv")
    (folder / "run.json").write_text(QUICK)
    Path("linked.npy").symlink_to(folder / "latents.npy")
    lost = "that is read and would be lost, write to another place"
    for data in ("out/latents.npy", "linked.npy", "out/history.csv"):
        refused(["fit", data, "-d", "2", "--output", "out"], lost)
    write_small_csv(Path("data.csv"))
    refused(["fit", "data.csv", "-d", "2", "--config", "out/run.json", "--output", "out"], lost)


def test_simulate_and_score_do_not_write_over_what_they_read(refused):
    Path("regulon.tsv").write_text("source\ttarget\tweight\nA\tB\t1\nA\tC\t-1\n")
    words = ["simulate", "single-cell", "-d", "1", "--regulon", "regulon.tsv", "--output", "."]
    refused(words, "output regulon.tsv is the file regulon.tsv")


# ------------------------------------------------------------------------------------------------------ score


def test_scores_of_different_rows(refused):
    np.save("a.npy", small_data())
    np.save("b.npy", small_data()[:-1])
    refused(["score", "a.npy", "b.npy", "--output", "out"], "a.npy has 60 rows and b.npy has 59")
    Path("a.csv").write_text(",s\nx,1\ny,2\n")
    Path("b.csv").write_text(",s\ny,1\nx,2\n")
    refused(["score", "a.csv", "b.csv", "--output", "out"], "name the same rows in another order")


def test_a_traceback_on_request(monkeypatch):
    monkeypatch.setenv("IDENTICA_TRACEBACK", "1")
    with pytest.raises(ValueError, match=r"none\.csv does not exist"):
        main(["fit", "none.csv", "-d", "2"])


def test_a_path_is_not_taken_for_an_option(refused):
    Path("n_factors").write_text("a file")
    for command in ("reproduce", "simulate"):
        refused([command, "single-cell", "--output", "n_factors", "-d", "2", "-n", "9"], "n_factors is not a directory")
