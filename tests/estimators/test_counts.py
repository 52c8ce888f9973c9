"""Counts, depth and covariates through whole estimators: what is found, kept, given back and refused."""

import numpy as np
import pandas as pd
import pytest
from methods import QUICK, STAGED
from sklearn.exceptions import ConvergenceWarning

import identica
from identica import DICA, IMA, Autoencoder, AuxiliaryICA, Joint, PolytopicFactorization, SparseJacobian, Training
from identica.metrics import mean_r2
from identica.preparation import n_directions

N, M, D = 1500, 40, 2
COUNTS = ("poisson", "negative-binomial")


def counted(seed=0, n=N, depth=0.5, batch=0.0):
    """Return counts whose log means are sparse in two factors, the factors, depths and batches."""
    random = np.random.default_rng(seed)
    factors = random.uniform(-1, 1, (n, D))
    fixed = np.random.default_rng(1)
    mixing = (
        fixed.uniform(0.5, 1.2, (M, D)) * (fixed.random((M, D)) < 0.3) * np.where(fixed.random((M, D)) < 0.7, 1, -1)
    )
    groups = random.integers(0, 2, n)
    log_mean = fixed.uniform(0.5, 2.5, M) + factors @ mixing.T + np.outer(groups, batch * fixed.standard_normal(M))
    log_depth = random.normal(0, depth, n)
    return random.poisson(np.exp(log_mean + log_depth[:, None])).astype(np.float32), factors, log_depth, groups


@pytest.fixture(scope="module")
def data():
    return counted()


def quick(likelihood, **change):
    return DICA(
        D, **{"likelihood": likelihood, "n_init": 1, "solver": STAGED, "training": QUICK, "random_state": 0} | change
    )


def share_read(latents, target):
    """Return the share of a target's variance that is linear in the components."""
    design = np.column_stack([np.ones(len(latents)), latents])
    left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return 1 - left.var() / target.var()


@pytest.mark.parametrize("likelihood", ["residuals", *COUNTS])
def test_factors_are_found_and_depth_is_not(data, likelihood):
    X = data[0]
    training = Training(max_steps=600)
    model = DICA(D, likelihood=likelihood, n_init=1, training=training, random_state=0).fit(X)
    new, true, other_depth, _ = counted(seed=7)
    latents = model.transform(new)
    assert mean_r2(true, latents) > 0.8
    assert share_read(latents, other_depth) < 0.02
    blind = DICA(D, n_init=1, training=training, random_state=0).fit(X)
    assert mean_r2(true, blind.transform(new)) < mean_r2(true, latents) - 0.1


def test_the_linear_method_takes_residuals(data):
    X, *_ = data
    new, true, log_depth, _ = counted(seed=7)
    latents = PolytopicFactorization(D, likelihood="residuals", random_state=0).fit(X).transform(new)
    blind = PolytopicFactorization(D, random_state=0).fit(X).transform(new)
    assert mean_r2(true, latents) > mean_r2(true, blind) + 0.3
    assert share_read(latents, log_depth) < 0.02
    assert share_read(blind, log_depth) > 0.5


@pytest.mark.parametrize("likelihood", ["gaussian", "residuals", *COUNTS])
def test_a_batch_that_is_told_is_not_found_and_costs_nothing(likelihood):
    X, _, _, groups = counted(batch=0.8)
    # In rows that were fitted components go with no batch whatever they are: others are read.
    new, factors, log_depth, new_groups = counted(seed=7, batch=0.8)
    plain, *_ = counted()
    unshifted, factors_without, *_ = counted(seed=7)
    if likelihood == "gaussian":
        X, new, plain, unshifted = map(np.log1p, (X, new, plain, unshifted))
    named, new_named = (np.where(each == 1, "second", "first") for each in (groups, new_groups))
    change = {"training": Training(max_steps=200)}
    told = quick(likelihood, **change).fit(X, covariates=named)
    latents = told.transform(new, covariates=new_named)
    blind = quick(likelihood, **change).fit(X).transform(new)
    assert share_read(latents, new_groups.astype(float)) < 0.02
    assert share_read(blind, new_groups.astype(float)) > 0.3
    if likelihood != "gaussian":  # of which depth is a component
        assert share_read(latents, log_depth) < 0.02
        reference = quick(likelihood, **change).fit(plain).transform(unshifted)
        assert mean_r2(factors, latents) > mean_r2(factors_without, reference) - 0.02


