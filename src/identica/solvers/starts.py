"""Many starts of one fit: trained side by side in rounds, fewer in each, and the best kept.

Networks that start elsewhere can end elsewhere. All starts train for a short while, and those that rebuild the held-out
rows worst are left; the reconstruction error after a ninth of the steps foretells which starts end well (see the
benchmarks). Those that remain are trained to the end and compared by the criterion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import final

import torch
from torch import nn

from identica.criteria import Criterion, best_value, row_units, without_common_shift
from identica.machine import threads_kept
from identica.solvers.alignment import find_alignment
from identica.solvers.solver import Solver
from identica.training.checkpoint import Checkpoint
from identica.training.descent import Data
from identica.training.inspection import draw_latents, error_at, explained_by_feature
from identica.training.passes import restart
from identica.training.trainer import Stopped, Trainer

__all__ = ["Found", "keep_counts", "repeat_on_all_rows", "run_starts"]

ROUNDS = 3
ROUND_SHARE = 1 / 9
"""Of the steps of one start, in each round."""
CRITERION_POINTS = 256
CRITERION_ROWS = 1024
SCORES = ("criterion", "error", "trained_error")
UNIT_POINTS = 16
UNIT_RESTARTS = 16
AS_GOOD = 1.25
NEARLY = 2e-3
"""Starts whose error is at most so many times the least, and so much more, rebuild the data as well as the best."""


@final
@dataclass(frozen=True)
class Found:
    """What the starts of a fit have come to.

    Parameters
    ----------
    best : Trainer
        The start that is kept.
    finished : tuple of Trainer
        Those that were trained to the end, the best among them first.
    criteria : tuple of float
        Criterion of each finished start on held-out rows, at the scales at which it is largest.
    errors : tuple of float
        Reconstruction error of each finished start on held-out rows.
    trained_errors : tuple of float
        The same on rows that were trained on.
    """

    best: Trainer
    finished: tuple[Trainer, ...]
    criteria: tuple[float, ...]
    errors: tuple[float, ...]
    trained_errors: tuple[float, ...]

    @property
    def at_odds(self) -> bool:
        """Whether a start that rebuilds the data clearly worse has the largest criterion."""
        return max(self.criteria) > self.criteria[0]


def keep_counts(n_starts: int) -> tuple[int, ...]:
    """Return how many starts take part in each round, and how many are trained to the end.

    Parameters
    ----------
    n_starts : int
        All starts.

    Returns
    -------
    tuple of int
        One number for each of three rounds, then that of the finished ones.

    Examples
    --------
    >>> keep_counts(8), keep_counts(2), keep_counts(1)
    ((8, 6, 4, 4), (2, 2, 2, 2), (1, 1, 1, 1))
    """
    finished = n_starts if n_starts <= 2 else max(2, n_starts // 2)
    return n_starts, math.ceil((n_starts + finished) / 2), finished, finished


def run_starts(
    starts: Sequence[Trainer],
    solver: Solver,
    criterion: Criterion,
    checkpoint: Checkpoint,
    *,
    n_side_by_side: int,
    n_threads: int = 1,
) -> Found:
    """Train many starts in rounds, finish the most promising, and pick the best.

    The result does not depend on how many run side by side: each start has its own generators and one thread's order of
    operations.

    Parameters
    ----------
    starts : sequence of Trainer
        Unlike networks for the same data.
    solver : Solver
        How one start is trained.
    criterion : Criterion
        What is to be large.
    checkpoint : Checkpoint
        Where the starts put their snapshots; it is written when the fit is interrupted.
    n_side_by_side : int
        Starts to train at the same time.
    n_threads : int, default=1
        PyTorch's threads for each.

    Returns
    -------
    Found
        The best start and those it was compared with.
    """
    counts = keep_counts(len(starts))
    alive = list(starts)
    n_steps = starts[0].training.max_steps
    # Always of the same moment, also where a fit goes on from a later one.
    last = math.ceil(ROUNDS * ROUND_SHARE * n_steps)

    def together(work: Callable[[Trainer], None]) -> None:
        _side_by_side(work, alive, checkpoint, n_side_by_side, n_threads)

    if len(starts) > 1:
        for i, kept in enumerate(counts[1 : ROUNDS + 1]):
            pause = math.ceil((i + 1) * ROUND_SHARE * n_steps)
            together(lambda start, pause=pause: solver.begin(start, pause))  # type: ignore[misc]
            alive = sorted(alive, key=lambda start: (error_at(start, pause), start.number))[:kept]
    else:
        together(lambda start: solver.begin(start, None))
    alive.sort(key=lambda start: start.number)
    units = _units(min(alive, key=lambda start: (error_at(start, last), start.number)), criterion)
    for start in alive:
        start.units = units
    together(lambda start: solver.finish(start, criterion))
    scores: dict[int, tuple[float, float, float]] = {}

    def score(start: Trainer) -> None:
        found = start.compute("score", lambda _: _scored(start, solver, criterion), dict.fromkeys(SCORES, ()))
        scores[start.number] = float(found["criterion"]), float(found["error"]), float(found["trained_error"])

    together(score)
    least = min(error for _, error, _ in scores.values())
    good = [start for start in alive if scores[start.number][1] <= AS_GOOD * least + NEARLY]
    best = max(good, key=lambda start: (scores[start.number][0], -start.number))
    ordered = sorted(alive, key=lambda start: (start is not best, -scores[start.number][0], start.number))
    return Found(best, tuple(ordered), *zip(*(scores[start.number] for start in ordered), strict=True))


def repeat_on_all_rows(
    found: Found,
    networks: tuple[nn.Sequential, nn.Sequential],
    data: Data,
    wide_data: Data | None,
    solver: Solver,
    criterion: Criterion,
    checkpoint: Checkpoint,
    *,
    n_threads: int = 1,
) -> None:
    """Train the best start once more from its beginning on all rows, each stage for as many steps as were best.

    Parameters
    ----------
    found : Found
        Whose best start is changed in place.
    networks : tuple of torch.nn.Sequential
        As they are before training.
    data : Data
        All rows, in the coordinates that the networks see at first.
    wide_data : Data or None
        All rows as features, where the networks are widened later.
    solver : Solver
        How one start is trained.
    criterion : Criterion
        What is to be large.
    checkpoint : Checkpoint
        Written when the fit is interrupted.
    n_threads : int, default=1
        PyTorch's threads.
    """

    def again(start: Trainer) -> None:
        restart(start, networks, data, wide_data)
        solver.finish(start, criterion)

    _side_by_side(again, [found.best], checkpoint, 1, n_threads)


def _units(leader: Trainer, criterion: Criterion) -> torch.Tensor:
    """Return the units of the features, found once, so that the criteria of all starts can be compared.

    First in a metric that needs no components, then in the components that an alignment in these units finds.

    Returns
    -------
    Tensor of shape (n_features,)
        Factor of each row.
    """

    def measure(generator: torch.Generator) -> dict[str, torch.Tensor]:
        latents = draw_latents(leader, UNIT_POINTS, generator)
        with torch.no_grad():
            rows = leader.sample(len(latents), 1).at(leader.decoder, latents, None).rows
        explained = explained_by_feature(leader)
        if leader.data.own_units is not None:
            return {"units": row_units(rows, explained, own=leader.data.own_units)}
        leader.units = row_units(rows, explained)
        few = find_alignment(leader, criterion, UNIT_RESTARTS, generator).transform
        if leader.data.direction is not None:  # what is common is told in components alone
            rows = without_common_shift(rows @ few, leader.data.direction) @ torch.linalg.inv(few)
        return {"units": row_units(rows, explained, transform=few)}

    loadings, inputs = leader.data.loadings, leader.data.inputs(leader.data.train[:1])
    n_features = inputs.numel() if loadings is None else len(loadings)
    return leader.compute("units", measure, {"units": (n_features,)})["units"]


def _scored(start: Trainer, solver: Solver, criterion: Criterion) -> dict[str, torch.Tensor]:
    """Return criterion and reconstruction error on held-out rows, and the error on as many that were trained on."""
    # The same rows of the data and of the Jacobian for every start.
    generator = torch.Generator().manual_seed(0)
    sample = start.sample(CRITERION_POINTS, CRITERION_ROWS)
    start.encoder.eval()
    start.decoder.eval()
    with torch.no_grad():
        latents = start.encoder(start.data.inputs(start.data.validation[:CRITERION_POINTS]))
        local = sample.at(start.decoder, latents, generator)
    own = solver.value(start)
    return {
        "criterion": best_value(criterion, local).detach() if own is None else torch.tensor(own),
        "error": torch.tensor(start.validate()),
        "trained_error": torch.tensor(start.validate(trained=True)),
    }


def _side_by_side(
    work: Callable[[Trainer], None],
    starts: Sequence[Trainer],
    checkpoint: Checkpoint,
    n_side_by_side: int,
    n_threads: int,
) -> None:
    """Do the same work on several starts, in threads of their own where more than one may run.

    PyTorch lets go of the interpreter while it computes, so that two starts of small networks take hardly longer than
    one. When one start fails, or the user interrupts, the others end their epoch and everything is kept.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts, after the checkpoint is written.
    Stopped
        If a start was asked to stop.
    """
    with threads_kept():
        try:
            if min(n_side_by_side, len(starts)) == 1:
                torch.set_num_threads(n_threads)
                for start in starts:
                    work(start)
                return
            with ThreadPoolExecutor(n_side_by_side, initializer=torch.set_num_threads, initargs=(n_threads,)) as pool:
                futures = [pool.submit(work, start) for start in starts]
                try:
                    for future in as_completed(futures):
                        future.result()
                except BaseException:
                    for start in starts:
                        start.stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
        except KeyboardInterrupt:
            for start in starts:
                start.progress.pause()
            checkpoint.flush()
            raise
        except Stopped:
            checkpoint.flush()
            raise
