"""Rows of results as tables for a terminal and for Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["UNFINISHED", "markdown_table", "text_table"]

UNFINISHED = "results.partial.csv"
"""Rows of a run that is not complete: results.csv belongs to the pictures and the page that lie there."""


def text_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Lay rows out for a terminal: words to the left, numbers to the right, one rule under the header.

    Parameters
    ----------
    rows : iterable of mappings
        One per line.
    columns : sequence of str
        Keys to show, which are also the header.

    Returns
    -------
    str
        The lines, without a newline at the end.

    Examples
    --------
    >>> from identica.experiments import text_table
    >>> print(text_table([{"method": "pca", "r2_mean": 0.5}], ["method", "r2_mean"]))
    method  r2_mean
    ------  -------
    pca       0.500
    """
    lines, numeric = _cells(rows, columns)
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    aligned = (
        [f"{cell:{'>' if right else '<'}{width}}" for cell, width, right in zip(*parts, strict=True)]
        for parts in ((line, widths, numeric) for line in lines)
    )
    return "\n".join("  ".join(line).rstrip() for line in aligned)


def markdown_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, missing: str = "") -> str:
    """Lay rows out as a table in Markdown.

    Parameters
    ----------
    rows : iterable of mappings
        One per line.
    columns : sequence of str
        Keys to show, which are also the header.
    missing : str, default=""
        What to write for None, and where a row has no such key.

    Returns
    -------
    str
        The lines, without a newline at the end.

    Examples
    --------
    >>> from identica.experiments import markdown_table
    >>> print(markdown_table([{"method": "pca", "r2_mean": 0.5}], ["method", "r2_mean"]))
    | method | r2_mean |
    | --- | ---: |
    | pca | 0.500 |
    """
    lines, numeric = _cells(rows, columns, missing)
    lines.insert(1, ["---:" if right else "---" for right in numeric])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], missing: str = ""
) -> tuple[list[list[str]], list[bool]]:
    """Header and rows as text, and which columns hold numbers."""
    rows = list(rows)
    numeric = [all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]
    return [
        list(columns),
        *([_written(column, row.get(column), missing) for column in columns] for row in rows),
    ], numeric


def _written(column: str, value: Any, missing: str) -> str:
    if value is None:
        return missing
    if isinstance(value, float):
        return f"{value:.1f}" if column == "seconds" else f"{value:.3f}"
    return str(value)
