"""The charts of a comparison, each drawn once for the page and for files."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beholder import atomic
from beholder.evaluation.charts import STYLE, as_svg
from beholder.evaluation.protocol import TaskScores

DEEPEST = 50  # the last k of an accuracy curve
_DPI = 200

# Okabe and Ito's colours, which colour-blind people can tell apart.
_COLOURS = {
    "base": "#0072b2",
    "content": "#e69f00",
    "style": "#009e73",
    "ours": "#d55e00",
    "factorised": "#cc79a7",
    "image-only": "#56b4e9",
    "chance": "#888888",
}
_OTHERS = ("#7f5539", "#6a4c93", "#4d908e", "#b5179e")
_LINES = {"joint": "--", "privileged": ":"}


@dataclass(frozen=True)
class Chart:
    """A figure with a name for its files and words for those who do not see it."""

    name: str
    alternative: str
    figure: Figure

    @property
    def svg(self) -> str:
        """The figure for a page."""
        with mpl.rc_context(STYLE):
            return as_svg(self.figure)

    def save(self, folder: Path) -> None:
        """Write the figure as SVG and PNG, black on white."""
        folder.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(STYLE):
            for kind, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                buffer = io.BytesIO()
                self.figure.savefig(
                    buffer, format=kind, dpi=_DPI, facecolor="white", metadata=metadata
                )
                atomic.write_bytes(folder / f"{self.name}.{kind}", buffer.getvalue())


def look(method: str, others: Sequence[str] = ()) -> dict[str, Any]:
    """Return a method's colour and line: trained jointly dashed, with privileged ones dotted."""
    space, _, variant = method.partition("-")
    space, plus, _ = space.partition("+")
    if method in _COLOURS:
        line = "--" if method == "chance" else "-"
        return {"color": _COLOURS[method], "linestyle": line}
    if space in _COLOURS and (plus or variant in _LINES):
        return {"color": _COLOURS[space], "linestyle": _LINES["privileged" if plus else variant]}
    own = [name for name in others if name not in _COLOURS]
    return {"color": _OTHERS[own.index(method) % len(_OTHERS) if method in own else 0]}


