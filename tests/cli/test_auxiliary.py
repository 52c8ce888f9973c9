"""An auxiliary variable on the command line: a column of the table or of obs, or a file beside arrays."""

import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_cases import QUICK, small_data

import identica
from identica.cli import main
from identica.cli.held_out import split_rows
from identica.io import read_table

pytestmark = pytest.mark.filterwarnings("ignore")

X = small_data()
FEATURES = [f"gene_{j}" for j in range(X.shape[1])]
BATCH = np.array(["a", "b", "c"])[np.arange(len(X)) % 3]
TIME = np.random.default_rng(1).normal(size=len(X))
CHOSEN = ["-d", "2", "--method", "auxiliary-ica", "--config", "quick.json"]


def frame(**columns):
    """The small table with more columns, the first of them between its features."""
    table = pd.DataFrame(X, columns=FEATURES, index=[f"cell_{i}" for i in range(len(X))])
    for position, (name, values) in zip((2, 0, 0), columns.items(), strict=False):
        table.insert(position, name, values)
    return table


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with a quick configuration."""
    monkeypatch.chdir(tmp_path)
    Path("quick.json").write_text(QUICK)
    return tmp_path


def write(name, **columns):
    """Write the small table and columns beside its features in the format of a file's ending."""
    table = frame(**columns)
    match Path(name).suffix:
        case ".csv":
            table.to_csv(name)
        case ".tsv":
            table.to_csv(name, sep="\t")
        case ".parquet":
            table.to_parquet(name)
        case ".h5ad":
            import anndata

            anndata.AnnData(table[FEATURES], obs=table.drop(columns=FEATURES)).write_h5ad(name)


def of_the_library(auxiliary, named=True):
    """The fit that the command should be, and the components that it gives to all rows."""
    train, _ = split_rows(len(X), 0.1, 0)
    table = frame() if named else pd.DataFrame(X)
    estimator = identica.AuxiliaryICA(
        2,
        n_init=1,
        network=identica.Dense(hidden=(8,)),
        training=identica.Training(max_steps=40, batch_size=32),
        random_state=0,
    )
    given = table if named else table.to_numpy()
    estimator.fit(given.iloc[train] if named else given[train], np.asarray(auxiliary)[train])
    return estimator.transform(given)


# -------------------------------------------------------------------------------------------- where it comes from


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".h5ad"])
def test_a_column_is_taken_out_of_the_features_and_told(here, ending):
    write(f"data{ending}", batch=BATCH)
    assert main(["fit", f"data{ending}", "--auxiliary", "batch", *CHOSEN, "--output", "out"]) == 0
    model = identica.load("out/model.safetensors")
    assert list(model.feature_names_in_) == FEATURES
    assert (model.auxiliary_name_, model.auxiliary_levels_) == ("batch", ["a", "b", "c"])
    np.testing.assert_array_equal(np.load("out/latents.npy"), of_the_library(BATCH))
    assert read_table("out/latents.csv").row_names == tuple(f"cell_{i}" for i in range(len(X)))
    record = json.loads(Path("out/run.json").read_text())
    assert record["auxiliary"] == {"path": f"data{ending}", "column": "batch", "n_levels": 3}
    assert record["data"]["n_features"] == X.shape[1]


def test_arrays_have_it_in_a_file_of_its_own(here, capsys):
    np.save("data.npy", X)
    np.savez("data.npz", X)
    np.save("batch.npy", BATCH)
    for data in ("data.npy", "data.npz"):
        assert main(["fit", data, "--auxiliary", "batch.npy", *CHOSEN, "--output", data[-3:]]) == 0
        np.testing.assert_array_equal(np.load(f"{data[-3:]}/latents.npy"), of_the_library(BATCH, named=False))
        record = json.loads(Path(data[-3:], "run.json").read_text())
        assert record["auxiliary"] == {"path": "batch.npy", "column": None, "n_levels": 3}
    assert "auxiliary variable: batch.npy, 3 levels" in capsys.readouterr().out


