"""What a comparison draws."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from beholder.evaluation.comparison.figures import Chart, Mark, Panel, Scale
from beholder.evaluation.comparison.findings import signed
from beholder.evaluation.protocol import TaskScores
from beholder.study.tasks import TASKS

DEEPEST = 50  # the last k of an accuracy curve

# Okabe and Ito's colours, which colour-blind people can tell apart.
_COLOURS = {
    "base": "#0072b2",
    "content": "#e69f00",
    "style": "#009e73",
    "added": "#7a4a2b",
    "ours": "#d55e00",
    "factorised": "#cc79a7",
    "image-only": "#56b4e9",
    "manner": "#b8a100",
    "canonical": "#5d6d7e",
    "concepts": "#6a3d9a",
    "chance": "#888888",
}
_OTHERS = ("#a06a42", "#8f6fc4", "#4d908e", "#c2408f", "#7a8b2b")
_LINES = ("-", "--", ":", "-.")
_VARIANTS = {"chance": "--", "joint": "--", "privileged": ":"}

# Other colours than the methods'.
_SPLITS = {
    "random": Mark("random", "#8a8f98", None, "o"),
    "image": Mark("image", "#c2408f", None, "s"),
    "participant": Mark("participant", "#4d908e", None, "^"),
    "both": Mark("both", "#8f6fc4", None, "D"),
}
_TASKS = {
    name: Mark(name, colour, "-", marker)
    for name, colour, marker in zip(
        TASKS,
        ("#c2408f", "#4d908e", "#8f6fc4", "#a06a42", "#7a8b2b", "#8a8f98"),
        ("o", "s", "^", "D", "v", "P"),
        strict=True,
    )
}


def looks(methods: Sequence[str]) -> dict[str, Mark]:
    """Return a colour and line for each method, no two alike up to four of a family.

    Methods of one family share a colour: trained jointly dashed, with privileged ones dotted.
    Those of a user's own have five colours, so up to twenty of them differ.
    """
    taken: set[tuple[str, str]] = set()
    found = {}
    own = [method for method in methods if _family(method) is None]
    for method in methods:
        family = _family(method)
        colour = _COLOURS[family] if family else _OTHERS[own.index(method) % len(_OTHERS)]
        wanted = _VARIANTS.get(method.rpartition("-")[2], "-")
        free = [line for line in _LINES if (colour, line) not in taken]
        line = wanted if wanted in free or not free else free[0]
        taken.add((colour, line))
        found[method] = Mark(method, colour, line)
    return found


def _family(method: str) -> str | None:
    names = (method, method.partition("+")[0], method.partition("-")[0])
    return next((name for name in names if name in _COLOURS), None)


def accuracy_curves(split: str, scores: Mapping[str, Mapping[str, Sequence[TaskScores]]]) -> Chart:
    """Return the share of queries answered among the first k, from ``scores[task][method]``."""
    methods = list(dict.fromkeys(method for of in scores.values() for method in of))
    marks = looks(methods)
    return Chart(
        f"accuracy-{split}",
        f"Queries with a right answer among the first k, {split} split.",
        tuple(_accuracy_panel(task, of, marks) for task, of in scores.items()),
        tuple(marks.values()),
    )


def _accuracy_panel(
    task: str, scores: Mapping[str, Sequence[TaskScores]], marks: Mapping[str, Mark]
) -> Panel:
    smallest = min(one.gallery for of in scores.values() for one in of)
    depths = np.arange(1, min(DEEPEST, smallest) + 1)
    shares = {
        method: [np.mean(np.concatenate([one.places.hits(int(k)) for one in of])) for k in depths]
        for method, of in scores.items()
    }

    def draw(axes: Axes) -> None:
        for method, share in shares.items():
            axes.plot(depths, share, **marks[method].style)
        axes.set(xlabel="k", ylabel="share of queries", ylim=(0, 1), xscale="log")
        _ticks(axes, [k for k in (1, 3, 10, 30) if k <= len(depths)])

    at = min(10, len(depths))
    told = ", ".join(f"{method} {share[at - 1]:.2f}" for method, share in shares.items())
    return Panel(task, f"{task}, share of queries answered among the first {at}: {told}", draw)


def split_leads(summary: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> Chart:
    """Return how far top 3 lies above chance, a panel a task, a row a method, a mark a split."""
    rows = [row for row in summary if row["method"] != "chance"]
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    most = max(len({row["method"] for row in rows if row["task"] == task}) for task in tasks)
    return Chart(
        "splits",
        "Top-3 accuracy less what chance would score there, with 95% intervals.",
        tuple(_leads_panel(task, [r for r in rows if r["task"] == task], splits) for task in tasks),
        tuple(_SPLITS[split] for split in splits),
        size=(3.4, 0.8 + most * (0.1 + 0.06 * len(splits))),
    )


def _leads_panel(task: str, rows: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> Panel:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    apart = 0.7 / len(splits)

    def draw(axes: Axes) -> None:
        for step, split in enumerate(splits):
            of = [row for row in rows if row["split"] == split]
            if not of:
                continue
            heights = [methods.index(row["method"]) for row in of]
            leads, low, high = np.array([_lead(row) for row in of]).T
            axes.errorbar(
                leads,
                np.array(heights) + apart * (step - (len(splits) - 1) / 2),
                xerr=np.maximum([leads - low, high - leads], 0),
                elinewidth=1.1,
                **_SPLITS[split].style,
            )
        for row in range(0, len(methods), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="#888888", alpha=0.12, linewidth=0)
        axes.axvline(0, color="#888888", linewidth=1)
        axes.set_yticks(range(len(methods)), methods)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_xlabel("above chance")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)

    best = [
        max((row for row in rows if row["split"] == split), key=lambda row: _lead(row)[0])
        for split in splits
        if any(row["split"] == split for row in rows)
    ]
    told = ", ".join(f"{row['split']} {row['method']} {signed(_lead(row)[0])}" for row in best)
    return Panel(task, f"{task}, highest lead over chance by split: {told}", draw)


def _lead(row: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the lead over chance and its interval; without one, the lead three times."""
    low, high = row["ci95_top3"]
    bounds = (row["top3"],) * 2 if low is None or high is None else (low, high)
    lead, low, high = (float(value) - row["chance_top3"] for value in (row["top3"], *bounds))
    return lead, low, high


