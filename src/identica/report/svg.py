"""matplotlib figures as SVG elements that take the page's fonts and colours."""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["embed"]

_INK = "#010203"
"""Stands for the page's text colour while a figure is drawn; no plot uses it for anything else."""

_STYLE: Any = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.labelsize": 10,
    "axes.titlecolor": _INK,
    "axes.titlesize": 11,
    "font.size": 9.5,
    "svg.fonttype": "none",
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def embed(draw: Callable[[], Axes], label: str) -> Markup:
    """Draw a figure and return it as an SVG element for an HTML page.

    Text stays text, in the page's font; lines and letters follow the page's text colour, light or dark; no
    address is left in it.

    Parameters
    ----------
    draw : callable
        Draws on an axis of a new figure and returns it.
    label : str
        What the figure shows, for readers who cannot see it.

    Returns
    -------
    markupsafe.Markup
        The element, safe to insert: matplotlib and this function have escaped all text.

    Raises
    ------
    TypeError
        If the axis belongs to a part of a figure.

    Examples
    --------
    >>> from identica import plotting
    >>> from identica.report.svg import embed
    >>> svg = embed(lambda: plotting.r2_heatmap([[1.0]]), "R² <script>")
    >>> svg.startswith("<svg"), "R² &lt;script&gt;" in svg, "http" in svg
    (True, True, False)
    """
    # Ids must differ between the figures of one page, and be the same each time the page is written.
    with mpl.rc_context(_STYLE | {"svg.hashsalt": label}), warnings.catch_warnings():
        # The reader's browser has the letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = draw().figure
        if not isinstance(figure, Figure):
            raise TypeError(f"draw() drew on a {type(figure).__name__}: it must draw on an axis of a Figure")
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=_NO_METADATA)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    # Its style would reach all of the page; the page's own says the same of figures alone.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    named = set(re.findall(r'#([^")]*)[")]', svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in named else "", svg)
    opening = f'<svg role="img" aria-label="{escape(label)}" viewBox="{_attribute(svg, "viewBox")}"'
    # A width in points keeps all figures' text at one size; the style sheet keeps them in their frame.
    opening += f' width="{_attribute(svg, "width")}">'
    svg = re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)
    return Markup(svg.replace(_INK, "currentColor").replace("stroke: #ffffff", "stroke: var(--page)"))


def _attribute(svg: str, name: str) -> str:
    match = re.search(rf'\b{name}="([^"]*)"', svg)
    if match is None:
        raise RuntimeError(f"matplotlib wrote an SVG without {name}: please report its version to identica")
    return match.group(1)
