"""Laws that every method obeys."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from methods import METHODS, QUICK, auxiliary_of
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

import identica
from identica import DICA, Autoencoder, Staged, Training
from identica.datasets import make_mixture
from identica.estimators import configuration, from_configuration
from identica.estimators.building import build_framed
from identica.metrics import mean_r2
from identica.preparation import Basis
from identica.solvers import alignment
from identica.solvers.alignment import climb
from identica.trust import pointwise

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
TRAINED = {name: method for name, method in METHODS.items() if "training" in method.get_params()}
every_trained_method = pytest.mark.parametrize("method", TRAINED.values(), ids=TRAINED.keys())
MIXTURE = make_mixture(300, 12, 2, random_state=0)


def fit(method, X, **options):
    """Fit a copy of a method, with an auxiliary variable where it needs one."""
    return clone(method).fit(X, auxiliary_of(method, X.shape[0]), **options)


def ignore_signs_of_short_trainings():
    """Trainings short enough for tests end anywhere."""
    for sign in (
        "restarts of the alignment",
        "starts that were trained to the end",
        "it has not learnt the data",
        "it overfits",
        "nearly functions of each other",
        "hardly move any feature",
    ):
        warnings.filterwarnings("ignore", message=f".*{sign}")


@pytest.fixture(autouse=True)
def few_restarts_may_disagree():
    with warnings.catch_warnings():
        ignore_signs_of_short_trainings()
        yield


def shortest(method):
    """Return the method with one start of few steps: what scikit-learn asks, of some hundred fits, is no recovery."""
    short = {"n_init": 1, "training": replace(QUICK, max_steps=16)}
    return clone(method).set_params(**{name: value for name, value in short.items() if name in method.get_params()})


# Rows that differ in an option of the same solver keep it alike, and the checks make some hundred fits.
OF_EACH_SOLVER = {(type(method), type(method._solver())): method for method in reversed(METHODS.values())}


@pytest.mark.parametrize(
    "method", OF_EACH_SOLVER.values(), ids=lambda method: f"{method.method}-{method._solver().kind}"
)
def test_keeps_the_contract_of_scikit_learn(method, monkeypatch):
    # The checks are of an estimator's manners, whatever it finds: a tenth of the steps of each alignment will do.
    def short(value, turns, n_steps, learning_rate, **follow):
        climb(value, turns, n_steps // 10, learning_rate, **follow)

    for module in (alignment, pointwise):
        monkeypatch.setattr(module, "climb", short)
    before = np.random.get_state()  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(shortest(method))
    np.random.set_state(before)  # noqa: NPY002  # the checks themselves draw from it


@every_method
def test_is_determined_by_its_seed_and_leaves_its_parameters_alone(method):
    first, second = fit(method, MIXTURE.X), fit(method, MIXTURE.X)
    np.testing.assert_array_equal(first.transform(MIXTURE.X), second.transform(MIXTURE.X))
    other = fit(clone(method).set_params(random_state=1), MIXTURE.X)
    assert not np.array_equal(first.transform(MIXTURE.X), other.transform(MIXTURE.X))


@every_method
def test_takes_sparse_matrices_as_the_dense_ones_that_they_are(method):
    X = np.where(np.median(MIXTURE.X, axis=0) < MIXTURE.X, MIXTURE.X, 0)
    dense, sparse = fit(method, X), fit(method, scipy.sparse.csc_array(X))
    np.testing.assert_array_equal(sparse.transform(scipy.sparse.csr_matrix(X)), dense.transform(X))
    assert sparse.reconstruction_error_ == dense.reconstruction_error_


def test_a_sparse_matrix_that_would_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 1)
    with pytest.raises(ValueError, match=r"X is a sparse matrix of shape \(300, 12\), .* choose fewer features"):
        DICA(2).fit(scipy.sparse.csr_array(MIXTURE.X))


@every_method
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_survives_saving(method, dtype, tmp_path):
    X = MIXTURE.X.astype(dtype)
    fitted = fit(method, X)
    fitted.save(tmp_path / "model.safetensors")
    loaded = identica.load(tmp_path / "model.safetensors")
    assert type(loaded) is type(method)
    assert loaded.transform(X).dtype == dtype
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    np.testing.assert_array_equal(loaded.jacobian(X[:5]), fitted.jacobian(X[:5]))
    for name in ("history_", "criterion_", "reconstruction_error_", "volume_efficiency_", "durations_"):
        assert getattr(loaded, name) == getattr(fitted, name), name


@every_method
def test_jacobian_is_the_derivative_of_inverse_transform_in_the_units_of_the_data(method):
    X = MIXTURE.X * np.geomspace(0.01, 100, MIXTURE.X.shape[1]) + 3
    fitted = fit(method, X)
    latents = fitted.transform(X[:4])
    for j in range(2):
        step = np.zeros(2)
        step[j] = 1e-5
        difference = fitted.inverse_transform(latents + step) - fitted.inverse_transform(latents - step)
        np.testing.assert_allclose(fitted.jacobian(X[:4])[:, :, j], difference / 2e-5, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fitted.inverse_transform(latents), fitted.reconstruct(X[:4]))


@every_method
def test_components_have_a_canonical_scale_order_and_sign(method):
    fitted = fit(method, MIXTURE.X)
    latents = fitted.transform(MIXTURE.X)
    np.testing.assert_allclose(latents.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(latents.std(axis=0), 1, rtol=1e-9)
    matrices = fitted.jacobian(MIXTURE.X) / fitted.scale_[:, None]
    influence = np.abs(matrices).mean(axis=0)
    assert np.all(np.diff(influence.sum(axis=0)) <= 0)
    strongest = influence.argmax(axis=0)
    assert np.all(matrices.mean(axis=0)[strongest, [0, 1]] > 0)


@every_method
def test_does_not_depend_on_a_common_unit_of_the_features(method):
    plain, scaled = fit(method, MIXTURE.X), fit(method, MIXTURE.X * 2.0**9)
    np.testing.assert_allclose(scaled.transform(MIXTURE.X * 2.0**9), plain.transform(MIXTURE.X), rtol=1e-6, atol=1e-6)


@every_method
def test_units_of_features_do_not_matter(method):
    units = 2.0 ** np.arange(-30, 30, 5)  # powers of two change no digit
    free = clone(method).set_params(feature_units="free")
    first, second = fit(free, MIXTURE.X), fit(free, MIXTURE.X * units)
    np.testing.assert_allclose(first.transform(MIXTURE.X), second.transform(MIXTURE.X * units), rtol=1e-6, atol=1e-6)


@every_trained_method
def test_goes_on_from_a_checkpoint_to_the_same_latents(method, tmp_path, monkeypatch):
    path = tmp_path / "fit.safetensors"
    n_epochs, stop_after = 0, -1

    def interrupt(self, record):
        nonlocal n_epochs
        n_epochs += 1
        if n_epochs == stop_after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("identica.training.progress.Progress.advance", interrupt)
        whole = fit(method, MIXTURE.X)
    total = n_epochs
    n_epochs, stop_after = 0, 1 + total // 2

    with monkeypatch.context() as patch:
        patch.setattr("identica.training.progress.Progress.advance", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fit(method, MIXTURE.X, checkpoint=path)
    assert path.exists()
    n_epochs, stop_after = 0, -1
    with monkeypatch.context() as patch:
        patch.setattr("identica.training.progress.Progress.advance", interrupt)
        resumed = fit(method, MIXTURE.X, checkpoint=path, resume=True)
    np.testing.assert_array_equal(resumed.transform(MIXTURE.X), whole.transform(MIXTURE.X))
    # The checkpoint is of the epoch before the one that was interrupted, at the latest.
    assert n_epochs < total
    assert [record["epoch"] for record in resumed.history_] == [record["epoch"] for record in whole.history_]
    with pytest.raises(ValueError, match="other data or with other parameters"):
        fit(method, MIXTURE.X + 1, checkpoint=path, resume=True)


@pytest.mark.parametrize("unit_variance", [True, False])
def test_latents_of_sparse_jacobian_can_be_rescaled_where_nothing_holds_them(unit_variance):
    method = clone(METHODS["sparse-jacobian"]).set_params(unit_variance=unit_variance)
    method.sample_shape_ = (12,)
    encoder, _ = build_framed(method, Basis("principal", np.eye(2, 12)), 0)
    batch = torch.as_tensor(MIXTURE.X)
    for scale in (1.0, 1e3):
        variances = encoder.train()(batch * scale).var(0, correction=0)
        held = torch.allclose(variances, torch.ones(2, dtype=torch.float64), rtol=1e-3, atol=0)
        assert held == unit_variance


@every_method
def test_its_configuration_is_plain_and_goes_back(method):
    again = from_configuration(configuration(method))
    assert configuration(again) == configuration(method)


def test_works_in_pipelines_and_grids_and_gives_frames():
    frame = pd.DataFrame(MIXTURE.X, columns=[f"gene {i}" for i in range(12)])
    pipeline = make_pipeline(MinMaxScaler().set_output(transform="pandas"), METHODS["autoencoder"])
    pipeline.set_output(transform="pandas")
    assert list(pipeline.fit_transform(frame).columns) == ["component_0", "component_1"]
    grid = GridSearchCV(METHODS["autoencoder"], {"n_components": [1, 2]}, cv=2, error_score="raise").fit(MIXTURE.X)
    assert grid.best_params_ == {"n_components": 2}
    fitted = clone(METHODS["autoencoder"]).fit(frame)
    with pytest.raises(ValueError, match="feature names"):
        fitted.transform(frame[frame.columns[::-1]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of 48 steps of a network of any kind
def test_own_modules_are_trained_as_copies_and_come_back(tmp_path):
    def modules():
        torch_state = torch.random.get_rng_state()
        pair = (
            torch.nn.Linear(12, 2),
            torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 12)),
        )
        torch.random.set_rng_state(torch_state)
        return pair

    encoder, decoder = modules()
    before = encoder.weight.clone()
    fitted = DICA(2, encoder=encoder, decoder=decoder, training=QUICK, random_state=0).fit(MIXTURE.X)
    assert torch.equal(encoder.weight, before)
    assert not torch.equal(fitted.encoder_[0].weight, before.double())
    fitted.save(tmp_path / "own.safetensors")
    with pytest.raises(ValueError, match="pass encoder="):
        identica.load(tmp_path / "own.safetensors")
    other_encoder, other_decoder = modules()
    loaded = DICA.load(tmp_path / "own.safetensors", encoder=other_encoder, decoder=other_decoder)
    np.testing.assert_array_equal(loaded.transform(MIXTURE.X), fitted.transform(MIXTURE.X))
    other_decoder[1] = torch.nn.ReLU()
    with pytest.raises(
        ValueError, match=r"decoder is not built as .*: \(1\): ReLU\(\) was given where \(1\): Tanh\(\)"
    ):
        DICA.load(tmp_path / "own.safetensors", encoder=other_encoder, decoder=other_decoder)
    clone(METHODS["autoencoder"]).fit(MIXTURE.X).save(tmp_path / "plain.safetensors")
    with pytest.raises(ValueError, match="was fitted without a module of your own as encoder: leave encoder= out"):
        identica.load(tmp_path / "plain.safetensors", encoder=other_encoder)
    with pytest.raises(TypeError, match="must return a tensor of shape"):
        DICA(3, encoder=encoder, training=QUICK).fit(MIXTURE.X)


class Wrapped(torch.nn.Module):
    """Hides its layers from the rules of the fast road."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, latents):
        return self.layers(latents) + 0.0