def test_images_have_it_in_an_idx_file(here):
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4)).astype(np.uint8)
    labels = (np.arange(40) % 2).astype(np.uint8)
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        Path(name).write_bytes(header + array.tobytes())
    words = ["fit", "train-images-idx3-ubyte", "--auxiliary", "train-labels-idx1-ubyte", *CHOSEN]
    assert main([*words, "--output", "out"]) == 0
    model = identica.load("out/model.safetensors")
    assert (model.sample_shape_, model.auxiliary_levels_) == ((4, 4), [0, 1])


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (np.arange(60) % 3, [0, 1, 2]),
        (np.arange(60) % 2 == 0, [False, True]),
        (BATCH, ["a", "b", "c"]),
        (np.array(["1_0", "10"])[np.arange(60) % 2], ["10", "1_0"]),  # one number for Python, and two labels
        (TIME, None),
        ((np.arange(60) % 3).astype(float), None),
    ],
)
def test_labels_are_told_from_numbers(here, values, levels):
    files = [".csv", ".tsv", ".parquet", ".h5ad"]
    for ending in files:
        write(f"data{ending}", u=values)
    np.save("data.npy", X)
    np.save("u.npy", values)
    found = [read_table(f"data{ending}", auxiliary="u") for ending in files]
    found.append(read_table("data.npy", auxiliary="u.npy"))
    for table in found:
        told = table.auxiliary.values
        if levels is None:
            assert told.dtype == np.float64
            np.testing.assert_array_equal(told, values)
            np.testing.assert_array_equal(table.auxiliary.rows(np.array([3, 1])), values[[3, 1]])
        else:
            assert told.dtype.kind != "f"
            # Text files do not tell booleans from words.
            expected = (
                values if table.path.suffix not in (".csv", ".tsv") or values.dtype != bool else values.astype(str)
            )
            assert told.tolist() == expected.tolist()
        np.testing.assert_array_equal(table.values, X)


def test_numbers_that_are_categories_are_labels(here):
    write("data.h5ad", dose=pd.Categorical(np.array([0.5, 2.0])[np.arange(60) % 2]))
    assert main(["fit", "data.h5ad", "--auxiliary", "dose", *CHOSEN, "--output", "out"]) == 0
    assert identica.load("out/model.safetensors").auxiliary_levels_ == [0.5, 2.0]


def test_a_number_is_told_as_a_number(here):
    write("data.csv", time=TIME)
    assert main(["fit", "data.csv", "--auxiliary", "time", *CHOSEN, "--output", "out"]) == 0
    assert identica.load("out/model.safetensors").auxiliary_levels_ is None
    np.testing.assert_array_equal(np.load("out/latents.npy"), of_the_library(TIME))
    assert json.loads(Path("out/run.json").read_text())["auxiliary"]["n_levels"] is None


def test_the_index_column_may_be_another(here):
    frame(batch=BATCH).reset_index(names="cell").to_csv("data.csv", index=False)
    words = ["fit", "data.csv", "--index-column", "cell", "--auxiliary", "batch", *CHOSEN, "--output", "out"]
    assert main(words) == 0
    assert read_table("out/latents.csv").row_names[:2] == ("cell_0", "cell_1")
    words = ["transform", "out/model.safetensors", "data.csv", "--index-column", "cell", "--output", "again.npy"]
    assert main(words) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("out/latents.npy"))


# ------------------------------------------------------------------------------------------------- what it needs