@pytest.mark.parametrize("likelihood", ["gaussian", "residuals", *COUNTS])
def test_a_file_keeps_all_that_was_learned(tmp_path, data, likelihood):
    X, _, _, groups = data
    table = pd.DataFrame({"batch": groups, "age": np.linspace(0, 1, len(X))})
    model = quick(likelihood).fit(X, covariates=table)
    model.save(tmp_path / "model.safetensors")
    loaded = identica.load(tmp_path / "model.safetensors")
    assert loaded.likelihood == likelihood
    for name in ("transform", "reconstruct", "jacobian"):
        np.testing.assert_array_equal(
            getattr(loaded, name)(X[:9], covariates=table[:9]), getattr(model, name)(X[:9], covariates=table[:9])
        )
    assert loaded.score(X, covariates=table) == model.score(X, covariates=table)
    latents = model.transform(X[:9], covariates=table[:9])
    np.testing.assert_array_equal(loaded.inverse_transform(latents), model.inverse_transform(latents))


@pytest.mark.parametrize("likelihood", ["residuals", *COUNTS])
def test_jacobians_are_derivatives_of_means_less_what_features_do_in_common(data, likelihood):
    X, *_ = data
    model = quick(likelihood).fit(X.astype(np.float64))
    latents = model.transform(X[:5].astype(np.float64))
    found = model.jacobian(X[:5].astype(np.float64))
    step = 1e-6
    for j in range(D):
        moved = np.eye(D)[j] * step
        slope = (model.inverse_transform(latents + moved) - model.inverse_transform(latents - moved)) / (2 * step)
        # The difference of the two, in logarithms of means, is one number for each sample, times the slopes of depth.
        mean = model.inverse_transform(latents) if likelihood != "residuals" else model.observed_.mean
        common = (slope - found[..., j]) / mean / model.observed_.counts.slope
        # What is left has its weighted median at 0, and the shift was not.
        left = found[..., j] / mean / model.observed_.counts.slope
        weights = model.observed_.direction
        below, above = ((left * side < -1e-9) @ weights for side in (1, -1))
        assert (np.maximum(below, above) <= 0.5 * weights.sum() + 1e-6).all()
        assert np.abs(common).max() > 1e-3
        relative = np.median(np.abs(common - np.median(common, axis=1, keepdims=True)))
        assert relative < 1e-4 * max(1.0, np.abs(slope / mean).max())


def test_more_components_than_stand_out_from_noise_are_warned_of(data):
    X, *_ = data
    model = quick("poisson").fit(X)
    assert model.n_directions_ == n_directions(X, 4) == D
    # Depth that is not taken out stands out, too.
    assert n_directions(X, 4, size_factors=np.ones(N)) > D
    assert n_directions(X, 1) == 1
    with pytest.warns(ConvergenceWarning, match=r"2 direction.s. of these counts stand out .* use at most 2"):
        more = quick("poisson").set_params(n_components=3).fit(X)
    assert (more.n_directions_, more.verdict_.level) == (D, "doubtful")


@pytest.mark.parametrize("likelihood", ["residuals", *COUNTS])
def test_size_factors_take_the_place_of_totals(tmp_path, data, likelihood):
    X, _, log_depth, _ = data
    model = quick(likelihood).fit(X, size_factors=np.exp(log_depth))
    once = model.transform(X[:50], size_factors=np.exp(log_depth[:50]))
    assert not np.allclose(once, model.transform(X[:50], size_factors=np.ones(50)))
    model.save(tmp_path / "model.safetensors")
    loaded = type(model).load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(once, loaded.transform(X[:50], size_factors=np.exp(log_depth[:50])))
    for method in (loaded.transform, loaded.reconstruct, loaded.jacobian, loaded.score):
        with pytest.raises(ValueError, match="fitted with size_factors, which totals cannot replace"):
            method(X[:50])
    same = quick(likelihood).fit(X)
    np.testing.assert_array_equal(
        same.transform(X[:50]), same.transform(X[:50], size_factors=X[:50].sum(axis=1, dtype=np.float64))
    )
    with pytest.warns(
        UserWarning, match="are 0.02 times these, so that all components are shifted: give size factors in"
    ):
        same.transform(X[:50], size_factors=X[:50].sum(axis=1, dtype=np.float64) / 50)


@pytest.mark.parametrize(
    "method",
    [
        SparseJacobian(D, n_init=1, training=QUICK),
        IMA(D, n_init=1, training=QUICK),
        Autoencoder(D, n_init=1, training=QUICK),
        DICA(D, n_init=1, solver=Joint(), training=QUICK),
    ],
    ids=lambda method: type(method).__name__,
)
def test_other_methods_follow_counts_too(data, method):
    X, *_ = data
    model = method.set_params(likelihood="poisson", random_state=0).fit(X)
    assert np.isfinite(model.transform(X)).all()
    assert model.inverse_transform(model.transform(X[:4])).min() >= 0
    assert model.reconstruction_error_ < 1


