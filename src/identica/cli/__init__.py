"""The command line: one class per command, each of which imports what it needs only when it runs."""

from identica.cli.main import main

__all__ = ["main"]
