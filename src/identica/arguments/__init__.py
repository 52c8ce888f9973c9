"""Arguments that a caller gives, checked, with one sentence for each fault."""

from __future__ import annotations

from identica.arguments.arrays import as_array, check_list
from identica.arguments.checks import (
    MOST_STARTS,
    check_choice,
    check_correlation,
    check_integer,
    check_real,
    local_random,
)

__all__ = [
    "MOST_STARTS",
    "as_array",
    "check_choice",
    "check_correlation",
    "check_integer",
    "check_list",
    "check_real",
    "local_random",
]
