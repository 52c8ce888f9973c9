"""Nonlinear ICA with an auxiliary variable: what it asks of u, what it keeps of it, and when u tells nothing."""

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from methods import METHODS
from sklearn.base import clone

import identica
from identica import Autoencoder, AuxiliaryICA, Contrastive, Training, Variational
from identica.datasets import make_nonstationary
from identica.estimators import configuration

DATA = make_nonstationary(400, 2, n_features=5, n_segments=4, random_state=0)
METHOD = {name: METHODS[name] for name in ("contrastive", "variational")}
every_solver = pytest.mark.parametrize("method", METHOD.values(), ids=METHOD.keys())
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@every_solver
@pytest.mark.parametrize(
    ("u", "levels"),
    [
        (DATA.auxiliary, [0, 1, 2, 3]),
        (DATA.auxiliary % 2 == 0, [False, True]),
        (pd.Categorical(np.array(list("abcd"))[DATA.auxiliary]), ["a", "b", "c", "d"]),
        (np.linspace(0, 1, 400), None),
        (np.random.default_rng(0).standard_normal((400, 3)), None),
    ],
    ids=["integers", "booleans", "categories", "numbers", "several numbers"],
)
def test_takes_labels_and_numbers_and_keeps_the_levels_in_its_file(method, u, levels, tmp_path):
    fitted = clone(method).fit(DATA.X, u)
    assert fitted.auxiliary_levels_ == levels
    fitted.save(tmp_path / "model.safetensors")
    loaded = identica.load(tmp_path / "model.safetensors")
    assert loaded.auxiliary_levels_ == levels
    np.testing.assert_array_equal(loaded.transform(DATA.X), fitted.transform(DATA.X))


