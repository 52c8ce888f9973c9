"""AnnData on the command line: counts recognised, depth over all genes, files in and files out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from cli_cases import QUICK

import identica
from identica.cli import cells, main
from identica.cli.held_out import split_rows
from identica.cli.observations import recognise_counts
from identica.cli.reading import Reading

anndata = pytest.importorskip("anndata")
pytestmark = pytest.mark.filterwarnings("ignore")

N, M = 90, 14
GENES = [f"gene_{j}" for j in range(M)]
MARKED = np.arange(M) % 7 != 3
CHOSEN = ["-d", "2", "--config", "quick.json"]


def counts():
    """Counts of two factors, two batches and depths that vary."""
    random = np.random.default_rng(0)
    factors = random.uniform(-1, 1, (N, 2)) @ random.uniform(0, 1, (2, M))
    shift = 0.5 * random.normal(size=(2, M))[np.arange(N) % 2]
    return random.poisson(np.exp(1 + factors + shift + 0.3 * random.normal(size=(N, 1)))).astype(np.float32)


COUNTS = counts()


def make_cells(marked=True):
    """Cells whose X is on a logarithmic scale, as scanpy leaves it, and whose counts are in a layer."""
    obs = pd.DataFrame(
        {"donor": pd.Categorical(np.array(["p", "q"])[np.arange(N) % 2]), "depth": COUNTS.sum(axis=1) / 50},
        index=[f"cell_{i}" for i in range(N)],
    )
    result = anndata.AnnData(np.log1p(COUNTS), obs=obs, var=pd.DataFrame(index=GENES))
    if marked:
        result.var["highly_variable"] = MARKED
    result.layers["counts"] = scipy.sparse.csr_matrix(COUNTS)
    result.obsm["X_umap"] = COUNTS[:, :2]
    result.uns["note"] = {"by": "somebody"}
    return result


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of the counts of marked genes, with the file that it leaves."""
    folder = tmp_path_factory.mktemp("cells")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        Path("quick.json").write_text(QUICK)
        make_cells().write_h5ad("cells.h5ad")
        words = ["fit", "cells.h5ad", "--layer", "counts", "--batch-key", "donor", *CHOSEN, "--write-h5ad"]
        assert main([*words, "--output", "out"]) == 0
    return folder


