"""Kept fits from strangers, with fingerprints that are right: one sentence, never a traceback."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lies import VALUES, deep, places, put, without

from identica.io import DataError
from identica.trust.single_fits import PlannedFit, SingleFit, file_of, read_fit

PLANNED = PlannedFit(2, "seed", 0, np.arange(5), 1)
PLAIN = {
    "n_components": 2,
    "kind": "seed",
    "number": 0,
    "unexplained": 0.25,
    "criterion": -1.5,
    "seconds": 0.5,
    "warnings": ["slow"],
    "duplicates": [[0, 1]],
    "doubted": False,
    "fingerprint": "ab12",
}
ARRAYS = {"latents": np.ones((5, 2)), "strength": np.ones(2)}


def _read(folder: Path, plain: object, **arrays: object) -> SingleFit:
    path = file_of(folder, PLANNED)
    np.savez(path, plain=np.array(json.dumps(plain)), **{**ARRAYS, **arrays})
    return read_fit(path, "ab12", PLANNED, 5)


def _refused(folder: Path, complaint: str, plain: object = PLAIN, **arrays: object) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        _read(folder, plain, **arrays)
    assert "does not hold the finished fit of its name: remove it" in str(caught.value)


def test_what_nobody_has_changed_is_read(tmp_path):
    fit = _read(tmp_path, PLAIN)
    assert (fit.warnings, fit.duplicates, fit.latents.shape) == (("slow",), ((0, 1),), (5, 2))


def test_every_key_is_needed_and_no_other_is_known(tmp_path):
    for name in PLAIN:
        _refused(tmp_path, f"plain.{name} is missing", without(PLAIN, (name,)))
    _refused(tmp_path, "colour", PLAIN | {"colour": 1})


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (("n_components",), 3, "n_components is 3"),
        (("kind",), "half", "another fit"),
        (("duplicates",), [[0, 2]], "duplicates"),
        (("warnings",), deep(70), "more than 64 lists or tables deep"),
        (("criterion",), "x", "criterion is 'x'"),
    ],
)
def test_values(tmp_path, place, value, complaint):
    _refused(tmp_path, complaint, put(PLAIN, place, value))


def test_arrays(tmp_path):
    _refused(tmp_path, "latents is", latents=np.ones((6, 2)))
    _refused(tmp_path, "strength is", strength=np.array(["a", "b"]))
    _refused(tmp_path, "latents has values", latents=np.full((5, 2), np.nan))
    _refused(tmp_path, "other arrays", colour=np.ones(1))
    path = file_of(tmp_path, PLANNED)
    np.savez_compressed(path, plain=np.zeros(10**7), **ARRAYS)
    with pytest.raises(DataError, match="holds an array of shape"):
        read_fit(path, "ab12", PLANNED, 5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused(tmp_path, data):
    changed = put(PLAIN, data.draw(st.sampled_from(list(places(PLAIN)))), data.draw(VALUES))
    with contextlib.suppress(DataError):
        assert _read(tmp_path, changed).n_components == 2
