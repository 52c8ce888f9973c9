"""What this machine has: threads, memory and workers."""

from __future__ import annotations

from identica.machine.memory import memory_of_machine, memory_shortage
from identica.machine.threads import one_thread, threads_kept
from identica.machine.workers import side_by_side

__all__ = ["memory_of_machine", "memory_shortage", "one_thread", "side_by_side", "threads_kept"]