@pytest.mark.parametrize(
    ("data", "words", "complaint"),
    [
        ("data.csv", [], "method auxiliary-ica needs an auxiliary variable and none was given: add --auxiliary with"),
        ("data.csv", ["--auxiliary", "day"], "data.csv has no column 'day', its first columns are 'gene_0'"),
        ("data.tsv", ["--auxiliary", "day"], "data.tsv has no column 'day', its first columns are 'gene_0'"),
        ("data.parquet", ["--auxiliary", "day"], "data.parquet has no column 'day', its first columns are 'gene_0'"),
        ("data.h5ad", ["--auxiliary", "day"], "data.h5ad has no column 'day' in obs, whose first columns are 'batch'"),
        ("data.h5ad", ["--auxiliary", "gene_0"], "data.h5ad has no column 'gene_0' in obs"),
        (
            "data.csv",
            ["--auxiliary", "batch", "--method", "dica"],
            "--auxiliary batch was given and method dica does not use it: leave it out, or choose a method that does: "
            "auxiliary-ica",
        ),
        ("data.csv", ["--auxiliary", "batch", "--index-column", "batch"], "column 'batch' names the rows"),
        ("same.csv", ["--auxiliary", "same"], "the auxiliary variable is 'x' for all samples"),
        (
            "bare.csv",
            ["--auxiliary", "batch"],
            "bare.csv has no column 'batch', since it has no header",
        ),
        ("data.npy", ["--auxiliary", "batch"], "batch has not the ending of a .npy or IDX file, and data.npy has no"),
        ("data.npy", ["--auxiliary", "none.npy"], "none.npy does not exist, and data.npy has no columns with names"),
        ("data.npy", ["--auxiliary", "short.npy"], "short.npy has 59 values and data.npy has 60 rows, give one value"),
        ("data.npy", ["--auxiliary", "wide.npy"], "wide.npy holds an array of shape (60, 2), give one value for each"),
        ("data.npy", ["--auxiliary", "hole.npy"], "its value at row 7 (counted from 0) is missing, and 1 such are"),
        ("data.npy", ["--auxiliary", "inf.npy"], "its value at row 7 (counted from 0) is infinite"),
        ("data.npy", ["--auxiliary", "objects.npy"], "objects.npy holds pickled Python objects"),
        (
            "data.npy",
            ["--auxiliary", "dates.npy"],
            "dates.npy holds values of type datetime64[D], give text or integers",
        ),
        ("data.npy", ["--auxiliary", "broken.npy"], "broken.npy is not a .npy file"),
    ],
)
def test_what_cannot_be_told_is_refused(refused, data, words, complaint):
    Path("quick.json").write_text(QUICK)
    if data not in ("data.npy", "bare.csv", "same.csv"):
        write(data, batch=BATCH)
    write("same.csv", same=["x"] * len(X))
    np.savetxt("bare.csv", X, delimiter=",")
    np.save("data.npy", X)
    np.save("short.npy", BATCH[1:])
    np.save("wide.npy", X[:, :2])
    np.save("hole.npy", np.where(np.arange(60) == 7, np.nan, TIME))
    np.save("inf.npy", np.where(np.arange(60) == 7, np.inf, TIME))
    np.save("objects.npy", BATCH.astype(object), allow_pickle=True)
    np.save("dates.npy", np.arange(60).astype("datetime64[D]"))
    Path("broken.npy").write_bytes(b"nothing")
    refused(["fit", data, *CHOSEN, "--output", "out", *words], complaint)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".h5ad"])
def test_missing_values_are_refused_wherever_they_are(refused, ending):
    Path("quick.json").write_text(QUICK)
    words = ["fit", f"data{ending}", "--auxiliary", "batch", *CHOSEN, "--output", "out"]
    # Among the rows that are held out, too.
    for row in (7, int(split_rows(len(X), 0.1, 0)[1][0])):
        write(f"data{ending}", batch=np.where(np.arange(60) == row, None, BATCH))
        text = ending in (".csv", ".tsv")
        place = f"line {row + 2}, column 'batch'" if text else f"column 'batch' at row {row} (counted from 0)"
        refused(words, f"{place} is missing, and ")


