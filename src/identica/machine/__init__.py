"""What this machine has: threads and memory."""

from __future__ import annotations

from identica.machine.memory import memory_shortage
from identica.machine.threads import one_thread, threads_kept

__all__ = ["memory_shortage", "one_thread", "threads_kept"]
