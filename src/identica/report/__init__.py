"""Results in, one self-contained HTML page out."""

from identica.report.contents import Fit, Report
from identica.report.diverse_influence import DiverseInfluence
from identica.report.explorer import Explorer, share_of_page
from identica.report.of_fit import report_of_fit
from identica.report.page import render, write_report
from identica.report.pictures import PictureRow, Pictures
from identica.report.verdict import verdict_of

__all__ = [
    "DiverseInfluence",
    "Explorer",
    "Fit",
    "PictureRow",
    "Pictures",
    "Report",
    "render",
    "report_of_fit",
    "share_of_page",
    "verdict_of",
    "write_report",
]
