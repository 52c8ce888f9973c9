"""Results in, one self-contained HTML page out."""

from identica.report.contents import Fit, Report
from identica.report.page import render, write_report

__all__ = ["Fit", "Report", "render", "write_report"]
