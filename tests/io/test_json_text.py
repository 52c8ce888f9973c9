"""JSON that anyone may have written, and schemas: what is no such thing is said in one sentence."""

import json
import math

import pytest

from identica.io import DataError
from identica.io.json_text import DEEPEST, MOST_NESTED, MOST_VALUES, check_values, parse_json, read_json
from identica.io.schema import Flag, ListOf, MapOf, Maybe, Number, OneOf, Table, Text, Whole, fault_of


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[" * (DEEPEST + 1), "more than 64 lists or tables deep"),
        ('{"a":' * 100_000, "more than 64 lists or tables deep"),
        ("[" + "[]," * MOST_NESTED + "1]", "lists and tables"),
        ("[" + "1," * MOST_VALUES + "1]", "has more than 2097152 values"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "the key 'c' comes twice"),
        ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("[1e999]", "the number 1e999 is too large"),
        ("[" + "9" * 5000 + "]", "a whole number has 5000 digits, and 300 are the most"),
        ('["a', "Unterminated string"),
        ("]", "Expecting value"),
        ("", "Expecting value"),
        ("[1] [2]", "Extra data"),
    ],
    ids=range(13),
)
def test_texts_that_are_refused(text, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        parse_json(text, "the text")
    assert str(caught.value).startswith("the text is not valid JSON")


def test_texts_that_are_read():
    assert parse_json("[" * DEEPEST + "]" * DEEPEST, "the text")
    brackets = '{"a": "[[[[\\"{", "b": [1, 2.5, null, true]}'
    assert parse_json(brackets, "the text") == json.loads(brackets)
    assert parse_json("[" + ",".join(['"[{,"'] * 100_000) + "]", "the text")[-1] == "[{,"
    assert math.isinf(parse_json("[Infinity]", "the text", infinite=True)[0])


def test_files(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": 1}')
    assert read_json(path, 8) == {"a": 1}
    with pytest.raises(DataError, match="longer than 7 bytes"):
        read_json(path, 7)
    path.write_bytes(b'"\xff"')
    with pytest.raises(DataError, match="no UTF-8 text"):
        read_json(path, 100)


def test_depth_of_other_values():
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(DataError, match="64 lists or tables deep"):
        check_values(deep, "the text")
    check_values({"a": [[1], {"b": []}]}, "the text")


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (Whole(0, 5), [0, 5], [-1, 6, True, 1.0, "1", None, [], 10**30]),
        (Number(), [0, -1.5, math.inf, math.nan], [True, "1", None, 10**400]),
        (Number(0, finite=True), [0, 1.5], [-1, math.inf, math.nan]),
        (Text(3, shortest=1), ["a", "abc"], ["", "abcd", 1, None]),
        (Flag(), [True, False], [0, None, "true"]),
        (Maybe(Flag()), [None, True], [0]),
        (OneOf((Flag(), Text()), "a label"), [True, "a"], [1, None]),
        (ListOf(Whole(), 2, 1), [[1], [1, 2]], [[], [1, 2, 3], ["a"], {}, None]),
        (Table({"a": Whole()}, {"b": Flag()}), [{"a": 1}, {"a": 1, "b": True}], [{}, {"a": 1, "c": 1}, [], {"a": "x"}]),
        (Table({"a": Whole()}, others=Text()), [{"a": 1, "c": "x"}], [{"a": 1, "c": 1}]),
        (MapOf(Whole(), 1), [{}, {"x": 1}], [{"x": 1, "y": 1}, {"x": "a"}, None]),
    ],
)
def test_schemas(schema, good, bad):
    for value in good:
        assert fault_of(value, schema, "it") is None
    for value in bad:
        assert fault_of(value, schema, "it").startswith("it")


def test_the_fault_names_the_key():
    schema = Table({"a": ListOf(Table({"b": Whole(1)}), 5)})
    assert fault_of({"a": [{"b": 1}, {"b": 0}]}, schema, "x") == (
        "x.a[1].b is 0, and a whole number of at least 1 is needed"
    )
