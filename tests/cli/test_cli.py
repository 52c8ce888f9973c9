"""Every command writes what it says, and what it says is right."""

import csv
import gzip
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from cli_cases import QUICK, small_data, write_small_csv
from sklearn.decomposition import PCA

import identica
from identica.cli import main
from identica.cli.held_out import split_rows
from identica.cli.simulate import SimulateMixture
from identica.datasets import KINDS, LATENTS, make_mixture
from identica.estimators import METHODS
from identica.io import read_table
from identica.metrics import disentanglement_scores, mean_r2


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit of a named table."""
    folder = tmp_path_factory.mktemp("fitted")
    write_small_csv(folder / "data.csv")
    (folder / "quick.json").write_text(QUICK)
    words = [
        "fit",
        str(folder / "data.csv"),
        "-d",
        "2",
        "--seed",
        "3",
        "--config",
        str(folder / "quick.json"),
    ]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder


def choices(cls, name):
    """Names in the Literal of an argument."""
    import typing

    found = []

    def collect(hint):
        if typing.get_origin(hint) is typing.Literal:
            found.extend(typing.get_args(hint))
        else:
            for part in typing.get_args(hint):
                collect(part)

    collect(typing.get_type_hints(cls, include_extras=True)[name])
    return set(found)


def test_choices_are_those_of_the_library():
    assert choices(SimulateMixture, "kind") == set(KINDS)
    assert choices(SimulateMixture, "latents") == set(LATENTS)


@pytest.mark.parametrize(
    "words",
    [
        *[[], ["fit"], ["transform"], ["score"], ["simulate"], ["simulate", "single-cell"]],
        *[["reproduce"], ["reproduce", "single-cell"], ["benchmark"], ["demo"]],
    ],
)
def test_help(words, capsys):
    assert main([*words, "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("usage: identica")
    assert "Union" not in shown.out
    assert shown.err == ""


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"identica {identica.__version__}\n"


def test_commands_do_not_import_what_only_running_needs():
    code = (
        "import importlib.util, sys, types\n"
        "package = types.ModuleType('identica')\n"
        "package.__path__ = list(importlib.util.find_spec('identica').submodule_search_locations)\n"
        "sys.modules['identica'] = package\n"
        "import identica.cli\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'anndata'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_lie_is_refused_before_anything_is_imported_that_takes_long(tmp_path):
    np.savez(tmp_path / "lie.npz", format=b"csr", shape=[10**9, 10**9], data=[1.0], indices=[0], indptr=[0, 1])
    (tmp_path / "lie.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    (tmp_path / "lie.parquet").write_bytes(b"PAR1" + bytes(200))
    with (tmp_path / "lie.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**5, 10**5)})
    (tmp_path / "lie-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", 10**5, 100, 100))
    (tmp_path / "lie.csv.gz").write_bytes(gzip.compress(bytes(50_000), mtime=0)[:-20])
    names = sorted(path.name for path in tmp_path.iterdir())
    code = (
        "import sys\n"
        "from identica.cli import main\n"
        f"statuses = [main(['fit', name, '-d', '2']) for name in {names}]\n"
        "print(statuses, sorted({'torch', 'sklearn', 'pandas', 'matplotlib', 'anndata'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == "[2, 2, 2, 2, 2, 2] []\n"
    assert [line.startswith("identica: error: lie") for line in run.stderr.splitlines()] == [True] * 6
    assert sorted(path.name for path in tmp_path.iterdir()) == names


# -------------------------------------------------------------------------------------------------------- fit


def test_fit_writes_its_files(fitted):
    names = ["history.csv", "latents.csv", "latents.npy", "model.safetensors", "report.html", "run.json"]
    assert sorted(path.name for path in (fitted / "out").iterdir()) == names


def test_latents_are_those_of_all_rows(fitted):
    model = identica.load(fitted / "out" / "model.safetensors")
    table = read_table(fitted / "data.csv")
    latents = np.load(fitted / "out" / "latents.npy")
    np.testing.assert_array_equal(latents, model.transform(table.named()))
    written = read_table(fitted / "out" / "latents.csv")
    np.testing.assert_array_equal(written.values, latents)
    assert written.feature_names == ("component_0", "component_1")
    assert written.row_names == table.row_names


def test_the_fit_is_the_library_s(fitted):
    table = read_table(fitted / "data.csv")
    train, _ = split_rows(60, 0.1, 3)
    own = identica.DICA(
        2,
        n_init=1,
        network=identica.Dense(hidden=(8,)),
        training=identica.Training(max_steps=40, batch_size=32),
        random_state=3,
    ).fit(table.named().iloc[train])
    np.testing.assert_array_equal(np.load(fitted / "out" / "latents.npy"), own.transform(table.named()))


def test_history_has_all_terms(fitted):
    with (fitted / "out" / "history.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    model = identica.load(fitted / "out" / "model.safetensors")
    assert [record["stage"] for record in records] == [record["stage"] for record in model.history_]
    assert float(records[-1]["loss"]) == model.history_[-1]["loss"]


def test_run_json_says_what_was_done(fitted):
    record = json.loads((fitted / "out" / "run.json").read_text())
    model = identica.load(fitted / "out" / "model.safetensors")
    assert record["seed"] == record["configuration"]["random_state"] == 3
    assert record["configuration"]["method"] == "dica"
    assert record["configuration"]["network"]["hidden"] == [8]
    assert record["data"]["n_samples"] == 60
    assert (record["n_samples_fitted"], record["n_samples_held_out"]) == (54, 6)
    assert record["criterion"] == model.criterion_
    assert record["reconstruction_error"] == model.reconstruction_error_
    assert set(model.durations_) < set(record["durations"])
    assert record["versions"]["identica"] == identica.__version__
    assert record["warnings"] == []


def test_held_out_rows_are_compared_with_pca(fitted):
    record = json.loads((fitted / "out" / "run.json").read_text())
    X = read_table(fitted / "data.csv").values
    train, held_out = split_rows(60, 0.1, 3)
    assert sorted([*train, *held_out]) == list(range(60))
    mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
    model = identica.load(fitted / "out" / "model.safetensors")
    restored = model.reconstruct(read_table(fitted / "data.csv").named())[held_out]
    # PCA sees the data as the model does, and is measured in either unit.
    Z = (X - mean) / deviation
    pca = PCA(2).fit(Z[train])
    by_pca = pca.inverse_transform(pca.transform(Z[held_out])) * deviation + mean
    for unit, scale in (("own_units", 1.0), ("standardised_units", deviation)):
        total = np.square((X[held_out] - mean) / scale).sum()
        wanted = [np.square((made - X[held_out]) / scale).sum() / total for made in (restored, by_pca)]
        shares = record["held_out_variance_unexplained"][unit]
        np.testing.assert_allclose([shares["model"], shares["pca"]], wanted, rtol=1e-8)


def test_the_summary_shows_both(fitted, tmp_path, capsys):
    words = ["fit", str(fitted / "data.csv"), "-d", "2", "--config", str(fitted / "quick.json")]
    assert main([*words, "--output", str(tmp_path)]) == 0
    shares = json.loads((tmp_path / "run.json").read_text())["held_out_variance_unexplained"]
    shown = capsys.readouterr()
    for unit in ("standardised_units", "own_units"):
        line = next(line for line in shown.out.splitlines() if unit.replace("_", " ") in line)
        assert line.split()[-2:] == [f"{shares[unit]['model']:.3g}", f"{shares[unit]['pca']:.3g}"]
    assert "DICA: reconstruct" in shown.err


NEED_U = {name for name, method in METHODS.items() if method().__sklearn_tags__().target_tags.required}


@pytest.mark.parametrize("method", sorted(NEED_U))
def test_a_method_that_needs_an_auxiliary_variable_says_so(refused, method):
    np.save("data.npy", small_data())
    words = ["fit", "data.npy", "-d", "1", "--method", method, "--output", "out"]
    refused(words, "method auxiliary-ica needs an auxiliary variable and none was given: add --auxiliary")


@pytest.mark.parametrize("method", sorted(METHODS.keys() - NEED_U))
def test_fit_of_every_method_without_names(tmp_path, method):
    np.save(tmp_path / "data.npy", small_data().astype(np.float32))
    (tmp_path / "quick.json").write_text('{"device": "cpu"}' if method == "polytopic" else QUICK)
    words = ["fit", str(tmp_path / "data.npy"), "-d", "1", "--method", method, "--holdout", "0"]
    if method == "auxiliary-ica":
        np.save(tmp_path / "u.npy", np.arange(60) % 3)
        words += ["--auxiliary", str(tmp_path / "u.npy")]
    assert main([*words, "--config", str(tmp_path / "quick.json"), "--output", str(tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["configuration"]["method"] == method
    assert record["held_out_variance_unexplained"] is None
    assert np.load(tmp_path / "out" / "latents.npy").shape == (60, 1)
    assert read_table(tmp_path / "out" / "latents.csv").row_names is None


def test_configuration_gives_way_to_the_command_line(fitted, tmp_path):
    (tmp_path / "c.toml").write_text(
        'method = "autoencoder"\nn_components = 3\nrandom_state = 5\n'
        "network = {hidden = [4]}\ntraining = {max_steps = 10}\n"
    )
    words = ["fit", str(fitted / "data.csv"), "--config", str(tmp_path / "c.toml"), "--output", str(tmp_path)]
    assert main(words) == 0
    first = json.loads((tmp_path / "run.json").read_text())["configuration"]
    assert (first["method"], first["n_components"], first["random_state"]) == ("autoencoder", 3, 5)
    assert main([*words, "-d", "1", "--method", "dica", "--seed", "0"]) == 0
    second = json.loads((tmp_path / "run.json").read_text())["configuration"]
    assert (second["method"], second["n_components"], second["random_state"]) == ("dica", 1, 0)
    assert second["network"]["hidden"] == [4]


def test_constant_features_are_named_in_a_warning(tmp_path, capsys):
    X = small_data()
    X[:, 2] = 7
    write_small_csv(tmp_path / "data.csv", X)
    (tmp_path / "quick.json").write_text(QUICK)
    words = ["fit", str(tmp_path / "data.csv"), "-d", "2", "--config", str(tmp_path / "quick.json")]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("identica: warning:")]
    assert len(warned) == 1
    assert "gene_2" in warned[0]
    noted = json.loads((tmp_path / "out" / "run.json").read_text())["warnings"]
    assert [f"identica: warning: {note}" for note in noted] == warned


# --------------------------------------------------------------------------------- transform, score, simulate


def test_transform_gives_the_same_components_in_every_format(fitted, tmp_path):
    expected = np.load(fitted / "out" / "latents.npy")
    for ending in (".npy", ".csv", ".tsv", ".parquet"):
        words = ["transform", str(fitted / "out" / "model.safetensors"), str(fitted / "data.csv")]
        assert main([*words, "--output", str(tmp_path / "new" / f"latents{ending}")]) == 0
        table = read_table(tmp_path / "new" / f"latents{ending}")
        np.testing.assert_array_equal(table.values, expected)
        if ending != ".npy":
            assert table.feature_names == ("component_0", "component_1")
            assert table.row_names[0] == "cell_0"


def test_transform_of_a_table_without_names_warns(fitted, tmp_path, capsys):
    np.save(tmp_path / "data.npy", read_table(fitted / "data.csv").values[:1])
    words = ["transform", str(fitted / "out" / "model.safetensors"), str(tmp_path / "data.npy")]
    assert main([*words, "--output", str(tmp_path / "latents.npy")]) == 0
    np.testing.assert_allclose(
        np.load(tmp_path / "latents.npy"), np.load(fitted / "out" / "latents.npy")[:1], rtol=1e-10
    )
    assert capsys.readouterr().err.count("names no features, they are taken to be the model's") == 1


def test_score(tmp_path, capsys):
    generator = np.random.default_rng(0)
    true = generator.normal(size=(200, 2))
    estimated = np.column_stack([generator.normal(size=200), -np.exp(true[:, 1]), true[:, 0]])
    np.save(tmp_path / "true.npy", true)
    np.save(tmp_path / "estimated.npy", estimated)
    words = [
        "score",
        str(tmp_path / "estimated.npy"),
        str(tmp_path / "true.npy"),
        "--output",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert list(scores)[:3] == ["r2_mean", "mcc_pearson", "mcc_spearman"]
    assert {name: scores[name] for name in list(scores)[3:-2]} == disentanglement_scores(true, estimated)
    assert list(scores)[-2:] == ["r2", "matching"]
    assert scores["matching"] == [2, 1]
    assert scores["r2_mean"] == pytest.approx(mean_r2(true, estimated))
    assert scores["r2_mean"] == pytest.approx(np.mean(scores["r2"]))
    assert scores["mcc_spearman"] == pytest.approx(1)
    assert scores["mcc_pearson"] < 0.99
    told = capsys.readouterr().out
    assert f"mean R2 {scores['r2_mean']:.3f}" in told
    assert f"InfoMEC: modularity {scores['infomec_modularity']:.3f}, compactness " in told
    # DCI needs 20 samples.
    for name in ("true", "estimated"):
        np.save(tmp_path / f"{name}.npy", np.load(tmp_path / f"{name}.npy")[:19])
    assert main(words) == 0
    assert "dci_completeness" not in json.loads((tmp_path / "out" / "scores.json").read_text())
    assert "DCI" not in capsys.readouterr().out


def test_scores_of_rows_with_other_names(tmp_path, capsys):
    for name, row in (("a.csv", "x"), ("b.csv", "cell_x")):
        rows = "".join(f"{row}{i},{i * i % 7}\n" for i in range(20))
        (tmp_path / name).write_text(f",s\n{rows}")
    words = ["score", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "--output", str(tmp_path)]
    assert main(words) == 0
    told = capsys.readouterr().err
    assert "name their rows differently (row 0: 'x0' and 'cell_x0')" in told
    words[2] = words[1]
    assert main(words) == 0
    assert "differently" not in capsys.readouterr().err


def test_score_with_fewer_estimates_than_components(tmp_path):
    true = np.random.default_rng(0).normal(size=(200, 2))
    np.save(tmp_path / "true.npy", true)
    np.save(tmp_path / "estimated.npy", true[:, 1:])
    words = ["score", str(tmp_path / "estimated.npy"), str(tmp_path / "true.npy"), "--output", str(tmp_path)]
    assert main(words) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["matching"] == [None, 0]
    assert scores["r2"][0] == 0


def test_simulate_mixture(tmp_path):
    sizes = ["-n", "20", "-m", "5", "-d", "2"]
    options = ["--kind", "linear", "--latents", "uniform", "--noise", "0.1", "--seed", "4"]
    assert main(["simulate", "mixture", *sizes, *options, "--output", str(tmp_path)]) == 0
    X, latents, jacobians = make_mixture(20, 5, 2, kind="linear", latents="uniform", noise=0.1, random_state=4)
    for name, array in {"X": X, "latents": latents, "jacobians": jacobians}.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), array)
    np.testing.assert_array_equal(read_table(tmp_path / "X.csv").values, X)
    parameters = json.loads((tmp_path / "parameters.json").read_text())
    assert parameters["kind"] == "linear"
    assert parameters["n_features"] == 5
    assert len(list(tmp_path.iterdir())) == 5


def test_demo_is_the_experiment(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("identica.experiments.demo", lambda output, *, seed: calls.append((output, seed)))
    assert main(["demo", "--output", str(tmp_path), "--seed", "7"]) == 0
    assert calls == [(tmp_path, 7)]


def test_the_strength_of_noise_is_passed_on(tmp_path):
    settings = ["simulate", "single-cell", "-n", "30", "-d", "2", "--noise", "sp", "--noise-strength"]
    found = []
    for strength in ("0", "2"):
        assert main([*settings, strength, "--output", str(tmp_path / strength)]) == 0
        found.append(np.load(tmp_path / strength / "X.npy"))
    assert not np.allclose(*found, rtol=0.01)


def counts_file(tmp_path):
    """Write counts of two factors as text, and return where."""
    random = np.random.default_rng(0)
    log_mean = 0.5 + random.uniform(-1, 1, (200, 2)) @ random.uniform(0, 1, (2, 12))
    path = tmp_path / "counts.csv"
    np.savetxt(path, random.poisson(np.exp(log_mean)), fmt="%d", delimiter=",")
    return path


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_counts_are_told_or_recognised(tmp_path, capsys):
    config = tmp_path / "short.json"
    config.write_text('{"n_init": 1, "training": {"max_steps": 32}}')
    shared = ["fit", str(counts_file(tmp_path)), "-d", "2", "--config", str(config)]
    main([*shared, "--output", str(tmp_path / "numbers")])
    assert "give --likelihood poisson if they are counts" in capsys.readouterr().err
    record = json.loads((tmp_path / "numbers" / "run.json").read_text())
    assert any("as raw counts are" in text for text in record["warnings"])
    main([*shared, "--likelihood", "poisson", "--output", str(tmp_path / "counts")])
    record = json.loads((tmp_path / "counts" / "run.json").read_text())
    assert record["configuration"]["likelihood"] == "poisson"
    assert not any("as raw counts are" in text for text in record["warnings"])
    for command in (
        ["transform", "--output", str(tmp_path / "out.csv")],
        ["report", "--output", str(tmp_path / "r.html")],
    ):
        main([command[0], str(tmp_path / "counts" / "model.safetensors"), str(tmp_path / "counts.csv"), *command[1:]])
    found = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(found, np.load(tmp_path / "counts" / "latents.npy"), atol=1e-6)
    capsys.readouterr()
    assert main([*shared, "--likelihood", "binomial", "--output", str(tmp_path / "bad")]) == 2
    assert "likelihood='binomial' is not known: use one of gaussian, residuals, poisson" in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()
