"""What this machine has: threads and memory."""

from __future__ import annotations

from identica.machine.memory import machine_memory
from identica.machine.threads import threads_kept

__all__ = ["machine_memory", "threads_kept"]
