"""Charts of an evaluation as SVG that follows the page's colours."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from beholder.evaluation.protocol import TaskScores
from beholder.model.state import Epoch

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS = {
    "base": "#0072b2",
    "content": "#e69f00",
    "style": "#009e73",
    "added": "#7a4a2b",
    "ours": "#d55e00",
    "manner": "#b8a100",
    "canonical": "#5d6d7e",
}
_TEXT = "#010203"  # replaced by the page's own text colour
_DEEPEST = 50  # the last k of an accuracy curve

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "beholder",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _TEXT
    ),
}


def accuracy_chart(task: str, scores: Mapping[str, TaskScores]) -> str:
    """Return the share of queries answered among the first k, by k and method, as SVG."""
    first = next(iter(scores.values()))
    deepest = min(_DEEPEST, first.gallery)
    depths = np.arange(1, deepest + 1)
    with axes_titled(f"{task}: right answer among the first k") as (figure, axes):
        for method, of_method in scores.items():
            share = [of_method.places.hits(int(k)).mean() for k in depths]
            axes.plot(depths, share, label=method, color=COLOURS.get(method))
        random = replace(first.places, ranks=None)
        chance = [random.hits(int(k)).mean() for k in depths]
        axes.plot(depths, chance, "--", color="#888888", label="chance")
        axes.set(xlabel="k", ylabel="share of queries", ylim=(0, 1), xlim=(1, deepest))
        axes.set_xscale("log")
        ticks = [k for k in (1, 3, 5, 10, 20, 50) if k <= deepest]
        axes.set_xticks(ticks, [str(k) for k in ticks])
        axes.minorticks_off()
        _name_lines(figure)
        return as_svg(figure)


def training_chart(pair: str, logs: Mapping[str, Sequence[Epoch]]) -> str:
    """Return each space's validation score by epoch, as SVG."""
    with axes_titled(f"{pair}: mean average precision on the validation part") as (figure, axes):
        for space, log in logs.items():
            epochs = [line.epoch for line in log]
            axes.plot(epochs, [line.validation for line in log], label=space, color=COLOURS[space])
        axes.set(xlabel="epoch", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _name_lines(figure)
        return as_svg(figure)


def _name_lines(figure: Figure) -> None:
    """Say below the axes, where no line can run through it, which line is which."""
    figure.legend(loc="outside lower left", ncols=6, fontsize=9, handlelength=1.2, columnspacing=1)


@contextmanager
def axes_titled(title: str) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure of one pair of axes in the reports' style."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, fontsize=10, loc="left")
        yield figure, axes


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG for a page, its text in the colour of the page's."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :].replace(_TEXT, "currentColor")