@every_trained_method
@pytest.mark.parametrize("container", [torch.nn.Sequential, Wrapped])
def test_own_decoders_may_normalise_batches(method, container):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [torch.nn.Linear(2, 16), torch.nn.BatchNorm1d(16), torch.nn.Tanh(), torch.nn.Linear(16, 12)]
    fitted = fit(clone(method).set_params(decoder=container(*layers), training=Training(max_steps=200)), MIXTURE.X)
    latents, step = fitted.transform(MIXTURE.X[:4]), 1e-5 * np.eye(2)
    for j in range(2):
        difference = fitted.inverse_transform(latents + step[j]) - fitted.inverse_transform(latents - step[j])
        np.testing.assert_allclose(fitted.jacobian(MIXTURE.X[:4])[:, :, j], difference / 2e-5, rtol=1e-5, atol=1e-6)
    assert fitted.reconstruction_error_ < 0.5


class Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


class Opaque(torch.autograd.Function):
    """Has a gradient and no forward mode."""

    @staticmethod
    def forward(context, inputs):
        return inputs[:, :2].clone()

    @staticmethod
    def backward(context, gradient):
        return torch.nn.functional.pad(gradient, (0, 10))


class Raising(torch.nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, inputs):
        raise self.error


@pytest.mark.parametrize(
    ("encoder", "error", "words"),
    [
        (Raising(KeyError("layer 3")), TypeError, r"fails on a batch of shape \(3, 12\) with KeyError \('layer 3'\)"),
        (Raising(NotImplementedError()), TypeError, "NotImplementedError.*must map"),
        (torch.nn.Linear(11, 2), TypeError, r"must map \(n, 12\) to \(n, 2\)"),
        (torch.nn.LSTM(12, 2), TypeError, "into a tuple: it must return a tensor"),
        (
            torch.nn.Sequential(torch.nn.Linear(12, 2), torch.nn.BatchNorm1d(2, track_running_stats=False)),
            TypeError,
            "must treat each sample by itself",
        ),
        (Function(lambda X: X[:, :2].float()), TypeError, "turns a batch of float64 into torch.float32"),
        (Function(lambda X: X[:, :2].detach()), TypeError, "cuts its output off from its input"),
        (Function(Opaque.apply), TypeError, "has no Jacobian in PyTorch's forward mode"),
    ],
    ids=["key", "not implemented", "width", "tuple", "batch", "precision", "cut off", "no tangent"],
)
def test_own_modules_that_do_not_fit_are_refused(encoder, error, words):
    with pytest.raises(error, match=words):
        Autoencoder(2, encoder=encoder, training=QUICK).fit(MIXTURE.X)


