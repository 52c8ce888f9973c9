"""Covariates and size factors on the command line: columns of the table or of obs, found again wherever needed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_cases import QUICK, small_data

import identica
from identica.cli import main
from identica.cli.held_out import split_rows
from identica.io import DataError, read_table

pytestmark = pytest.mark.filterwarnings("ignore")

X = small_data()
N = len(X)
FEATURES = [f"gene_{j}" for j in range(X.shape[1])]
RANDOM = np.random.default_rng(1)
KNOWN = pd.DataFrame(
    {
        "batch": np.array(["a", "b", "c"])[np.arange(N) % 3],
        "age": RANDOM.normal(50, 9, N),
        "site": 1 + np.arange(N) % 2,
        "year": 1900 + np.arange(N),
        "treated": np.arange(N) % 4 == 0,
        "dose": pd.Categorical(np.array([0.5, 2.0])[np.arange(N) % 2]),
        "depth": RANDOM.uniform(1, 9, N),
    }
)
ENDINGS = [".csv", ".tsv.gz", ".parquet", ".h5ad"]
CHOSEN = ["-d", "2", "--config", "quick.json"]


def write(name, known=KNOWN, features=X, names=FEATURES):
    """Write features and columns beside them, the first of which stands between the features of a table."""
    table = pd.DataFrame(features, columns=names, index=[f"cell_{i}" for i in range(len(features))])
    beside = known.set_axis(table.index)
    if name.endswith(".h5ad"):
        import anndata

        anndata.AnnData(table, obs=beside).write_h5ad(name)
        return
    whole = pd.concat([table.iloc[:, :2], beside, table.iloc[:, 2:]], axis=1)
    if name.endswith(".parquet"):
        whole.to_parquet(name)
    else:
        whole.to_csv(name, sep="\t" if ".tsv" in name else ",")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a quick configuration."""
    monkeypatch.chdir(tmp_path)
    Path("quick.json").write_text(QUICK)
    return tmp_path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of a table with a batch and an age."""
    folder = tmp_path_factory.mktemp("beside")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        Path("quick.json").write_text(QUICK)
        write("data.csv", KNOWN[["batch", "age"]])
        assert main(["fit", "data.csv", *CHOSEN, "--covariates", "batch", "age", "--output", "out"]) == 0
    return folder / "out"


# ------------------------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize("ending", ENDINGS)
def test_kinds_are_those_of_the_file_or_told(here, ending):
    write(f"data{ending}")
    kinds = dict.fromkeys(["batch", "age", "site", "treated", "dose"], "any") | {"year": "number"}
    table = read_table(f"data{ending}", covariates=kinds, size_factors="depth")
    found = table.beside.covariates
    assert list(found) == list(kinds)
    np.testing.assert_array_equal(table.values, X)
    np.testing.assert_array_equal(table.beside.size_factors, KNOWN["depth"])
    for name in ("age", "year"):
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], KNOWN[name])
    for name in ("batch", "site", "treated"):
        assert found[name].tolist() == KNOWN[name].astype(str).tolist()
    # Text does not tell numbers that are categories from other numbers: that has to be said.
    assert found["dose"].tolist() == (KNOWN["dose"].tolist() if ".parquet" not in ending and ending != ".h5ad" else
                                      [str(dose) for dose in KNOWN["dose"]])  # fmt: skip
    told = read_table(f"data{ending}", covariates={"dose": "label"}, without=[*KNOWN]).beside.covariates["dose"]
    assert told.tolist() == [str(dose) for dose in KNOWN["dose"]]
    rows = np.array([4, 2])
    given = table.beside.given(rows)
    assert given["covariates"]["batch"].tolist() == KNOWN["batch"][rows].tolist()
    np.testing.assert_array_equal(given["size_factors"], KNOWN["depth"][rows])


def test_labels_stay_as_text_writes_them(tmp_path):
    (tmp_path / "data.csv").write_text("a;plate;age\n1,5;007;3,5\n2,5;7;4\n")
    table = read_table(tmp_path / "data.csv", covariates={"plate": "any", "age": "any"})
    assert table.beside.covariates["plate"].tolist() == ["007", "7"]
    assert table.beside.covariates["age"].tolist() == [3.5, 4.0]


def test_an_auxiliary_variable_has_the_decimal_sign_of_its_file(tmp_path):
    (tmp_path / "data.csv").write_text("a;time\n1,5;3,5\n2,5;4,25\n")
    assert read_table(tmp_path / "data.csv", auxiliary="time").auxiliary.values.tolist() == [3.5, 4.25]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("column", "values", "asked", "complaint"),
    [
        (
            "batch",
            np.where(np.arange(N) == 7, None, KNOWN["batch"]),
            {"covariates": {"batch": "any"}},
            "is missing, an",
        ),
        ("age", np.where(np.arange(N) == 7, np.nan, 1.5), {"covariates": {"age": "any"}}, "is missing, and 1 such"),
        ("age", np.where(np.arange(N) == 7, np.inf, 1.5), {"covariates": {"age": "any"}}, "is infinite"),
        ("batch", KNOWN["batch"].to_numpy(), {"covariates": {"batch": "number"}}, "is 'a', and a number is needed"),
        ("depth", np.where(np.arange(N) == 7, 0.0, 1.5), {"size_factors": "depth"}, "is 0, and size factors are posit"),
        ("depth", KNOWN["batch"].to_numpy(), {"size_factors": "depth"}, "is 'a', and size factors are positive"),
    ],
)
def test_values_that_cannot_be_used_are_refused_with_their_place(here, ending, column, values, asked, complaint):
    write(f"data{ending}", pd.DataFrame({column: values}))
    with pytest.raises(DataError, match=complaint) as caught:
        read_table(f"data{ending}", **asked)
    row = 0 if "is 'a'" in complaint else 7
    places = {".csv": f"line {row + 2}", ".tsv.gz": f"line {row + 2}", ".h5ad": f"cell 'cell_{row}'"}
    assert f"data{ending}: the value at {places.get(ending, f'row {row} (counted from 0)')}" in str(caught.value)
    assert column in str(caught.value)


@pytest.mark.parametrize("asked", [{"covariates": {"phase": "any"}}, {"size_factors": "phase"}])
def test_complex_numbers_are_neither_labels_nor_depths(here, asked):
    write("data.h5ad", pd.DataFrame({"phase": np.exp(1j * np.arange(N))}))
    with pytest.raises(
        DataError, match=r"obs column 'phase' is .* of a column of complex numbers: give real numbers or l"
    ):
        read_table("data.h5ad", **asked)


def test_dates_are_no_covariate(here):
    write("data.parquet", pd.DataFrame({"day": pd.date_range("2020-01-01", periods=N)}))
    with pytest.raises(DataError, match=r"of type datetime64.* a covariate is of text, whole numbers"):
        read_table("data.parquet", covariates={"day": "any"})


# ------------------------------------------------------------------------------------------------- fit, transform


def test_the_fit_is_that_of_the_library(fitted, capsys):
    train, _ = split_rows(N, 0.1, 0)
    settings = json.loads(QUICK)
    table, known = pd.DataFrame(X, columns=FEATURES), KNOWN[["batch", "age"]]
    estimator = identica.DICA(
        2,
        n_init=1,
        network=identica.Dense(hidden=(8,)),
        training=identica.Training(**settings["training"]),
        random_state=0,
        device="cpu",
    )
    estimator.fit(table.iloc[train], covariates=known.iloc[train])
    np.testing.assert_array_equal(np.load(fitted / "latents.npy"), estimator.transform(table, covariates=known))
    model = identica.load(fitted / "model.safetensors")
    assert list(model.feature_names_in_) == FEATURES
    record = json.loads((fitted / "run.json").read_text())
    assert record["covariates"] == [{"name": "batch", "n_levels": 3}, {"name": "age", "n_levels": None}]
    assert record["depth"] is None
    assert record["held_out_variance_unexplained"]["own_units"]["model"] < 1
    assert "<dt>covariates</dt><dd>batch (3 levels), age (number)</dd>" in (fitted / "report.html").read_text()


@pytest.mark.parametrize("ending", ENDINGS)
def test_transform_finds_the_columns_again(fitted, here, ending):
    write(f"data{ending}", KNOWN[["age", "batch"]])
    words = ["transform", str(fitted / "model.safetensors"), f"data{ending}", "--output", "again.npy"]
    assert main(words) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load(fitted / "latents.npy"))


@pytest.mark.parametrize(
    ("known", "name", "complaint"),
    [
        (KNOWN[["age"]], "data.csv", "data.csv has no column 'batch', which "),
        (KNOWN[["batch"]], "data.parquet", "data.parquet has no column 'age', which "),
        (KNOWN[["age"]], "data.h5ad", "data.h5ad has no column 'batch', which "),
        (KNOWN[["batch", "age"]].replace("c", "d"), "data.csv", "covariate 'batch' has the level 'd', which was not"),
        (KNOWN[["batch", "age"]].assign(age="x"), "data.csv", "line 2, column 'age' is 'x', and a number is needed"),
        (
            KNOWN[["batch", "age", "site"]],
            "data.csv",
            "data.csv has 1 that the model does not know ('site'): give the 6",
        ),
        (None, "data.npy", "data.npy has no column 'batch', which "),
    ],
)
def test_transform_refuses_what_the_model_cannot_take(fitted, refused, known, name, complaint):
    if known is None:
        np.save(name, X)
    else:
        write(name, known)
    remedy = "was fitted with as a covariate: give it for these samples, too"
    of_model = "has no column" in complaint
    refused(["transform", str(fitted / "model.safetensors"), name, "--output", "new/again.npy"], complaint)
    if of_model:
        refused(["transform", str(fitted / "model.safetensors"), name, "--output", "new/again.npy"], remedy)


def test_other_commands_on_the_same_table(fitted, here):
    shutil.copytree(fitted, "out")
    write("data.csv", KNOWN[["batch", "age"]])
    assert main(["check-sdi", "out", "data.csv", "--points", "2", "--time-limit", "5", "--output", "sdi"]) == 0
    truth = pd.DataFrame(RANDOM.normal(size=(N, 2)), columns=["s", "t"]).assign(batch=KNOWN["batch"], age=KNOWN["age"])
    truth.to_csv("true.csv")
    assert main(["report", "out", "--truth", "true.csv"]) == 0
    assert main(["score", "out/latents.npy", "true.csv", "--output", "."]) == 0
    assert len(json.loads(Path("scores.json").read_text())["r2"]) == 2


def test_images_are_traversed_beside_covariates(here):
    images = RANDOM.normal(size=(40, 3, 2))
    known = KNOWN[["batch"]].iloc[:40]
    model = identica.DICA(2, n_init=1, training=identica.Training(max_steps=20), random_state=0)
    model.fit(images, covariates=known).save("model.safetensors")
    pd.DataFrame(images.reshape(40, 6)).add_prefix("p").assign(batch=known).to_csv("pixels.csv", index=False)
    assert main(["traverse", "model.safetensors", "pixels.csv", "--n-steps", "2", "--output", "t"]) == 0
    assert (Path("t") / "influence.png").is_file()


def test_a_finished_fit_is_known_by_its_covariates(fitted, here, capsys):
    shutil.copytree(fitted, "out")
    words = ["fit", "data.csv", *CHOSEN, "--output", "out", "--resume", "--covariates", "batch", "age"]
    write("data.csv", KNOWN[["batch", "age"]])
    assert main(words) == 0
    assert "it is finished: nothing to resume" in capsys.readouterr().out
    write("data.csv", KNOWN[["batch", "age"]].assign(batch=np.roll(KNOWN["batch"], 1)))
    assert main(words) == 2
    assert "holds a finished fit of other data or parameters" in capsys.readouterr().err


def test_other_fits_are_told_what_the_fit_is_told(here, capsys):
    whole = np.vstack([X, X + 0.01 * RANDOM.standard_normal(X.shape), 1.01 * X])
    batch = pd.concat([KNOWN[["batch"]]] * 3, ignore_index=True)
    write("data.csv", batch, whole + 5 * np.outer(batch["batch"] == "a", np.ones(X.shape[1])))
    words = ["data.csv", "-d", "2", "--method", "polytopic", "--covariates", "batch"]
    assert main(["fit", *words, "--cross-check", "--output", "fitted"]) == 0
    assert json.loads(Path("fitted/run.json").read_text())["cross_check"] is not None
    assert main(["choose", *words, "--holdout", "0.5", "--output", "chosen"]) == 0
    assert json.loads(Path("chosen/choose.json").read_text())["covariates"] == ["batch"]
    with np.load("chosen/fits/2-components-seed-0.npz") as kept:
        assert json.loads(str(kept["plain"]))["unexplained"] < 1
    capsys.readouterr()
    assert main(["choose", *words, "--holdout", "0.5", "--batch-key", "day", "--output", "chosen"]) == 2
    assert "data.csv has no column 'day'" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--covariates", "day"], "data.csv has no column 'day', its first columns are 'gene_0'"),
        (["--covariates", "batch", "batch"], "column 'batch' is named twice among covariates and size factors"),
        (["--covariates", "age", "--batch-key", "age"], "column 'age' is named twice among covariates"),
        (["--batch-key", "age", "--size-factor", "age"], "column 'age' is named twice among covariates"),
        (["--covariates", *FEATURES, *KNOWN], "data.csv has no feature left beside the columns that were named"),
        (
            ["--covariates", "batch", "--index-column", "batch"],
            "column 'batch' names the rows, give another one as a c",
        ),
        (
            ["--covariates", "few", "--holdout", "0", "--cross-check"],
            "is 'many' for all samples: leave it out (one of the fits is made to 30 of the samples alone: leave rare",
        ),
        (
            ["--categorical-covariate-keys", "age"],
            "covariate 'age' has 60 different labels in 60 rows, 54 of which are fitted, and several rows must share",
        ),
        (["--covariates", "year"], "must share each label: name it in --continuous-covariate-keys, or leave it out"),
        (["--size-factor", "day"], "'gene_4': name one of its columns as the size factors"),
        (["--continuous-covariate-keys", "batch"], "line 2, column 'batch' is 'a', and a number is needed"),
        (
            ["--size-factor-key", "depth"],
            "--size-factor-key depth is of use for counts, and the likelihood is gaussian",
        ),
        (["--covariates", "rare"], "the level 'z' of covariate 'rare' is only in rows that are held out of the fit"),
        (["--covariates", "same"], "covariate 'same' is 'x' for all samples: leave it out"),
        (["--write-h5ad"], "--write-h5ad writes the cells that were fitted, and data.csv holds none"),
        (
            ["--method", "auxiliary-ica", "--auxiliary", "batch", "--covariates", "batch"],
            "column 'batch' is named twice, also by --auxiliary",
        ),
    ],
)
def test_columns_that_cannot_be_told(refused, words, complaint):
    Path("quick.json").write_text(QUICK)
    rare = np.where(np.arange(N) == split_rows(N, 0.1, 0)[1][0], "z", KNOWN["batch"])
    columns = KNOWN.assign(rare=rare, same="x", few=np.where(np.arange(N) < 2, "few", "many"))
    write("data.csv", columns[[name for name in columns if name in words]])
    refused(["fit", "data.csv", *CHOSEN, "--output", "out", *words], complaint)


def test_a_column_that_occurs_twice_is_refused(refused):
    Path("data.csv").write_text("u,a,u\n1,2,3\n4,5,6\n")
    refused(["fit", "data.csv", "-d", "1", "--covariates", "u", "--output", "out"], "the column name 'u' occurs twice")
    Path("data.csv").write_text("1,2\n4,5\n")
    refused(
        ["fit", "data.csv", "-d", "1", "--covariates", "u", "--output", "out"],
        "since it has no header",
    )


def test_size_factors_of_counts_in_a_table(here, capsys):
    depth = np.exp(RANDOM.normal(0, 0.4, N))
    counts = RANDOM.poisson(np.exp(1 + 0.3 * X) * depth[:, None])
    write("data.csv", pd.DataFrame({"depth": depth}), counts)
    words = ["fit", "data.csv", *CHOSEN, "--likelihood", "residuals", "--size-factor", "depth", "--output", "out"]
    assert main(words) == 0
    assert json.loads(Path("out/run.json").read_text())["depth"] == {"column": "depth", "n_genes": 6}
    assert "depth of samples: column depth" in capsys.readouterr().out
    again = ["transform", "out/model.safetensors", "data.csv", "--output", "again.npy"]
    assert main(again) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("out/latents.npy"))
    # Where the record is gone the column has to be told again.
    shutil.copy("out/model.safetensors", "model.safetensors")
    again[1] = "model.safetensors"
    assert main([*again, "--size-factor-key", "depth"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("out/latents.npy"))
    capsys.readouterr()
    assert main(again) == 2
    assert "name a column of them by --size-factor-key" in capsys.readouterr().err
