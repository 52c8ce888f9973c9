"""What the library is for: with its defaults it finds the true components, on every family of mixtures."""

import pytest

from identica import DICA, Training
from identica.datasets import make_mixture
from identica.experiments import FAMILIES, METHODS, comparison, run
from identica.experiments.demonstration import write_results
from identica.metrics import mean_r2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "least", "level"),
    [
        ("linear", 0.97, "sound"),
        ("post-nonlinear", 0.97, "sound"),
        # With two starts its single points speak for the components to 0.90 only.
        ("perturbed", 0.93, "unchecked"),
        ("folded", 0.97, "sound"),
    ],
)
def test_defaults_find_the_components_of_every_family(family, least, level):
    X, latents, _ = make_mixture(12_000, **FAMILIES[family], latents="dependent", random_state=7)
    # Two starts in place of eight, to save time; tests of single cells have ten components and all starts.
    fitted = DICA(latents.shape[1], n_init=2, random_state=7).fit(X[:10_000])
    assert mean_r2(latents[10_000:], fitted.transform(X[10_000:])) >= least
    assert fitted.verdict_.level == level


def test_every_method_is_compared_and_shown(tmp_path):
    plan = comparison(
        "perturbed", n_samples=600, n_test_samples=200, training=Training(max_steps=96), n_features=30, n_components=3
    )
    outcomes = run(plan)
    assert [outcome.method for outcome in outcomes] == list(METHODS)
    assert all(0 < outcome.row["r2_mean"] <= 1 for outcome in outcomes)
    write_results(tmp_path, plan, outcomes)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"{outcome.row['r2_mean']:.3f}" in page for outcome in outcomes)
