"""How networks are trained: plan, descent, the stages of one start, checkpoint, progress."""

from __future__ import annotations

from identica.training.plan import Training

__all__ = ["Training"]
