"""Results in, one self-contained HTML page out."""

from identica.report.contents import Fit, Report
from identica.report.explorer import Explorer
from identica.report.page import render, write_report
from identica.report.pictures import Pictures

__all__ = ["Explorer", "Fit", "Pictures", "Report", "render", "write_report"]
