"""Names of genes in data and in networks, matched whatever their case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

__all__ = ["NameMatch", "match_names"]


@final
@dataclass(frozen=True, eq=False)
class NameMatch:
    """Which names of a network are which genes of the data.

    Parameters
    ----------
    genes, targets : tuple of str
        Different names of the data and of the network.
    found : dict of str to str
        The gene of each target that is one.
    by_case : tuple of str
        Targets among them that are written in another case than their gene.
    ambiguous : tuple of str
        Targets that differ from a gene in case alone, and are left out since another gene or target does so, too.
    """

    genes: tuple[str, ...]
    targets: tuple[str, ...]
    found: dict[str, str]
    by_case: tuple[str, ...]
    ambiguous: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return how many names there are of each kind.

        Returns
        -------
        dict of str to int
            "genes", "targets", "common", "by_case" and "ambiguous".
        """
        return {
            "genes": len(self.genes),
            "targets": len(self.targets),
            "common": len(self.found),
            "by_case": len(self.by_case),
            "ambiguous": len(self.ambiguous),
        }

    def sentence(self) -> str:
        """Say how many names are common, with an example of each kind.

        Returns
        -------
        str
            Part of a sentence.
        """
        gene, target = _example(self.genes, self.found.values()), _example(self.targets, self.found)
        common = f"{len(self.found):,} names" if len(self.found) > 1 else "1 name" if self.found else "no name"
        return (
            f"the {len(self.genes):,} genes of the data (such as {gene}) and the {len(self.targets):,} targets of net "
            f"(such as {target}) have {common} in common, whatever their case"
        )


def match_names(genes: Sequence[str], targets: Iterable[str]) -> NameMatch:
    """Match names as they are, and where that gives nothing, whatever their case.

    A target that is no gene as it stands is the gene that differs from it in case alone, as Gata1 of mice and GATA1 of
    humans do, if there is one such gene that is no other target, and no other such target.

    Parameters
    ----------
    genes : sequence of str
        Names in the data, each once.
    targets : iterable of str
        Names in the network.

    Returns
    -------
    NameMatch
        What was found.

    Examples
    --------
    >>> match = match_names(["Gata1", "Tal1", "TAL1"], ["GATA1", "TAL1", "SPI1"])
    >>> match.found, match.by_case
    ({'TAL1': 'TAL1', 'GATA1': 'Gata1'}, ('GATA1',))
    """
    asked = tuple(dict.fromkeys(targets))
    known = set(genes)
    found = {target: target for target in asked if target in known}
    alike: dict[str, list[str]] = defaultdict(list)
    for gene in genes:
        alike[gene.casefold()].append(gene)
    left: dict[str, list[str]] = defaultdict(list)
    for target in asked:
        if target not in found:
            left[target.casefold()].append(target)
    by_case, ambiguous = [], []
    for folded, names in left.items():
        candidates = alike.get(folded, [])
        if len(candidates) == len(names) == 1 and candidates[0] not in found:
            found[names[0]] = candidates[0]
            by_case.append(names[0])
        elif candidates:
            ambiguous.extend(names)
    return NameMatch(tuple(genes), asked, found, tuple(by_case), tuple(ambiguous))


def _example(names: Sequence[str], common: Iterable[str]) -> str:
    """Return a name that is not common to both, since such names show what is wrong."""
    others = set(common)
    return repr(next((name for name in names if name not in others), names[0] if names else ""))