def test_an_own_decoder_of_nan_is_refused():
    decoder = torch.nn.Linear(2, 12, device="meta").to_empty(device="cpu")
    torch.nn.init.constant_(decoder.weight, torch.nan)
    with pytest.raises(ValueError, match="the decoder returns values that are not finite"):
        Autoencoder(2, decoder=decoder, training=QUICK).fit(MIXTURE.X)


def test_with_no_weight_and_no_restarts_dica_reconstructs_as_the_autoencoder():
    plain = Autoencoder(2, n_init=1, training=Training(max_steps=60), random_state=0).fit(MIXTURE.X)
    aligned = DICA(2, n_init=1, solver=Staged(weight=0.0), training=Training(max_steps=180), random_state=0).fit(
        MIXTURE.X
    )
    # The change of basis leaves a reconstruction unchanged to the rounding of Training's float32.
    rounding = 10 * np.finfo(np.float32).eps * np.abs(MIXTURE.X).max()
    np.testing.assert_allclose(aligned.reconstruct(MIXTURE.X), plain.reconstruct(MIXTURE.X), rtol=0, atol=rounding)
    assert not aligned.refined_


def test_both_reconstruction_errors_have_the_same_unit():
    # Six samples far out, of which the validation rows hold more or less than their share.
    X = MIXTURE.X.copy()
    X[np.random.default_rng(1).integers(len(X), size=6)] *= 6
    untrained = Training(max_steps=1, learning_rate=1e-12, validation_fraction=0.5, refit_samples=0)
    model = Autoencoder(2, n_init=1, training=untrained, wild_rows="keep", random_state=0).fit(
        X
    )  # begins at PCA, so it is PCA still
    np.testing.assert_allclose(model.reconstruction_error_, model.linear_reconstruction_error_, rtol=0.02)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"n_components": 13}, ValueError, "exceeds n_features=12: .* use at most 12"),
        ({"n_components": 0}, ValueError, "n_components"),
        ({"device": "abacus"}, ValueError, "not usable here"),
        ({"device": "meta"}, ValueError, "not usable here"),
        ({"criterion": "c_3"}, ValueError, "criterion='c_3' is not known: use one of c_1, c_2, c_inf"),
        ({"criterion": 3}, TypeError, "criterion=3 is no criterion"),
        ({"solver": "slow"}, ValueError, "solver='slow' is not known here: use one of staged, joint"),
        ({"solver": Training()}, TypeError, "is no solver of this method: use Staged"),
        ({"n_init": 0}, ValueError, "n_init"),
        ({"n_components": True}, TypeError, "n_components=True is not a number"),
        ({"n_init": True}, TypeError, "n_init=True is not a number"),
        ({"training": Training(max_steps=48, learning_rate=1e30)}, ValueError, "lower training.learning_rate"),
    ],
)
def test_refuses_parameters_out_of_range(change, error, words):
    with pytest.raises(error, match=words):
        DICA(2, training=QUICK).set_params(**change).fit(MIXTURE.X)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda X: np.where(np.arange(X.size).reshape(X.shape) == 30, np.nan, X),
            r"first \(NaN\) in sample 2, feature 6",
        ),
        (lambda X: X[:1], "minimum of 2 is required"),
        (lambda X: np.ma.masked_greater(X, 1.0), "masked array with [0-9]+ masked"),
        (lambda X: X + 1e15, "vary less than float64 can tell .*subtract a large common offset"),
        (
            lambda X: pd.DataFrame(X).rename(columns=str).assign(**{"3": "high"}),
            r"column '3' of X is not numeric \(it holds 'high'\)",
        ),
        (lambda X: pd.DataFrame(X).rename(columns=lambda i: f"f{i % 7}"), "columns of X have the name 'f0': rename"),
        (lambda X: np.ones_like(X), "are constant"),
        (lambda X: np.zeros_like(X), r"all values of all [0-9]+ feature\(s\) are 0: give others"),
        (lambda X: X * 1e200, "moderate size"),
    ],
)
def test_refuses_data_that_it_cannot_use(spoil, words):
    with pytest.raises(ValueError, match=words):
        clone(METHODS["dica-staged"]).fit(spoil(MIXTURE.X))


