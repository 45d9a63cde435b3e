"""The look of the figures: one style, drawn as SVG that takes its colours from the page."""

import re
import warnings
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, RULE = "#1c2024", "#60666d", "#d9dce0"

SERIES = ("#1f6fb5", "#c8501e", "#17845f", "#8b4ba8", "#a37a00", "#5a6a7a")

_WIDTH, _HEIGHT, _LINE = 4.6, 2.75, 0.2  # inches: of a panel, and of a line of its legend

_NAMES = {INK: "ink", SOFT: "soft", RULE: "rule"} | {c: f"series-{k + 1}" for k, c in enumerate(SERIES)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it takes the font of the page and can be selected
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "xtick.minor.size": 0,
    "ytick.color": SOFT,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def colour_name(colour: str) -> str:
    """What the page calls a colour of the figures, such as ``series-1``."""
    return _NAMES[colour]


class Canvas:
    """One panel, of a size that can be read on a phone, with the entries of its legend.

    Args:
        title: What it shows, for those who cannot see it; also keeps ids apart on a page.
    """

    def __init__(self, title: str) -> None:
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        self.title = title
        self._rc = _STYLE | {"svg.hashsalt": title}
        with rc_context(self._rc):
            self.figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
            self.axes: Axes = self.figure.subplots()
        self._entries: list[tuple[Any, str]] = []

    def entry(self, handle: Any, label: str) -> None:
        """Name something that was drawn."""
        self._entries.append((handle, label if len(label) <= 44 else label[:43] + "\N{HORIZONTAL ELLIPSIS}"))

    def svg(self) -> str:
        """The panel as an inline SVG; empty where nothing was drawn."""
        from matplotlib import rc_context

        if not self._entries:
            return ""
        buffer = StringIO()
        with rc_context(self._rc), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # the page has its fonts
            self._legend()
            metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self.figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
        return _inline(buffer.getvalue(), self.title)

    def _legend(self) -> None:
        handles = [handle for handle, _ in self._entries]
        columns = 2 if max(len(label) for _, label in self._entries) <= 20 else 1
        # The legend comes on top of the axes, which are as high in every panel.
        self.figure.set_figheight(_HEIGHT + _LINE * -(-len(handles) // columns))
        places = [str(k) for k in range(len(handles))]
        legend = self.figure.legend(
            handles, places, loc="outside upper left", ncols=columns, handlelength=1.4, borderpad=0
        )
        for text, (_, label) in zip(legend.get_texts(), self._entries, strict=True):
            text.set_parse_math(False)  # a name from outside is no formula
            text.set_text(label)


def _inline(svg: str, title: str) -> str:
    """The bare element, with the colours of the page (and its own where there is no page)."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # ids that repeat from panel to panel
    svg = re.sub(r'(?:width|height)="[\d.]+pt" ', "", svg, count=2)
    for colour, name in _NAMES.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
