"""The commands that README and documentation show are understood as they stand there."""

import importlib
import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from identica import cli

ROOT = Path(__file__).parents[2]
CLAIMS = ROOT / "docs" / "paper" / "claims.md"
SHOWN = [
    pytest.param(words, id=f"{page.name}: {words}")
    for page, pattern in [
        (ROOT / "README.md", r"^\$ identica (.*)$"),
        *((page, r"^\$ identica (.*)$") for page in sorted((ROOT / "docs").glob("*.md"))),
        (CLAIMS, r"`identica ([^`]*)`"),
    ]
    for words in dict.fromkeys(re.findall(pattern, page.read_text(encoding="utf-8"), flags=re.MULTILINE))
]


@pytest.mark.parametrize("words", SHOWN)
def test_a_command_shown_is_understood(words, monkeypatch):
    ran = []
    for name, (command, _) in importlib.import_module("identica.cli.main").COMMANDS.items():
        # A command with kinds of its own is a union of their classes, annotated with their names.
        for kind in [get_args(each)[0] for each in get_args(command)] or [command]:
            monkeypatch.setattr(kind, "run", lambda self, name=name: ran.append(name))
    assert cli.main(shlex.split(words)) == 0
    assert ran == [shlex.split(words)[0]]


def test_the_configuration_shown_is_one(tmp_path):
    from identica.cli.configuration import read_parameters
    from identica.estimators import from_configuration

    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "fit.toml").write_text(example, encoding="utf-8")
    dica = from_configuration(read_parameters(tmp_path / "fit.toml", {"n_components": 5}))
    assert (dica.n_components, dica.criterion, dica.n_init, dica.solver.restarts) == (5, "c_1", 4, 16)
    assert (dica.network.hidden, dica.training.max_steps) == ((256, 256), 12000)


def test_the_claims_shown_are_those_of_the_command():
    from identica.experiments import paper

    text = CLAIMS.read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in table[2 : 2 + len(paper.CLAIMS)]] == [
        f"| {claim.text}" for claim in paper.CLAIMS
    ]
    for link in re.findall(r"!\[[^]]*\]\(([^)]*)\)", text):
        assert (CLAIMS.parent / link).is_file()