@contextmanager
def _panels(
    count: int, titles: Sequence[str], height: float = 3.2
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure of some panels side by side, in rows of three."""
    columns = min(count, 3)
    rows = -(-count // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * columns, height * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, title in zip(grid, titles, strict=False):
            axes.set_title(title, fontsize=10, loc="left")
        for axes in grid[count:]:
            axes.set_visible(False)
        yield figure, list(grid[:count])


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)


def accuracy_curves(split: str, scores: Mapping[str, Mapping[str, Sequence[TaskScores]]]) -> Chart:
    """Return the share of queries answered among the first k, from ``scores[task][method]``."""
    with _panels(len(scores), list(scores)) as (figure, panels):
        for axes, methods in zip(panels, scores.values(), strict=True):
            smallest = min(one.gallery for of in methods.values() for one in of)
            depths = np.arange(1, min(DEEPEST, smallest) + 1)
            for method, of in methods.items():
                share = [
                    np.mean(np.concatenate([one.places.hits(int(k)) for one in of])) for k in depths
                ]
                axes.plot(depths, share, label=method, **look(method, list(methods)))
            axes.set(xlabel="k", ylim=(0, 1), xlim=(1, len(depths)), xscale="log")
            ticks = [k for k in (1, 3, 10, 30) if k <= len(depths)]
            axes.set_xticks(ticks, [str(k) for k in ticks])
            axes.minorticks_off()
        panels[0].set_ylabel("right answer among the first k")
        _legend(figure, max(panels, key=lambda axes: len(axes.lines)))
    return Chart(
        f"accuracy-{split}",
        f"Share of queries with a right answer among the first k in the {split} split, by task "
        "and method; the tables give k = 3",
        figure,
    )


def split_comparison(summary: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> Chart:
    """Return top 3 by split, a panel a task: what is lost where the test is of unseen units."""
    tasks = list(dict.fromkeys(row["task"] for row in summary))
    methods = list(dict.fromkeys(row["method"] for row in summary))
    with _panels(len(tasks), tasks) as (figure, panels):
        for axes, task in zip(panels, tasks, strict=True):
            for step, method in enumerate(methods):
                points = [
                    (splits.index(row["split"]), row)
                    for row in summary
                    if (row["task"], row["method"]) == (task, method)
                ]
                if not points:
                    continue
                places = np.array([place for place, _ in points]) + 0.04 * (step - len(methods) / 2)
                values = np.array([row["top3"] for _, row in points])
                bounds = [
                    (v, v) if row["ci95_top3"][0] is None else row["ci95_top3"]
                    for v, (_, row) in zip(values, points, strict=True)
                ]
                low, high = np.array(bounds).T
                axes.errorbar(
                    places,
                    values,
                    yerr=np.maximum([values - low, high - values], 0),
                    label=method,
                    marker="o",
                    markersize=3,
                    elinewidth=0.8,
                    linewidth=0.8,
                    **look(method, methods),
                )
            axes.set_xticks(range(len(splits)), splits)
            axes.set_ylim(0, None)
        panels[0].set_ylabel("top-3")
        _legend(figure, max(panels, key=lambda axes: len(axes.containers)))
    return Chart(
        "splits",
        "Top-3 accuracy with 95% intervals by split, task and method; the tables hold the numbers",
        figure,
    )


def learning_curves(curves: Sequence[Mapping[str, Any]]) -> Chart:
    """Return how top 3 grows with the training part, a panel a task and unit."""
    kinds = list(dict.fromkeys((curve["task"], curve["share_of"]) for curve in curves))
    titles = [f"{task}, {unit}" for task, unit in kinds]
    with _panels(len(kinds), titles) as (figure, panels):
        for axes, kind in zip(panels, kinds, strict=True):
            for curve in curves:
                if (curve["task"], curve["share_of"]) != kind:
                    continue
                shares = [point["share"] for point in curve["points"]]
                values = [point["top3"] for point in curve["points"]]
                style = look(curve["method"])
                axes.plot(
                    shares, values, "o-", markersize=3, label=curve["method"], **_plain(style)
                )
                band = [point["ci95"] for point in curve["points"]]
                if all(low is not None for low, _ in band):
                    low, high = np.array(band).T
                    axes.fill_between(shares, low, high, color=style["color"], alpha=0.15, lw=0)
            axes.set(xlabel=f"share of training {kind[1]}", ylim=(0, None))
        panels[0].set_ylabel("top-3")
        _legend(figure, panels[0])
    return Chart(
        "learning-curves",
        "Top-3 accuracy by the share of the training part, in samples and in participants",
        figure,
    )


def power_curves(power: Sequence[Mapping[str, Any]]) -> Chart:
    """Return the power to find that `ours` differs from base by the number of participants."""
    splits = list(dict.fromkeys(one["split"] for one in power))
    with _panels(len(splits), splits) as (figure, panels):
        for axes, split in zip(panels, splits, strict=True):
            for step, one in enumerate(o for o in power if o["split"] == split):
                people = [point["participants"] for point in one["curve"]]
                axes.plot(
                    people,
                    [point["power"] for point in one["curve"]],
                    "o-",
                    markersize=3,
                    color=[*_COLOURS.values()][step % 6],
                    label=one["task"],
                )
            axes.axhline(0.8, color="#888888", linewidth=0.8, linestyle="--")
            axes.set(xlabel="participants", ylim=(0, 1), xscale="log")
            axes.set_xticks([10, 40, 160], ["10", "40", "160"])
            axes.minorticks_off()
        panels[0].set_ylabel("power at 5%")
        _legend(figure, panels[0])
    return Chart(
        "power",
        "Power of a study to find that ours differs from base, by participants and task; the "
        "table gives the numbers needed for 80%",
        figure,
    )


def style_map(modality: str, found: Mapping[str, Any]) -> Chart:
    """Return people in the plane of the style space, a panel a trait."""
    traits: Mapping[str, Sequence[float | None]] = found["traits"] or {"participants": []}
    with _panels(len(traits), list(traits), height=3.0) as (figure, panels):
        drawn = None
        for axes, values in zip(panels, traits.values(), strict=True):
            colours = np.array([np.nan if v is None else v for v in values], float)
            unknown = np.isnan(colours) if len(colours) else np.ones(len(found["x"]), bool)
            x, y = np.array(found["x"]), np.array(found["y"])
            axes.scatter(x[unknown], y[unknown], s=22, color="#bbbbbb")
            if not unknown.all():
                drawn = axes.scatter(
                    x[~unknown],
                    y[~unknown],
                    c=colours[~unknown],
                    s=22,
                    cmap="viridis",
                    edgecolors="#888888",
                    linewidths=0.3,
                )
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_aspect("equal", "datalim")
        if drawn is not None:
            figure.colorbar(drawn, ax=panels, label="trait score", shrink=0.6)
    first, second = (round(100 * share) for share in [*found["share"], 0, 0][:2])
    return Chart(
        f"style-map-{modality}",
        f"Each of {len(found['x'])} participants at the mean of their {modality} in the style "
        f"space, on the plane that holds {first} + {second}% of what spreads them, coloured by "
        "trait",
        figure,
    )


def _plain(style: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in style.items() if name != "linestyle"}
