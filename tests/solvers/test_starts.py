"""Many starts: rounds, the choice of the best, and what does not change the result."""

import itertools

import numpy as np
import pytest
import torch

from identica import DICA, Dense, Joint, Staged, Training, Volume
from identica.datasets import make_mixture
from identica.solvers.starts import keep_counts

QUICK = Training(max_steps=90)
X = make_mixture(400, 30, 2, random_state=0).X
ANY = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def quick(n_init: int | str = 6, **parameters) -> DICA:
    options = {"solver": Staged(restarts=4), "training": QUICK, "random_state": 0, **parameters}
    return DICA(2, n_init=n_init, **options)


@pytest.mark.parametrize("n_starts", range(1, 20))
def test_rounds_never_grow_and_end_with_some_to_compare(n_starts: int) -> None:
    counts = keep_counts(n_starts)
    assert counts[0] == n_starts
    assert all(first >= second for first, second in itertools.pairwise(counts))
    assert counts[-1] == (1 if n_starts == 1 else max(2, n_starts // 2))


@ANY
def test_the_record_tells_what_became_of_each_start() -> None:
    fitted = quick(6).fit(X)
    assert [record["start"] for record in fitted.starts_] == list(range(6))
    assert {record["basis"] for record in fitted.starts_} == {"principal", "geodesic"}
    finished = [record for record in fitted.starts_ if record["finished"]]
    assert len(finished) == 3
    kept = [record for record in fitted.starts_ if record["kept"]]
    assert len(kept) == 1
    assert kept[0]["finished"]
    assert kept[0]["agreement"] == 1.0
    assert kept[0]["criterion"] == fitted.criterion_
    for record in fitted.starts_:
        assert ("criterion" in record) == record["finished"]
        assert record["steps"] > max(other["steps"] * (not other["finished"]) for other in fitted.starts_) or (
            not record["finished"]
        )
    least = min(record["reconstruction_error"] for record in finished)
    good = [record for record in finished if record["reconstruction_error"] <= 1.25 * least + 2e-3]
    assert fitted.criterion_ == max(record["criterion"] for record in good)
    others = [record["agreement"] for record in finished if not record["kept"]]
    assert min(others) <= fitted.start_agreement_ <= max(others)


@ANY
def test_those_that_rebuild_worst_are_left_first() -> None:
    fitted = quick(6).fit(X)
    unfinished = [record for record in fitted.starts_ if not record["finished"]]
    fewest = min(record["steps"] for record in unfinished)
    first_out = [record["reconstruction_error"] for record in unfinished if record["steps"] == fewest]
    assert len(first_out) >= 1
    assert min(first_out) >= min(record["reconstruction_error"] for record in fitted.starts_)


@ANY
@pytest.mark.parametrize("solver", [Staged(restarts=4), Joint()])
def test_the_number_of_threads_does_not_change_the_result(solver) -> None:
    before = torch.get_num_threads()
    try:
        found = []
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            found.append(quick(4, solver=solver).fit(X).transform(X))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@ANY
def test_starts_do_not_depend_on_how_many_there_are() -> None:
    few, many = quick(2).fit(X), quick(4).fit(X)
    both = [i for i in range(2) if many.starts_[i]["finished"]]
    assert both
    for i in both:
        assert many.starts_[i]["reconstruction_error"] == few.starts_[i]["reconstruction_error"]


@ANY
def test_one_start_has_none_to_agree_with() -> None:
    fitted = quick(1).fit(X)
    assert fitted.start_agreement_ is None
    assert "starts" not in {sign.name for sign in fitted.verdict_.signs}


@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({"n_init": 0}, ValueError, "n_init"),
        ({"n_init": 1.5}, ValueError, "n_init"),
        ({"solver": "stages"}, ValueError, "solver='stages' is not known here: use one of staged, joint"),
        ({"solver": 3}, TypeError, r"solver=3 is no solver of this method: use Staged\(\.\.\.\)"),
        ({"criterion": "c_9"}, ValueError, "criterion='c_9' is not known: use one of c_1, c_2, c_inf"),
        ({"criterion": 2.0}, TypeError, r"criterion=2.0 is no criterion: use Volume\(p\)"),
        ({"network": Dense(compact=1)}, ValueError, "compact=1 is no rank for 2 components of 30 features"),
    ],
)
def test_bad_input_gets_one_sentence(parameters, error, said) -> None:
    with pytest.raises(error, match=said):
        quick(**parameters).fit(X)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("restarts", "solver=Staged(restarts=...)"),
        ("warmup_epochs", "solver=Joint(warmup_epochs=...)"),
        ("norm_power", "criterion=Volume(p=...)"),
        ("hidden", "network=Dense(hidden=...)"),
        ("max_steps", "training=Training(max_steps=...)"),
    ],
)
def test_a_parameter_of_another_object_is_sent_there(name: str, owner: str) -> None:
    with pytest.raises(TypeError) as caught:
        DICA(2, **{name: 3})
    assert owner in str(caught.value)


@ANY
def test_features_in_many_units_are_compared_free_of_them() -> None:
    factors = 10 ** np.random.default_rng(0).uniform(-3, 3, X.shape[1])
    free = quick(1, feature_units="free").fit(X).transform(X)
    np.testing.assert_allclose(quick(1).fit(X * factors).transform(X * factors), free, rtol=0, atol=1e-3)
    own = quick(1, feature_units="own").fit(X).transform(X)
    np.testing.assert_array_equal(quick(1).fit(X).transform(X), own)
    assert np.abs(own - free).max() > 1e-2


def test_criteria_have_names() -> None:
    assert Volume(1) == Volume(1.0)
    with pytest.raises(ValueError, match="p"):
        Volume(-1)
