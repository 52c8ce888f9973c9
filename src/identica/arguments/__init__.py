"""Arguments that a caller gives, checked, with one sentence for each fault."""

from __future__ import annotations

from identica.arguments.checks import check_choice, check_correlation, check_integer, check_real, local_random

__all__ = ["check_choice", "check_correlation", "check_integer", "check_real", "local_random"]