def learning_curves(curves: Sequence[Mapping[str, Any]]) -> Chart:
    """Return how top 3 grows with the training part, a panel a task and unit."""
    kinds = dict.fromkeys((curve["share_of"], curve["split"], curve["task"]) for curve in curves)
    marks = looks(list(dict.fromkeys(curve["method"] for curve in curves)))
    panels = []
    for unit, split, task in kinds:
        of = [c for c in curves if (c["share_of"], c["split"], c["task"]) == (unit, split, task)]
        told = "; ".join(
            f"{c['method']} from {c['points'][0]['top3']:.3f} to {c['points'][-1]['top3']:.3f}"
            for c in of
        )
        alternative = f"{task}, fitted top-3 by share of training {unit}, {split} split: {told}"
        panels.append(Panel(f"{task}, {split} split", alternative, _learning(of, marks, unit)))
    return Chart(
        "learning-curves",
        "Top-3 accuracy by how much of the training part was used: as measured (points), and "
        "fitted with 95% bands.",
        tuple(panels),
        tuple(marks.values()),
        size=(2.7, 2.2),
    )


def _learning(
    curves: Sequence[Mapping[str, Any]], marks: Mapping[str, Mark], unit: str
) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        shares = sorted({point["share"] for curve in curves for point in curve["points"]})
        for curve in curves:
            mark = marks[curve["method"]]
            x = [point["share"] for point in curve["points"]]
            axes.plot(x, [point["top3"] for point in curve["points"]], **mark.style)
            measured = [point["measured"] for point in curve["points"]]
            axes.plot(x, measured, "o", color=mark.color, markersize=4)
            bands = [point["ci95"] for point in curve["points"]]
            if all(low is not None and high is not None for low, high in bands):
                low, high = np.array(bands).T
                axes.fill_between(x, low, high, color=mark.color, alpha=0.13, linewidth=0)
        axes.set(xlabel=f"training {unit}", ylabel="top-3")
        axes.set_ylim(0, None)
        axes.set_xticks(shares, [f"{100 * share:g}%" for share in shares])

    return draw