def test_dates_are_neither_labels_nor_numbers(refused):
    Path("quick.json").write_text(QUICK)
    write("data.parquet", day=pd.date_range("2020-01-01", periods=60))
    words = ["fit", "data.parquet", "--auxiliary", "day", *CHOSEN, "--output", "out"]
    refused(words, "column 'day', the auxiliary variable, holds values of type datetime64")


def test_a_column_named_twice_is_refused(refused):
    Path("quick.json").write_text(QUICK)
    Path("data.csv").write_text("u,a,u\n1,2,3\n4,5,6\n")
    refused(["fit", "data.csv", "--auxiliary", "u", *CHOSEN, "--output", "out"], "the column name 'u' occurs twice")


def test_other_columns_must_be_numbers_as_before(refused):
    Path("quick.json").write_text(QUICK)
    write("data.csv", batch=BATCH, donor=BATCH)
    words = ["fit", "data.csv", "--auxiliary", "batch", *CHOSEN, "--output", "out"]
    refused(words, "column 'donor' is not numeric (line 2 holds 'a')")
    write("data.parquet", batch=BATCH, donor=BATCH)
    words[1] = "data.parquet"
    refused(words, "column 'donor' is not numeric")


def test_the_file_is_not_written_over(refused):
    Path("quick.json").write_text(QUICK)
    Path("out").mkdir()
    np.save("data.npy", X)
    np.save("out/latents.npy", BATCH)
    words = ["fit", "data.npy", "--auxiliary", "out/latents.npy", *CHOSEN, "--output", "out"]
    refused(words, "output out/latents.npy is the file out/latents.npy that is read and would be lost")


# -------------------------------------------------------------------------------------------------- going on


def test_a_finished_fit_is_known_by_its_auxiliary_variable(here, capsys):
    write("data.csv", batch=BATCH, donor=np.roll(BATCH, 1))
    frame(batch=BATCH).to_csv("same.csv")
    words = ["fit", "same.csv", "--auxiliary", "batch", *CHOSEN, "--output", "out", "--resume"]
    assert main(words) == 0
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert main(words) == 0
    assert "it is finished: nothing to resume" in capsys.readouterr().out
    changed = BATCH.copy()
    changed[5] = "a"
    for column, values in (("batch", changed), ("donor", BATCH)):
        frame(**{column: values}).to_csv("same.csv")
        assert main([*words, "--auxiliary", column]) == 2
        assert "holds a finished fit of other data or parameters" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == before


def test_an_unfinished_fit_is_not_gone_on_with_for_another_variable(here, capsys, monkeypatch):
    write("data.csv", batch=BATCH)
    words = ["fit", "data.csv", "--auxiliary", "batch", *CHOSEN, "--output", "out"]

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(identica.AuxiliaryICA, "save", full)
        assert main(words) == 2
    assert Path("out/checkpoint.safetensors").exists()
    changed = BATCH.copy()
    changed[split_rows(len(X), 0.1, 0)[0][0]] = "b"
    write("other.csv", batch=changed)
    capsys.readouterr()
    assert main(["fit", "other.csv", *words[2:], "--resume"]) == 2
    assert "the checkpoint was written by a fit of other data" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    np.testing.assert_array_equal(np.load("out/latents.npy"), of_the_library(BATCH))


