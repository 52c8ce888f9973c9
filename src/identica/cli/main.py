"""What all commands share: parsing, exit status, and faults and warnings as one line each."""

import contextlib
import io
import os
import re
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, Union

import tyro

from identica.cli.benchmark import Benchmark
from identica.cli.check_sdi import CheckSDI
from identica.cli.choose import Choose
from identica.cli.demo import Demo
from identica.cli.fit import CheckpointKept, Fit
from identica.cli.report import Report
from identica.cli.reproduce import Reproduce
from identica.cli.score import Score
from identica.cli.simulate import Simulate
from identica.cli.transform import Transform
from identica.cli.traverse import Traverse
from identica.io.errors import legible

__all__ = ["main"]

DESCRIPTION = (
    "Find the true hidden components behind a table of data or images: .npy, .npz, .csv, .tsv, .txt, .parquet, .h5ad "
    "or .zarr, told by its ending, or an IDX file. With IDENTICA_TRACEBACK=1 in the environment an error shows where "
    "it arose."
)
FAULTS = (ValueError, TypeError, OSError, ImportError, MemoryError)
"""What the input or the machine is to blame for; anything else is a defect and keeps its traceback."""
PIPE_CLOSED = 141
"""Exit status where standard output is a closed pipe, as of programs that SIGPIPE ends."""
_UNREADABLE = re.compile(r"Error parsing (?P<name>\S+): .*?(?P<kind>int|float)\b.*?'(?P<value>[^']*)'", re.IGNORECASE)


class _Command(Protocol):
    def run(self) -> None: ...


COMMANDS: dict[str, tuple[Any, str | None]] = {
    "fit": (Fit, None),
    "choose": (Choose, None),
    "transform": (Transform, None),
    "traverse": (Traverse, None),
    "score": (Score, None),
    "report": (Report, None),
    "check-sdi": (CheckSDI, None),
    "simulate": (Simulate, "Simulate data whose components are known: a mixture, single cells, or images of sprites."),
    "reproduce": (Reproduce, "Compare all methods on simulated data, or on digits, and report what each finds."),
    "benchmark": (Benchmark, None),
    "demo": (Demo, None),
}
"""What each word runs, and what is said of it where its docstring does not."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; those of this process by default.

    Returns
    -------
    int
        Exit status: 0, 2 for a fault in what was given, 130 after Ctrl-C, 141 where who reads the output went away.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _have_output()
    try:
        status = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return PIPE_CLOSED
    return status


def _run(words: list[str]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("default", category)
        warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
        try:
            if words == ["--version"]:
                return _version()
            _parse(words).run()
            sys.stdout.flush()  # here, where a disk that is full is still a fault that is told
        except SystemExit as end:
            return int(end.code or 0)
        except CheckpointKept as kept:
            _say(f"interrupted: {kept} keeps what is done, go on with: {_again(words)}")
            return 130
        except KeyboardInterrupt as interrupt:
            _say(f"interrupted{interrupt}")
            return 130
        except BrokenPipeError:  # who reads the output has seen enough
            raise
        except FAULTS as error:
            if os.environ.get("IDENTICA_TRACEBACK"):
                raise
            _say(_sentence(error))
            return 2
    return 0


def _have_output() -> None:
    """Give a process that was started without standard output or error one that goes nowhere: Python has None there."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (open to the end)


def _discard_output() -> None:
    """Let what is still to be written go nowhere, since Python writes it when it ends and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _parse(words: list[str]) -> _Command:
    for before, word in zip(["", *words], words, strict=False):
        if not word or (word.startswith("--") and word.endswith("=")):
            raise ValueError(
                f"an empty word was given after {before or word or 'identica'}: give a value, or leave both out"
            )
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            command: _Command = tyro.cli(
                _commands(),
                args=words,
                prog="identica",
                description=DESCRIPTION,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as end:
        if end.code:
            _say(_unboxed(complaint.getvalue()))
        raise
    return command


def _commands() -> Any:
    subcommand = tyro.conf.subcommand
    return Union[  # noqa: UP007  (of a tuple)
        tuple(
            Annotated[Any, subcommand(name=name, constructor=runs, description=told)]
            for name, (runs, told) in COMMANDS.items()
        )
    ]


def _version() -> int:
    from importlib.metadata import version

    print(f"identica {version('identica')}")
    return 0


def _again(words: list[str]) -> str:
    return shlex.join(["identica", *words, *([] if "--resume" in words else ["--resume"])])


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        what = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    elif isinstance(error, MemoryError):
        what = f"not enough memory: {error}" if str(error) else "not enough memory, give a smaller table"
    else:
        what = " ".join(str(error).split()) or type(error).__name__
    return f"error: {legible(what)}"


def _unboxed(text: str) -> str:
    """Turn the framed complaint of the parser, a title and sections between rules, into one line."""
    sections: list[list[str]] = [[]]
    for line in text.splitlines()[1:]:
        words = line.strip(" │╭╮╰╯─|+")
        if words.strip("-"):
            sections[-1].append(words)
        else:
            sections.append([])
    left_out = ("Argument helptext:", "Perhaps you meant:")
    kept = [" ".join(lines).rstrip(".") for lines in sections if lines and lines[0] not in left_out]
    wrong = _UNREADABLE.match(kept[0]) if kept else None
    if wrong is not None:
        kind = "a whole number" if wrong["kind"].lower() == "int" else "a number"
        kept[:-1] = [f"{wrong['name']}: {wrong['value']!r} is not possible, give {kind}"]
    return f"error: {'; '.join(kept) or text}"


def _say(text: str) -> None:
    print(f"identica: {' '.join(text.split())}", file=sys.stderr, flush=True)
