"""The paper, claim by claim: what it says, the study that tests it, and the verdict."""

from identica.experiments.paper.claims import CLAIMS, Claim, Finding
from identica.experiments.paper.page import STUDIES, reproduce_paper, write_paper
from identica.experiments.paper.study import Settings, Study

__all__ = ["CLAIMS", "STUDIES", "Claim", "Finding", "Settings", "Study", "reproduce_paper", "write_paper"]
