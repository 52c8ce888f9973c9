"""What says that a file cannot be used."""

import re
from pathlib import Path

LONGEST = 3000
"""Characters of a message, since names in files may have any length; the middle of a longer one is left out."""
_STANDARD_INPUT = re.compile(r"^-(?=[ :])")
"""As its path is written."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class DataError(ValueError):
    r"""A file, or what is in it, cannot be used; the message is one sentence for the user.

    It says what was given, what is allowed and what to do about it. Names that a file holds may contain anything:
    control characters are written as escapes and what is long is left out, so that the message has one line.

    Parameters
    ----------
    message : str
        The sentence.

    Examples
    --------
    >>> print(DataError("x.npz holds the arrays a\nb, choose one by its key"))
    x.npz holds the arrays a\nb, choose one by its key
    """

    def __init__(self, message: str) -> None:
        super().__init__(legible(_STANDARD_INPUT.sub("standard input", message)))


def legible(message: str) -> str:
    r"""Return a message in one line of bounded length.

    Parameters
    ----------
    message : str
        May hold anything.

    Returns
    -------
    str
        With escapes for control characters, and without the middle of what is long.

    Examples
    --------
    >>> print(legible("a\nb"), len(legible("x" * 10**6)))
    a\nb 2505
    """
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 3 :]}"
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], message)


class MissingColumnError(DataError):
    """A column that is needed is not in a file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Of the column.
    remedy : str
        The end of the sentence: what there is, and what to do.
    """

    def __init__(self, path: Path, name: str, remedy: str) -> None:
        super().__init__(f"{path} has no column {name!r}{remedy}")
        self.name = name