@every_method
def test_refuses_what_the_networks_cannot_reach(method):
    fitted = fit(method, MIXTURE.X)
    far = np.vstack([MIXTURE.X[:1], np.full((1, 12), np.finfo(np.float64).max)])
    for use in (fitted.transform, fitted.reconstruct, fitted.jacobian):
        with pytest.raises(ValueError, match="sample 1 is so far from the data"):
            use(far)
    with pytest.raises(ValueError, match="sample 0 is so far from the data"):
        fitted.inverse_transform([[np.nan, 0.0]])


@every_method
def test_warns_of_too_few_samples(method):
    with pytest.warns(ConvergenceWarning, match="19 samples are too few to tell 2 components apart.*at least 10"):
        fit(method, MIXTURE.X[:19])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ignore_signs_of_short_trainings()
        fit(method, MIXTURE.X[:20])


def test_the_power_of_the_norms_may_be_infinite(tmp_path):
    fitted = clone(METHODS["dica-staged"]).set_params(criterion="c_inf").fit(MIXTURE.X)
    assert np.isfinite(fitted.criterion_)
    fitted.save(tmp_path / "model.safetensors")
    assert identica.load(tmp_path / "model.safetensors").criterion == "c_inf"


@every_method
def test_a_folder_that_is_missing_is_found_out_before_the_fit(method, tmp_path):
    with pytest.raises(ValueError, match=r"the folder of .*none.checkpoint does not exist, make it first"):
        fit(method, MIXTURE.X, checkpoint=tmp_path / "none" / "checkpoint")
    fitted = fit(method, MIXTURE.X)
    with pytest.raises(ValueError, match=r"the folder of .*none.model does not exist, make it first"):
        fitted.save(tmp_path / "none" / "model")
    with pytest.raises(ValueError, match="is a directory, give the name of a file"):
        fitted.save(tmp_path)