def test_a_fit_of_counts_goes_on_to_the_same_result(tmp_path, data, monkeypatch):
    X, *_ = data
    whole = quick("poisson", n_init=2).fit(X, size_factors=X.sum(axis=1) + 1)
    path = tmp_path / "checkpoint"
    from identica.training.trainer import Trainer

    steps = Trainer.minimise

    def interrupted(self, stage, *args, **kwargs):
        if stage == "refine":
            raise KeyboardInterrupt
        return steps(self, stage, *args, **kwargs)

    monkeypatch.setattr(Trainer, "minimise", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quick("poisson", n_init=2).fit(X, size_factors=X.sum(axis=1) + 1, checkpoint=path)
    monkeypatch.setattr(Trainer, "minimise", steps)
    with pytest.raises(ValueError, match="other data or with other parameters"):
        quick("poisson", n_init=2).fit(X, size_factors=X.sum(axis=1) + 2, checkpoint=path, resume=True)
    resumed = quick("poisson", n_init=2).fit(X, size_factors=X.sum(axis=1) + 1, checkpoint=path, resume=True)
    depths = X[:20].sum(axis=1) + 1
    found, expected = (model.transform(X[:20], size_factors=depths) for model in (resumed, whole))
    np.testing.assert_array_equal(found, expected)


BAD = [
    ({"likelihood": "poisson"}, -1.0, {}, "likelihood='poisson' is of counts, and sample 3 has -1 of feature 2"),
    ({"likelihood": "gaussian"}, 1.0, {"size_factors": np.ones(N)}, "likelihood='gaussian' is of none"),
    ({"likelihood": "poisson"}, 1.0, {"size_factors": np.ones(3)}, r"shape \(3,\) and X has 1500 samples"),
    ({"likelihood": "poisson"}, 1.0, {"size_factors": np.zeros(N)}, "size factor of sample 0 is 0: size factors are"),
    ({"likelihood": "poisson"}, 1.0, {"size_factors": ["a"] * N}, "size_factors are no numbers"),
    ({"likelihood": "nb"}, 1.0, {}, "likelihood='nb' is not known: use one of .*negative-binomial"),
]


@pytest.mark.parametrize(("change", "value", "known", "message"), BAD, ids=[message[:24] for *_, message in BAD])
def test_what_cannot_be_counts_is_refused(data, change, value, known, message):
    X = data[0].copy()
    X[3, 2] = value
    with pytest.raises(ValueError, match=message):
        quick(**change).fit(X, **known)


def test_what_a_model_was_not_fitted_with_is_refused(data):
    X, _, _, groups = data
    plain, told = quick("gaussian").fit(X), quick("poisson").fit(X, covariates=groups)
    with pytest.raises(ValueError, match="the model was fitted without: leave them out"):
        plain.transform(X, covariates=groups)
    with pytest.raises(ValueError, match="fitted to no counts: leave them out"):
        plain.transform(X, size_factors=np.ones(N))
    with pytest.raises(ValueError, match=r"fitted with the covariate\(s\) covariate_0: give covariates="):
        told.transform(X)
    with pytest.raises(ValueError, match="sample 0 has -1 of feature 0"):
        told.transform(-np.ones((2, M)), covariates=groups[:2])
    for method in (PolytopicFactorization(D, likelihood="poisson"), AuxiliaryICA(D, likelihood="poisson")):
        with pytest.raises(ValueError, match="has no likelihood 'poisson': use 'residuals' for counts"):
            method.fit(X, groups)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_component_that_is_a_curve_of_a_covariate_is_said_to_be_technical(tmp_path):
    random = np.random.default_rng(0)
    age, other = random.uniform(20, 80, 600), random.uniform(-1, 1, 600)
    curve = 2 * np.square((age - 50) / 30)
    X = np.column_stack([curve, other]) @ random.standard_normal((2, 60)) + 0.01 * random.standard_normal((600, 60))
    model = PolytopicFactorization(2, random_state=0).fit(X, covariates=age)
    technical = int(np.argmax(model.explained_by_covariates_))
    assert model.explained_by_covariates_[technical] > 0.8
    assert model.explained_by_covariates_[1 - technical] < 0.2
    said = next(sign for sign in model.verdict_.signs if sign.name == "covariates")
    assert f"Covariates told much of component(s) {technical} (0." in said.text
    model.save(tmp_path / "model.safetensors")
    loaded = PolytopicFactorization.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.explained_by_covariates_, model.explained_by_covariates_)
    assert not hasattr(PolytopicFactorization(2, random_state=0).fit(X), "explained_by_covariates_")
