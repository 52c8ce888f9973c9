"""A cell of a benchmark holds what its fit gave, failures too; a plan that cannot be run is refused."""

from functools import partial

import numpy as np
import pytest
import torch
from benchmark_cases import Counter, Sleeper, broken, data, made, pca, sleeper, without_auxiliary
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from identica import PolytopicFactorization
from identica.experiments.benchmark import (
    COLUMNS,
    BenchmarkPlan,
    Cell,
    DatasetSpec,
    MethodSpec,
    run_benchmark,
)
from identica.metrics import score_components

LINEAR = MethodSpec(pca)


# ---------------------------------------------------------------------------------------------------- one cell


def test_a_row_holds_what_the_fit_gives_on_new_samples(tmp_path):
    (row,) = run_benchmark(BenchmarkPlan({"a": data()}, {"pca": LINEAR}, (3,)), tmp_path)
    simulated = made(100, 3)
    found = PCA(2, random_state=3).fit(simulated.X[:60]).transform(simulated.X[60:])
    expected, _ = score_components(simulated.latents[60:], found)
    assert list(row) == list(COLUMNS)
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert (row["dataset"], row["method"], row["seed"], row["status"]) == ("a", "pca", 3, "ok")
    assert (row["n_samples"], row["n_test_samples"], row["n_components"]) == (60, 40, 2)
    assert row["seconds"] > 0
    assert 0 <= row["dci_disentanglement"] <= 1
    assert (row["error"], row["verdict"], row["reconstruction_error"], row["warnings"]) == (None, None, None, 0)
    assert row["numpy"] == np.__version__


def test_estimators_of_the_library_give_their_signs_inside_a_pipeline_too(tmp_path):
    methods = {
        "polytopic": MethodSpec(lambda dataset: PolytopicFactorization(dataset.n_components)),
        "pipeline": MethodSpec(lambda dataset: make_pipeline(StandardScaler(), Sleeper())),
    }
    pipeline, polytopic = run_benchmark(BenchmarkPlan({"a": data(n_samples=200)}, methods, (0,)), tmp_path)
    assert polytopic["verdict"] in ("sound", "unchecked", "doubtful")
    assert 0 <= polytopic["reconstruction_error"] < 1
    assert pipeline["reconstruction_error"] == 0.25


def test_a_method_that_fails_is_a_row_and_the_others_go_on(tmp_path):
    def unbuildable(dataset):
        raise RuntimeError("two\nlines \ud800")

    methods = {
        "broken": MethodSpec(partial(broken, "no luck")),
        "unbuildable": MethodSpec(unbuildable),
        "pca": LINEAR,
        "none": MethodSpec(lambda dataset: None),
    }
    rows = {row["method"]: row for row in run_benchmark(BenchmarkPlan({"a": data()}, methods, (0,)), tmp_path)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "broken": "failed",
        "unbuildable": "failed",
        "pca": "ok",
        "none": "not applicable",
    }
    assert rows["broken"]["error"] == "ArithmeticError: no luck"
    assert rows["unbuildable"]["error"] == r"RuntimeError: two lines \ud800"
    assert rows["none"]["error"] is rows["none"]["r2_mean"] is rows["broken"]["seconds"] is None


def test_auxiliary_variables_reach_the_methods_that_use_them(tmp_path):
    plan = BenchmarkPlan(
        {"with": data(), "without": data(without_auxiliary)},
        {"told": MethodSpec(sleeper, uses_auxiliary=True), "untold": MethodSpec(sleeper)},
        (0,),
    )
    rows = {(row["dataset"], row["method"]): row for row in run_benchmark(plan, tmp_path)}
    assert rows["without", "told"]["status"] == "not applicable"
    assert rows["with", "untold"]["r2_mean"] == rows["without", "untold"]["r2_mean"]
    # The estimator gives back what it was told, of other samples than those scored on.
    assert rows["with", "told"]["mcc_spearman"] != rows["with", "untold"]["mcc_spearman"]


def test_data_of_another_size_than_asked_for_fail(tmp_path):
    short = data(lambda n_samples, seed: made(n_samples - 1, seed))
    (row,) = run_benchmark(BenchmarkPlan({"a": short}, {"pca": LINEAR}, (0,)), tmp_path)
    assert row["error"].startswith("ValueError: generate() returned 99 samples where 100 were asked for")


def test_a_cell_computes_on_one_thread_whatever_it_is_given(tmp_path):
    torch.set_num_threads(2)
    counter = MethodSpec(lambda dataset: Counter())
    with threadpool_limits(2):
        (row,) = run_benchmark(BenchmarkPlan({"a": data()}, {"counter": counter}, (0,)), tmp_path)
    assert row["reconstruction_error"] == 1
    assert torch.get_num_threads() == 2


# --------------------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"datasets": {}}, ValueError, "no data set was given"),
        ({"methods": {}}, ValueError, "no method was given"),
        ({"seeds": ()}, ValueError, "no seed was given"),
        ({"seeds": (1, 2, 1)}, ValueError, "seed 1 is given twice"),
        ({"seeds": (-1,)}, ValueError, "seed=-1 is out of range"),
        ({"seeds": (0.5,)}, TypeError, "seed=0.5 is not an integer"),
        ({"seeds": 3}, TypeError, r"seeds is of type int, not a list: pass seeds such as \(0, 1, 2\)"),
        ({"datasets": [data()]}, TypeError, "datasets is of type list: pass a dictionary of DatasetSpec by name"),
        ({"datasets": {"a": None}}, TypeError, "the data set 'a' is of type NoneType: pass a DatasetSpec"),
        ({"methods": {"a": data()}}, TypeError, "the method 'a' is of type DatasetSpec: pass a MethodSpec"),
        ({"methods": {7: LINEAR}}, TypeError, "the method 7 has no text for a name: use names such as '7'"),
        ({"methods": {"PCA": LINEAR, "pca": LINEAR}}, ValueError, "'pca' and 'PCA' differ in capitals alone"),
        ({"methods": {"é" * 14: LINEAR}}, ValueError, "has 84 letters in the name of a file: use 1 to 80"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        BenchmarkPlan(**{"datasets": {"a": data()}, "methods": {"pca": LINEAR}, "seeds": (0,), **change})


def test_too_few_samples_to_score_on_are_refused():
    with pytest.raises(ValueError, match="n_test_samples=19 is out of range: use at least 20"):
        DatasetSpec(made, 60, 19, 2)


def test_names_of_files_are_safe_and_tell_cells_apart():
    names = {Cell(*parts, 0).name for parts in (("a+b", "c"), ("a", "b+c"), ("a/b", "c"), ("a_b", "c"), ("a%2Fb", "c"))}
    assert len(names) == 5
    assert all("/" not in name for name in names)


@pytest.mark.parametrize(
    ("blocks", "error", "complaint"),
    [
        ((0, 1), TypeError, "a block is of type int, not a list: pass groups of indices from 0"),
        ("01", TypeError, "blocks is of type str, not a list"),
        (((0, 1), (1, 2)), ValueError, "does not have each true component once"),
        (((1,), (2,)), ValueError, "does not have each true component once"),
        ((), ValueError, "does not have each true component once"),
        (((0.5,),), TypeError, "a component of a block=0.5 is not an integer"),
    ],
)
def test_blocks_are_groups_of_all_components(blocks, error, complaint):
    with pytest.raises(error, match=complaint):
        data(blocks=blocks)