def test_a_model_of_a_device_that_is_not_here_comes_to_the_cpu(tmp_path, monkeypatch):
    fitted = clone(METHODS["autoencoder"]).fit(MIXTURE.X)
    fitted.device = "xpu"  # as if it had been fitted there
    fitted.save(tmp_path / "model.safetensors")
    with pytest.warns(
        UserWarning, match="fitted with device='xpu', which is not at hand here: it is loaded onto the C"
    ):
        loaded = identica.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.transform(MIXTURE.X), fitted.transform(MIXTURE.X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Autoencoder.load(tmp_path / "model.safetensors", device="cpu")
    with pytest.raises(ValueError, match="device='xpu' is not usable here"):
        identica.load(tmp_path / "model.safetensors", device="xpu")


def test_names_constant_features_and_gives_them_back():
    frame = pd.DataFrame(MIXTURE.X, columns=[f"gene {i}" for i in range(12)]).assign(**{"gene 3": 7.0})
    with pytest.warns(UserWarning, match="1 constant feature.*: gene 3"):
        fitted = clone(METHODS["autoencoder"]).fit(frame)
    np.testing.assert_array_equal(fitted.reconstruct(frame)[:, 3], 7.0)


@pytest.mark.slow
def test_staged_dica_finds_components_that_the_autoencoder_does_not():
    mixture = make_mixture(4000, 100, 4, kind="post-nonlinear", random_state=1)
    training = Training(max_steps=3000)
    found = DICA(4, training=training, random_state=0).fit_transform(mixture.X)
    coded = Autoencoder(4, training=training, random_state=0).fit_transform(mixture.X)
    assert mean_r2(mixture.latents, found) > 0.95
    assert mean_r2(mixture.latents, coded) < 0.85