@every_solver
def test_names_of_labels_do_not_matter_and_labels_themselves_do(method):
    plain = clone(method).fit(DATA.X, DATA.auxiliary).transform(DATA.X)
    named = clone(method).fit(DATA.X, np.array(list("abcd"))[DATA.auxiliary]).transform(DATA.X)
    other = clone(method).fit(DATA.X, DATA.auxiliary[::-1] // 2).transform(DATA.X)
    np.testing.assert_array_equal(named, plain)
    assert not np.array_equal(other, plain)


@every_solver
@pytest.mark.parametrize(
    ("u", "words"),
    [
        (None, r"AuxiliaryICA requires y to be passed.*call fit\(X, u\)"),
        (DATA.auxiliary[:-1], r"has the shape \(399,\) and X has 400 samples: give one row for each sample"),
        (np.zeros(400, dtype=int), "is 0 for all samples"),
        (np.array(list("abcd"))[np.array([DATA.auxiliary] * 2).T], "combine the labels of a row into one"),
    ],
    ids=["none", "short", "constant", "labels in two columns"],
)
def test_refuses_u_that_it_cannot_use(method, u, words):
    with pytest.raises(ValueError, match=words):
        clone(method).fit(DATA.X, u)


def test_its_learning_rate_holds_where_a_training_gives_none(tmp_path):
    quick = Training(max_steps=8, refit_samples=0)
    rates = {}
    for rate in (None, 0.01, 0.002):
        method = AuxiliaryICA(2, n_init=1, training=replace(quick, learning_rate=rate), random_state=0)
        assert clone(method).training == method.training
        rates[rate] = fitted = method.fit(DATA.X, DATA.auxiliary)
        assert configuration(fitted)["training"]["learning_rate"] == (rate or 0.01)
        fitted.save(tmp_path / "model.safetensors")
        assert identica.load(tmp_path / "model.safetensors").training.learning_rate == (rate or 0.01)
    latents = {rate: fitted.transform(DATA.X) for rate, fitted in rates.items()}
    np.testing.assert_array_equal(latents[None], latents[0.01])
    assert not np.allclose(latents[None], latents[0.002])
    assert configuration(Autoencoder(training=quick))["training"]["learning_rate"] == 0.002
    assert configuration(AuxiliaryICA())["training"]["learning_rate"] == 0.01


@pytest.mark.parametrize("name", ["u", "auxiliary", "sample_weight"])
@pytest.mark.parametrize("fit", ["fit", "fit_transform"])
def test_u_by_another_name_is_told_its_place(name, fit):
    method = AuxiliaryICA(2)
    with pytest.raises(
        TypeError, match=rf"AuxiliaryICA.fit has no parameter '{name}', .*: pass u as y, in fit\(X, u\) or"
    ):
        getattr(method, fit)(DATA.X, **{name: DATA.auxiliary})
    assert not hasattr(method, "encoder_")


@every_solver
def test_rows_left_out_take_their_u_along(method):
    wild = np.vstack([DATA.X[:100], np.full((1, 5), 1e6), DATA.X[100:]])
    u = np.insert(DATA.auxiliary, 100, 3)
    with pytest.warns(UserWarning, match="100"):
        dropped = clone(method).fit(wild, u)
    assert dropped.wild_rows_.tolist() == [100]
    plain = clone(method).fit(DATA.X, DATA.auxiliary)
    np.testing.assert_array_equal(dropped.transform(DATA.X), plain.transform(DATA.X))


@every_solver
def test_a_checkpoint_of_another_u_is_refused(method, tmp_path):
    path = tmp_path / "fit.safetensors"
    clone(method).fit(DATA.X, DATA.auxiliary, checkpoint=path)
    with pytest.raises(ValueError, match="other data or with other parameters"):
        clone(method).fit(DATA.X, DATA.auxiliary[::-1], checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("solver", "error", "words"),
    [
        ("staged", ValueError, "solver='staged' is not known here: use one of contrastive, variational"),
        (identica.Staged(), TypeError, r"use Contrastive\(...\) or Variational\(...\)"),
    ],
)
def test_other_solvers_are_refused(solver, error, words):
    with pytest.raises(error, match=words):
        AuxiliaryICA(2, solver=solver).fit(DATA.X, DATA.auxiliary)


def test_only_methods_that_use_u_look_at_it():
    plain = clone(METHODS["autoencoder"])
    assert not plain.__sklearn_tags__().target_tags.required
    with warnings.catch_warnings():
        np.testing.assert_array_equal(
            clone(plain).fit(DATA.X, "no label").transform(DATA.X), clone(plain).fit(DATA.X).transform(DATA.X)
        )
    assert isinstance(plain, Autoencoder)
    assert AuxiliaryICA(2).__sklearn_tags__().target_tags.required


def test_a_word_is_short_for_the_solver():
    quick = clone(METHODS["variational"])
    by_word = clone(quick).set_params(solver="variational").fit(DATA.X, DATA.auxiliary)
    by_object = clone(quick).set_params(solver=Variational()).fit(DATA.X, DATA.auxiliary)
    np.testing.assert_array_equal(by_word.transform(DATA.X), by_object.transform(DATA.X))


@pytest.mark.parametrize("solver", ["contrastive", "variational"])
def test_the_start_with_the_lowest_held_out_loss_is_kept(solver):
    data = make_nonstationary(1200, 2, n_features=5, n_segments=8, n_layers=1, random_state=0)
    training = Training(max_steps=600)
    fitted = AuxiliaryICA(2, n_init=3, solver=solver, training=training, random_state=0).fit(data.X, data.auxiliary)
    finished = [record for record in fitted.starts_ if record["finished"]]
    assert len({record["criterion"] for record in finished}) == len(finished) == 2
    least = min(record["reconstruction_error"] for record in finished)
    good = [record for record in finished if record["reconstruction_error"] <= 1.25 * least + 2e-3]
    (kept,) = [record for record in finished if record["kept"]]
    assert kept["criterion"] == fitted.criterion_ == max(record["criterion"] for record in good)
    # The criterion is minus the loss on held-out rows, which is near that on the rows of the last epoch.
    last = fitted.history_[-1]["loss"]
    assert fitted.criterion_ == pytest.approx(-last, abs=0.3 * abs(last))
    best, other = sorted((record["criterion"] for record in finished), reverse=True)
    assert best - other < abs(last)


@pytest.mark.parametrize(("solver", "stage"), [(Contrastive(), "contrast"), (Variational(), "bound")])
def test_a_start_is_worth_minus_its_held_out_loss(solver, stage):
    start = SimpleNamespace(results={stage: {"loss": torch.tensor(1.5)}})
    assert solver.value(start) == -1.5