@pytest.fixture
def here(fitted, tmp_path, monkeypatch):
    """A folder to work in, with what the fit has left."""
    shutil.copytree(fitted, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_fit_is_that_of_the_library_as_tl_dica_makes_it(fitted):
    record = json.loads((fitted / "out" / "run.json").read_text())
    assert record["configuration"]["likelihood"] == "poisson"
    assert record["depth"] == {"column": None, "n_genes": M}
    assert any(
        "raw counts, whole numbers, which are fitted with the likelihood poisson" in t for t in record["warnings"]
    )
    assert any("12 of 14 genes are marked" in text for text in record["warnings"])
    model = identica.load(fitted / "out" / "model.safetensors")
    assert list(model.feature_names_in_) == [name for name, each in zip(GENES, MARKED, strict=True) if each]
    frame = pd.DataFrame(COUNTS[:, MARKED], columns=model.feature_names_in_)
    known = {"covariates": pd.DataFrame({"donor": make_cells().obs["donor"].astype(str)})}
    latents = np.load(fitted / "out" / "latents.npy")
    np.testing.assert_allclose(
        latents, model.transform(frame, **known, size_factors=COUNTS.sum(axis=1).astype(float)), atol=1e-6
    )
    with pytest.raises(ValueError, match="totals cannot replace"):
        model.transform(frame, **known)


def test_the_file_that_is_left_is_the_one_read_and_what_tl_dica_writes(fitted):
    before, after = anndata.read_h5ad(fitted / "cells.h5ad"), anndata.read_h5ad(fitted / "out" / "cells.h5ad")
    np.testing.assert_array_equal(after.obsm["X_dica"], np.load(fitted / "out" / "latents.npy"))
    made = make_cells()
    identica.tl.dica(
        made, 2, layer="counts", batch_key="donor", n_init=1, training=identica.Training(max_steps=40), device="cpu"
    )
    assert set(after.uns["dica"]["params"]) == set(made.uns["dica"]["params"])
    for name, value in made.uns["dica"]["params"].items():
        assert np.array_equal(after.uns["dica"]["params"][name], value), name
    assert set(after.uns["dica"]) == set(made.uns["dica"]) >= {"components", "net", "gene_sets"}
    assert after.varm["dica_influence"].shape == made.varm["dica_influence"].shape
    np.testing.assert_array_equal(after.varm["dica_influence"].any(axis=1), MARKED)
    # Nine of ten cells were fitted on.
    np.testing.assert_allclose(after.var["dica_scale"], made.var["dica_scale"], rtol=0.3)
    np.testing.assert_array_equal(after.X, before.X)
    np.testing.assert_array_equal(after.layers["counts"].toarray(), COUNTS)
    np.testing.assert_array_equal(after.obsm["X_umap"], before.obsm["X_umap"])
    assert after.uns["note"] == {"by": "somebody"}
    pd.testing.assert_frame_equal(after.obs, before.obs)


@pytest.mark.parametrize("name", ["cells.h5ad", "cells.zarr", "more.h5ad"])
def test_transform_finds_genes_columns_layer_and_depth_again(here, name):
    if name == "cells.zarr":
        make_cells().write_zarr(name)
    elif name == "more.h5ad":  # in another order, and not marked
        make_cells(marked=False)[:, GENES[::-1]].copy().write_h5ad(name)
    assert main(["transform", "out/model.safetensors", name, "--output", "new/X.h5ad"]) == 0
    found = anndata.read_h5ad("new/X.h5ad")
    np.testing.assert_allclose(found.obsm["X_dica"], np.load("out/latents.npy"), atol=1e-6)
    assert found.shape == (N, M)
    assert set(found.layers) == {"counts"}
    assert main(["transform", "out/model.safetensors", name, "--output", "X.csv"]) == 0
    np.testing.assert_allclose(pd.read_csv("X.csv", index_col=0), np.load("out/latents.npy"), atol=1e-6)


def test_values_that_are_no_counts_are_told_to_a_model_of_counts(here, capsys):
    assert main(["transform", "out/model.safetensors", "cells.h5ad", "--layer", "X", "--output", "X.npy"]) == 0
    assert "the model is of counts, and cells.h5ad holds fractions" in capsys.readouterr().err


def test_a_column_of_size_factors_is_remembered(here):
    words = ["fit", "cells.h5ad", "--layer", "counts", "--size-factor-key", "depth", "--genes", "all", *CHOSEN]
    assert main([*words, "--output", "depth"]) == 0
    assert json.loads(Path("depth/run.json").read_text())["depth"] == {"column": "depth", "n_genes": M}
    assert main(["transform", "depth/model.safetensors", "cells.h5ad", "--output", "X.npy"]) == 0
    np.testing.assert_array_equal(np.load("X.npy"), np.load("depth/latents.npy"))
    changed = make_cells()
    del changed.obs["depth"]
    changed.write_h5ad("without.h5ad")
    assert main(["transform", "depth/model.safetensors", "without.h5ad", "--output", "Y.npy"]) == 2
    assert not Path("Y.npy").exists()


def test_size_factors_in_another_unit_than_the_model_s_totals_are_told(here, capsys):
    words = ["transform", "out/model.safetensors", "cells.h5ad", "--size-factor-key", "depth", "--output", "X.npy"]
    assert main(words) == 0
    assert "the model's depths are totals over 14 genes, and the size factors of cells.h5ad" in capsys.readouterr().err
    Path("out/run.json").unlink()
    assert main(words[:3] + words[5:]) == 2
    assert (
        "no run.json beside it says which: put that file there, or, in transform, name a column"
        in capsys.readouterr().err
    )


def test_by_default_there_are_as_many_components_as_tl_dica_takes(here, capsys):
    words = ["fit", "cells.h5ad", "--layer", "counts", "--batch-key", "donor", "--config", "quick.json"]
    assert main([*words, "--output", "default"]) == 0
    made = make_cells()
    fitted = made[split_rows(N, 0.1, 0)[0]].copy()
    identica.tl.dica(fitted, layer="counts", batch_key="donor", n_init=1, training=identica.Training(max_steps=1))
    assert np.load("default/latents.npy").shape == (N, fitted.obsm["X_dica"].shape[1])
    told = capsys.readouterr().err
    assert "looked for, as identica.tl.dica does where no number is given: give -d" in told
    assert "of these counts stand out" not in told  # what is chosen by default is not complained of


def test_another_method_is_written_under_its_name(here):
    words = ["fit", "cells.h5ad", "--method", "polytopic", "-d", "2", "--output", "linear", "--write-h5ad"]
    assert main(words) == 0
    left = anndata.read_h5ad("linear/cells.h5ad")
    assert left.obsm["X_polytopic"].shape == (N, 2)
    assert left.varm["polytopic_influence"].shape == (M, 2)


def test_a_finished_fit_is_looked_at_for_its_cells(here, capsys):
    words = ["fit", "cells.h5ad", "--layer", "counts", "--batch-key", "donor", *CHOSEN, "--output", "out", "--resume"]
    assert main([*words, "--write-h5ad"]) == 0
    assert "nothing to resume" in capsys.readouterr().out
    Path("out/cells.h5ad").unlink()
    assert main([*words, "--write-h5ad"]) == 2
    assert "holds a finished fit whose cells.h5ad is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["fit", "cells.h5ad", "--batch-key", "plate", *CHOSEN],
            "has no column 'plate' in obs, whose first columns are",
        ),
        (["fit", "cells.h5ad", "--layer", "raw", *CHOSEN], "has no layer 'raw', its layers are: counts; without one X"),
        (["fit", "cells.h5ad", "--genes", "few", *CHOSEN], "--genes few is not known: use highly-variable or all"),
        (
            ["fit", "bare.h5ad", "--genes", "highly-variable", *CHOSEN],
            'bare.h5ad: --genes highly-variable needs var["h',
        ),
        (
            ["fit", "cells.h5ad", "--max-memory", "4KiB", *CHOSEN],
            "cells.h5ad holds a part of a dense matrix of shape (9",
        ),
        (
            ["fit", "cells.h5ad", "--max-memory", "99", *CHOSEN],
            "the names in var of shape (14,), which takes 112 bytes",
        ),
        (
            ["fit", "cells.h5ad", "--max-memory", "x", *CHOSEN],
            "--max-memory=x is no size: give bytes, or a number with",
        ),
        (
            ["fit", "cells.h5ad", "--size-factor-key", "depth", *CHOSEN],
            "is of use for counts, and the likelihood is gau",
        ),
        (
            ["fit", "cells.h5ad", "--write-h5ad", *CHOSEN, "--output", "."],
            "cells.h5ad is the file cells.h5ad that is re",
        ),
        (
            ["transform", "m.safetensors", "cells.h5ad", "--output", "cells.h5ad"],
            "cells.h5ad is the file cells.h5ad tha",
        ),
        (
            ["transform", "m.safetensors", "cells.csv", "--output", "X.h5ad"],
            "output X.h5ad is of cells, and cells.csv ha",
        ),
        (
            ["fit", "own.h5ad", "--write-h5ad", *CHOSEN],
            "own.h5ad: uns['dica'] holds something else: delete it before, or",
        ),
        (
            ["transform", "m.safetensors", "own.h5ad", "--output", "X.h5ad"],
            "own.h5ad: uns['dica'] holds something else: delete it before, or give an output with another ending",
        ),
        (["fit", "cells.h5ad", "--covariates", *CHOSEN], "--covariates was given without a name: name one column or"),
        (
            ["fit", "cells.h5ad", "--size-factor-key", "donor", *CHOSEN],
            "obs column 'donor' is 'p', and size factors are positive numbers: name a column that holds such",
        ),
        (["transform", "m.safetensors", "cells.h5ad", "--output", "X.zarr"], ".npy, .csv, .tsv, .parquet, .h5ad"),
        (["transform", "m.safetensors", "cells.h5ad", "--output", "X.h5"], "has the unknown ending '.h5', use one of"),
        (
            ["transform", "m.safetensors", "few.h5ad", "--output", "X.h5ad"],
            "few.h5ad lacks 3 of the 12 genes that the m",
        ),
        (
            ["transform", "m.safetensors", "few.h5ad", "--output", "."],
            "output . is a directory, give the name of a file",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(fitted, tmp_path, monkeypatch, capsys, words, complaint):
    monkeypatch.chdir(tmp_path)
    Path("quick.json").write_text(QUICK)
    shutil.copy(fitted / "out" / "model.safetensors", "m.safetensors")
    shutil.copy(fitted / "out" / "run.json", "run.json")
    make_cells().write_h5ad("cells.h5ad")
    make_cells(marked=False).write_h5ad("bare.h5ad")
    make_cells()[:, 3:].copy().write_h5ad("few.h5ad")
    own = make_cells()
    own.uns["dica"], own.obsm["X_dica"] = {"mine": 1}, COUNTS[:, :2]
    own.write_h5ad("own.h5ad")
    pd.DataFrame(COUNTS, columns=GENES).to_csv("cells.csv")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    capsys.readouterr()
    assert main([*words, *([] if "--output" in words else ["--output", "new"])]) == 2
    # Warnings come before the complaint where the file has been read.
    *warned, last = capsys.readouterr().err.splitlines()
    assert all(line.startswith("identica: warning: ") for line in warned)
    assert last.startswith("identica: error: ")
    assert complaint in last
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_depths_over_genes_that_a_table_lacks(fitted, refused):
    shutil.copytree(fitted / "out", "out")
    table = pd.DataFrame(COUNTS[:, MARKED], columns=np.array(GENES)[MARKED]).assign(donor=["p", "q"] * (N // 2))
    table.to_csv("cells.csv")
    words = ["transform", "out/model.safetensors", "cells.csv", "--output", "X.npy"]
    refused(words, "the model's depths are totals over 14 genes, of which cells.csv has 12: give a .h5ad file")
    table.assign(total=COUNTS.sum(axis=1)).to_csv("cells.csv")
    assert main([*words, "--size-factor", "total"]) == 0
    np.testing.assert_allclose(np.load("X.npy"), np.load("out/latents.npy"), atol=1e-6)


def test_a_file_of_cells_is_written_whole_or_not_at_all(here, monkeypatch, capsys):
    before = {path.name for path in Path().iterdir()}
    Path("X.h5ad").write_text("as it was")
    monkeypatch.setattr(cells, "_add", lambda *_: (_ for _ in ()).throw(RuntimeError("can't write data")))
    assert main(["transform", "out/model.safetensors", "cells.h5ad", "--output", "X.h5ad"]) == 2
    assert "X.h5ad cannot be written from cells.h5ad (can't write data)" in capsys.readouterr().err
    assert Path("X.h5ad").read_text() == "as it was"
    assert {path.name for path in Path().iterdir()} == before | {"X.h5ad"}


# ------------------------------------------------------------------------------- counts, whatever file they are in


@pytest.mark.parametrize(
    "ending", [".npy", ".npz", ".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".h5ad", ".zarr", "layer"]
)
def test_counts_are_recognised_in_every_kind_of_file(tmp_path, ending):
    path = tmp_path / f"data{'.h5ad' if ending == 'layer' else ending}"
    values = np.where(COUNTS < 2, 0, COUNTS)
    frame = pd.DataFrame(values, columns=GENES).astype(int)
    match ending:
        case ".npy":
            np.save(path, values)
        case ".npz":
            scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(values))
        case ".parquet":
            frame.to_parquet(path)
        case ".h5ad" | ".zarr":
            data = anndata.AnnData(scipy.sparse.csc_matrix(values))
            data.write_h5ad(path) if ending == ".h5ad" else data.write_zarr(path)
        case "layer":
            make_cells().write_h5ad(path)
        case _:
            frame.to_csv(path, sep="," if "csv" in ending else "\t")
    table = Reading(layer="counts" if ending == "layer" else None).table(path)
    in_cells = ending in (".h5ad", ".zarr", "layer")
    said = "raw counts, whole numbers, which are fitted with" if in_cells else "give --likelihood poisson if they are c"
    with pytest.warns(UserWarning, match=said):
        found = recognise_counts(identica.DICA(2), table, told=False)
    assert found.likelihood == ("poisson" if in_cells else "gaussian")
    with pytest.warns(UserWarning, match="give --likelihood poisson if they are counts"):
        assert recognise_counts(identica.PolytopicFactorization(2), table, told=False).likelihood == "gaussian"
    assert recognise_counts(identica.DICA(2), table, told=True).likelihood == "gaussian"
    table.values[0, :2] = -1
    with pytest.warns(UserWarning, match=r"2 values are negative and the others look like raw counts"):
        assert recognise_counts(identica.DICA(2), table, told=False).likelihood == "gaussian"


def test_logarithms_are_no_counts(fitted):
    table = Reading().table(fitted / "cells.h5ad")
    assert recognise_counts(identica.DICA(2), table, told=False).likelihood == "gaussian"


def test_only_genes_that_are_fitted_are_held(fitted, monkeypatch):
    shapes = []
    monkeypatch.setattr(
        "identica.io.budget.Budget.check", lambda self, path, shape, dtype, what="": shapes.append((*shape, dtype))
    )
    table = Reading(layer="counts").table(fitted / "cells.h5ad")
    # Beside names and columns, which are text and short.
    assert [shape for shape in shapes if len(shape) == 3] == [(N, 12, np.float32)]
    np.testing.assert_array_equal(table.values, COUNTS[:, MARKED])


def test_cells_of_a_file_older_than_anndata_0_7(tmp_path, monkeypatch):
    # As scanpy's pbmc68k_reduced is.
    import h5py

    monkeypatch.chdir(tmp_path)
    Path("quick.json").write_text(QUICK)
    with h5py.File("old.h5ad", "w") as file:
        file["X"] = np.log1p(COUNTS)
        batches = [(f"c{i}".encode(), b"pq"[i % 2 : i % 2 + 1]) for i in range(N)]
        file["obs"] = np.array(batches, dtype=[("index", "S4"), ("donor", "S1")])
        file["var"] = np.array([(name.encode(),) for name in GENES], dtype=[("index", "S8")])
    words = ["fit", "old.h5ad", "--batch-key", "donor", *CHOSEN, "--write-h5ad", "--output", "out"]
    assert main(words) == 0
    left = anndata.read_h5ad("out/old.h5ad")
    np.testing.assert_array_equal(left.obsm["X_dica"], np.load("out/latents.npy"))
    np.testing.assert_array_equal(left.X, np.log1p(COUNTS))


def test_a_gene_name_that_is_there_twice_is_refused_before_the_fit(here, refused):
    twice = make_cells()
    twice.var_names = [GENES[-1] if name == GENES[0] else name for name in GENES]
    twice.write_h5ad("twice.h5ad")
    words = ["fit", "twice.h5ad", "--layer", "counts", "--genes", "all", *CHOSEN, "--output", "never"]
    refused(words, "occurs several times")
    assert not Path("never").exists()


def test_cells_with_another_fit_keep_nothing_of_it(here):
    words = ["transform", "out/model.safetensors", "out/cells.h5ad", "--output", "again.h5ad"]
    assert main(words) == 0
    again = anndata.read_h5ad("again.h5ad")
    assert "X_dica" in again.obsm
    assert "dica" not in again.uns
    assert "dica_influence" not in again.varm
    assert "dica_scale" not in again.var
    assert again.uns["note"] == {"by": "somebody"}


def test_a_fit_that_fails_leaves_no_sign_of_the_one_before(here, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cells, "_add", full)
    words = ["fit", "cells.h5ad", "--layer", "counts", "--batch-key", "donor", *CHOSEN, "--write-h5ad"]
    assert main([*words, "--output", "out"]) == 2
    assert not Path("out/run.json").exists()
