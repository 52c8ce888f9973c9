"""The benchmark: methods on data sets whose components are known, one file per fit, and a leaderboard of them."""

from identica.experiments.benchmark.board import Entry, Leaderboard, PartialRank
from identica.experiments.benchmark.cells import COLUMNS, SCORES, read_rows
from identica.experiments.benchmark.comparable import ComparableRows, comparable_rows
from identica.experiments.benchmark.leaderboard import leaderboard
from identica.experiments.benchmark.page import write_leaderboard
from identica.experiments.benchmark.plan import BenchmarkPlan, Cell, DatasetSpec, MethodSpec
from identica.experiments.benchmark.ranks import average_ranks, critical_difference, friedman_test, indistinct_groups
from identica.experiments.benchmark.runner import run_benchmark
from identica.experiments.benchmark.standard import BENCHMARK_DATASETS, BENCHMARK_METHODS, standard_plan

__all__ = [
    "BENCHMARK_DATASETS",
    "BENCHMARK_METHODS",
    "COLUMNS",
    "SCORES",
    "BenchmarkPlan",
    "Cell",
    "ComparableRows",
    "DatasetSpec",
    "Entry",
    "Leaderboard",
    "MethodSpec",
    "PartialRank",
    "average_ranks",
    "comparable_rows",
    "critical_difference",
    "friedman_test",
    "indistinct_groups",
    "leaderboard",
    "read_rows",
    "run_benchmark",
    "standard_plan",
    "write_leaderboard",
]
