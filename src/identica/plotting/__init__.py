"""Pictures of a fit: each function draws on one matplotlib axis or some, and returns what it drew on.

Where no axis is given a new figure is made without pyplot, so that nothing is held in global state and no
display is needed; it is reached by ``ax.figure`` and saved by ``ax.figure.savefig``.
"""

from identica.plotting.counts import choice
from identica.plotting.curves import history, history_terms
from identica.plotting.files import write_svg
from identica.plotting.heatmaps import influence, r2_heatmap, signed_heatmap
from identica.plotting.hulls import polar_hull, row_hull
from identica.plotting.influence_check import diverse_influence, diverse_influence_pictures
from identica.plotting.levels import levels
from identica.plotting.margins import margins
from identica.plotting.ranks import critical_differences
from identica.plotting.recovery import recovery_by_signal
from identica.plotting.row_pairs import row_pairs
from identica.plotting.sizes import errors_by_size
from identica.plotting.style import COLORS, LONGEST_NAME

__all__ = [
    "COLORS",
    "LONGEST_NAME",
    "choice",
    "critical_differences",
    "diverse_influence",
    "diverse_influence_pictures",
    "errors_by_size",
    "history",
    "history_terms",
    "influence",
    "levels",
    "margins",
    "polar_hull",
    "r2_heatmap",
    "recovery_by_signal",
    "row_hull",
    "row_pairs",
    "signed_heatmap",
    "write_svg",
]
