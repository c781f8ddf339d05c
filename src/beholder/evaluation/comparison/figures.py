"""Charts as panels: each panel its own figure on a page, all of them one figure in a file."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beholder import atomic
from beholder.evaluation.charts import STYLE, as_svg

_DPI = 200
_COLUMNS_PT = 72 * 11  # how wide a file's figure is at most


@dataclass(frozen=True)
class Mark:
    """An entry of a legend: its colour with a line, a marker, or both."""

    name: str
    color: str
    line: str | None = "-"
    marker: str | None = None

    @property
    def style(self) -> dict[str, Any]:
        """How a line of it is drawn."""
        return {
            "label": self.name,
            "color": self.color,
            "linestyle": self.line or "none",
            "marker": self.marker,
            "markersize": 4,
            "linewidth": 1.4,
        }


@dataclass(frozen=True)
class Scale:
    """What the colours of points mean."""

    label: str
    low: float
    high: float
    colours: str = "viridis"

    @property
    def mappable(self) -> ScalarMappable:
        """The scale for drawing."""
        return ScalarMappable(Normalize(self.low, self.high), self.colours)

    @property
    def stops(self) -> list[str]:
        """Its colours from low to high."""
        colours = mpl.colormaps[self.colours]
        return [mpl.colors.to_hex(colours(step / 8)) for step in range(9)]


@dataclass(frozen=True)
class Panel:
    """One pair of axes, with words for those who do not see it."""

    title: str
    alternative: str
    draw: Callable[[Axes], None]


@dataclass(frozen=True)
class Chart:
    """Some panels of one size (inches) with a legend, and a name for the files."""

    name: str
    caption: str
    panels: tuple[Panel, ...]
    legend: tuple[Mark, ...] = ()
    scale: Scale | None = None
    size: tuple[float, float] = (3.4, 2.6)

    def svgs(self) -> list[str]:
        """Return a figure a panel, for a page that shows the legend itself."""
        return [self._svg(number, panel) for number, panel in enumerate(self.panels)]

    def _svg(self, number: int, panel: Panel) -> str:
        # The salt keeps the names of clips and markers of one panel from those of another.
        with _styled(f"{self.name}-{number}"):
            figure = Figure(figsize=self.size, layout="constrained")
            _draw(figure.subplots(), panel)
            return _for_page(as_svg(figure))

    def save(self, folder: Path) -> None:
        """Write all panels as one SVG and PNG, black on white."""
        folder.mkdir(parents=True, exist_ok=True)
        with _styled(self.name):
            figure = self._whole()
            for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                buffer = io.BytesIO()
                figure.savefig(buffer, format=kind, dpi=_DPI, facecolor="white", metadata=metadata)
                atomic.write_bytes(folder / f"{self.name}.{kind}", buffer.getvalue())
                figure.set_layout_engine("none")  # laid out once, as that takes longest

    def _whole(self) -> Figure:
        width, height = self.size
        columns = max(1, min(len(self.panels), int(_COLUMNS_PT / 72 / width)))
        rows = -(-len(self.panels) // columns)
        figure = Figure(figsize=(width * columns, height * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for one, panel in zip(axes, self.panels, strict=False):
            _draw(one, panel)
        for one in axes[len(self.panels) :]:
            one.set_visible(False)
        if self.legend:
            handles = [Line2D([], [], **mark.style) for mark in self.legend]
            across = max(1, min(len(handles), int(width * columns / 1.5)))
            figure.legend(handles=handles, loc="outside lower center", ncols=across, fontsize=9)
        if self.scale:
            figure.colorbar(self.scale.mappable, ax=list(axes), label=self.scale.label, shrink=0.6)
        return figure


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=10, loc="left")
    panel.draw(axes)


@contextmanager
def _styled(salt: str) -> Iterator[None]:
    names = {"text.parse_math": False, "svg.hashsalt": f"beholder-{salt}"}
    with mpl.rc_context(STYLE | names), warnings.catch_warnings():
        # A trait may be named in a script that the bundled font has not; browsers have others.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _for_page(svg: str) -> str:
    """Return a figure without what a page has already: metadata, and names that nothing uses."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[\w.]+_\d+"', "", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