# --------------------------------------------------------------------------- other commands on the same table


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of a table with the column batch."""
    folder = tmp_path_factory.mktemp("auxiliary")
    (folder / "quick.json").write_text(QUICK)
    frame(batch=BATCH).to_csv(folder / "data.csv")
    words = ["fit", str(folder / "data.csv"), "--auxiliary", "batch", *CHOSEN[:-1], str(folder / "quick.json")]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".h5ad"])
def test_transform_leaves_the_column_out_where_it_is(fitted, here, ending):
    write(f"with{ending}", batch=BATCH)
    write(f"without{ending}")
    write(f"numbers{ending}", batch=np.arange(60) % 3)
    for name in ("with", "without", "numbers"):
        words = ["transform", str(fitted / "out" / "model.safetensors"), f"{name}{ending}", "--output", f"{name}.npy"]
        assert main(words) == 0
        np.testing.assert_array_equal(np.load(f"{name}.npy"), np.load(fitted / "out" / "latents.npy"))


def test_transform_leaves_out_no_other_column(fitted, here, capsys):
    model = str(fitted / "out" / "model.safetensors")
    for column, complaint in (
        (BATCH, "column 'donor' is not numeric"),
        (TIME, "has 1 that the model does not know ('donor')"),
    ):
        write("data.csv", donor=column)
        assert main(["transform", model, "data.csv", "--output", "latents.npy"]) == 2
        assert complaint in capsys.readouterr().err
    assert not Path("latents.npy").exists()


def test_a_feature_of_the_same_name_stays(here):
    # obs and var of a .h5ad file may have the same names.
    import anndata

    anndata.AnnData(frame(), obs=pd.DataFrame({"gene_0": BATCH}, index=frame().index)).write_h5ad("data.h5ad")
    assert main(["fit", "data.h5ad", "--auxiliary", "gene_0", *CHOSEN, "--output", "out"]) == 0
    write("data.csv")
    assert main(["transform", "out/model.safetensors", "data.csv", "--output", "again.npy"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("out/latents.npy"))


def test_the_page_names_it(fitted, tmp_path):
    page = (fitted / "out" / "report.html").read_text()
    assert "<dt>auxiliary variable</dt><dd>batch, 3 levels</dd>" in page
    shutil.copytree(fitted / "out", tmp_path / "copy")
    (tmp_path / "copy" / "report.html").unlink()
    truth = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["s", "t"])
    truth.assign(batch=BATCH).to_csv(tmp_path / "true.csv")
    assert main(["report", str(tmp_path / "copy"), "--truth", str(tmp_path / "true.csv")]) == 0
    page = (tmp_path / "copy" / "report.html").read_text()
    assert "<dt>auxiliary variable</dt><dd>batch, 3 levels</dd>" in page
    assert re.findall(r">(s|t|batch)</text>", page) == ["s", "t"]


def test_score_leaves_the_column_out_of_the_truth(fitted, tmp_path, capsys):
    truth = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["s", "t"], index=frame().index)
    found = []
    for name, table in (("plain.csv", truth), ("column.csv", truth.assign(batch=BATCH))):
        table.to_csv(tmp_path / name)
        words = ["score", str(fitted / "out" / "latents.npy"), str(tmp_path / name), "--output", str(tmp_path)]
        assert main(words) == 0
        found.append(json.loads((tmp_path / "scores.json").read_text()))
    assert found[0] == found[1]
    assert len(found[0]["r2"]) == 2
    truth.assign(donor=BATCH).to_csv(tmp_path / "other.csv")
    assert main(["score", str(fitted / "out" / "latents.npy"), str(tmp_path / "other.csv")]) == 2
    assert "column 'donor' is not numeric" in capsys.readouterr().err


def test_traverse_takes_rows_of_pixels_beside_it(here):
    images = np.random.default_rng(0).normal(size=(40, 3, 2))
    labels = pd.Series(BATCH[:40], name="batch")
    model = identica.AuxiliaryICA(2, n_init=1, training=identica.Training(max_steps=20), random_state=0)
    model.fit(images, labels).save("model.safetensors")
    pixels = pd.DataFrame(images.reshape(40, 6)).add_prefix("p").assign(batch=labels)
    pixels.to_csv("pixels.csv", index=False)
    assert main(["traverse", "model.safetensors", "pixels.csv", "--n-steps", "2", "--output", "t"]) == 0
    assert sorted(path.name for path in Path("t").iterdir()) == ["influence.png", "traversal_0.gif", "traversal_0.png"]