def power_curves(power: Sequence[Mapping[str, Any]]) -> Chart:
    """Return the power to find a difference by the number of participants, a panel a split."""
    splits = dict.fromkeys(one["split"] for one in power)
    tasks = dict.fromkeys(one["task"] for one in power)
    panels = []
    for split in splits:
        of = [one for one in power if one["split"] == split]
        told = ", ".join(f"{one['task']} {one['participants']}" for one in of)
        alternative = f"{split} split, participants for 80% power: {told}"
        panels.append(Panel(f"{split} split", alternative, _power(of)))
    return Chart(
        "power",
        "Share of simulated studies that would find the difference (p < 0.05); the line is 80%.",
        tuple(panels),
        tuple(_TASKS[task] for task in tasks),
        size=(2.7, 2.2),
    )


def _power(power: Sequence[Mapping[str, Any]]) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        for one in power:
            people = [point["participants"] for point in one["curve"]]
            axes.plot(
                people, [point["power"] for point in one["curve"]], **_TASKS[one["task"]].style
            )
        axes.axhline(0.8, color="#888888", linewidth=1, linestyle="--")
        axes.set(xlabel="participants", ylabel="power", ylim=(0, 1.03), xscale="log")
        _ticks(axes, [10, 40, 160])

    return draw


def style_map(modality: str, found: Mapping[str, Any]) -> Chart:
    """Return people in the plane of the style space, a panel a trait, all on one scale."""
    traits: Mapping[str, Sequence[float | None]] = found["traits"] or {"participants": []}
    x, y = np.array(found["x"], float), np.array(found["y"], float)
    values = {
        trait: np.array([np.nan if v is None else v for v in of] or [np.nan] * len(x), float)
        for trait, of in traits.items()
    }
    known = np.concatenate([of[~np.isnan(of)] for of in values.values()])
    scale = Scale("trait score", float(known.min()), float(known.max())) if len(known) else None
    unknown = any(np.isnan(of).any() for of in values.values()) and scale is not None
    shares = " and ".join(f"{100 * (share or 0):.0f}%" for share in found["share"][:2])
    return Chart(
        f"style-map-{modality}",
        f"Each point is one of {len(x)} participants: the mean of their {modality} in the style "
        f"space, on its two main directions ({shares} of what spreads people).",
        tuple(
            Panel(trait, f"{len(x)} participants coloured by {trait}", _map(x, y, of, scale))
            for trait, of in values.items()
        ),
        (Mark("no survey", "#999999", None, "o"),) if unknown else (),
        scale,
        size=(2.1, 2.1),
    )


def _map(x: Any, y: Any, values: Any, scale: Scale | None) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        unknown = np.isnan(values)
        axes.scatter(x[unknown], y[unknown], s=20, color="#999999")
        if scale is not None:
            colours = scale.mappable.to_rgba(values[~unknown])
            axes.scatter(
                *(x[~unknown], y[~unknown]), s=20, c=colours, edgecolors="#888888", linewidths=0.4
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal", "datalim")

    return draw


def _ticks(axes: Axes, places: Sequence[int]) -> None:
    axes.set_xticks(places, [str(place) for place in places])
    axes.minorticks_off()
