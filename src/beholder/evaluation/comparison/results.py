"""From the cells of a comparison to everything that it measured, as plain values for JSON."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from beholder import __version__
from beholder.evaluation.comparison.cells import Cell
from beholder.evaluation.comparison.configuration import ComparisonConfiguration, Key
from beholder.evaluation.comparison.statistics import (
    curves,
    falls_of,
    needed_participants,
    paired_tests,
    pooled_interval,
)
from beholder.features import Pretrained
from beholder.study.study import Study

Cells = Mapping[tuple[Key, str], Cell]

SUMMARISED = ("top1", "top3", "top5", "top10", "mrr", "median_rank", "chance_top3", "gallery")
_LIBRARIES = ("numpy", "pyarrow", "scipy", "torch")


def results_of(
    study: Study,
    configuration: ComparisonConfiguration,
    cells: Cells,
    distinctness: Mapping[str, Any],
    pretrained: Pretrained,
) -> dict[str, Any]:
    """Return what was measured: rows, summary, tests and the rest, in a fixed order.

    Nothing here hangs on when or in how many pieces the cells were computed, so the same cells
    give the same bytes.
    """
    rows = _rows(configuration, cells)
    results: dict[str, Any] = _plain(
        {
            "study": _about(study),
            "configuration": configuration.as_json(),
            "pretrained": asdict(pretrained),
            "versions": {"python": platform.python_version(), "beholder": __version__}
            | {library: version(library) for library in _LIBRARIES},
            "rows": rows,
            "summary": _summary(configuration, cells, rows),
            "tests": paired_tests(configuration, cells),
            "flattery": falls_of(configuration, cells),
            "curves": curves(configuration, cells),
            "power": needed_participants(configuration, cells),
            "distinctness": dict(distinctness),
            "sizes": _sizes(configuration, cells),
            "missing": _missing(configuration, cells),
            "warnings": sorted({warning for cell in cells.values() for warning in cell.warnings}),
        }
    )
    return results


def _about(study: Study) -> dict[str, Any]:
    return {
        "name": study.info.name,
        "fingerprint": study.fingerprint,
        "samples": len(study),
        "participants": study.participants.num_rows,
        "images": study.images.num_rows,
        "instrument": None if study.instrument is None else study.instrument.name,
    }


def _rows(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    rows = []
    for key in configuration.keys:
        for method in configuration.methods_of(key):
            cell = cells[key, method]
            for task, scores in cell.scores.items():
                names = {"method": method, "task": task, "split": key.split, "seed": key.seed}
                share = {"share": key.share, "share_of": key.share_of}
                rows.append(names | share | scores.measures(key.seed))
    return rows


def _summary(
    configuration: ComparisonConfiguration, cells: Cells, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the mean over seeds of every method, task and split, with spread and interval."""
    summary = []
    for split in configuration.splits:
        for task in _tasks(configuration):
            for method in configuration.methods:
                of = [
                    row
                    for row in rows
                    if (row["method"], row["task"], row["split"]) == (method, task, split)
                    and row["share"] == 1
                ]
                if of:
                    interval = pooled_interval(configuration, cells, method, task, split)
                    top3 = [row["top3"] for row in of]
                    summary.append(
                        {"method": method, "task": task, "split": split, "seeds": len(of)}
                        | {name: float(np.mean([row[name] for row in of])) for name in SUMMARISED}
                        | {"spread_top3": float(np.std(top3, ddof=1)) if len(of) > 1 else None}
                        | {"ci95_top3": [interval.low, interval.high]}
                        | {"same_image": _same_image(of)}
                    )
    return summary


def _same_image(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    means = {}
    for name in ("top1", "top3", "chance_top1", "chance_top3"):
        values = [row["same_image"][name] for row in rows if row["same_image"][name] is not None]
        means[name] = float(np.mean(values)) if values else None
    return means


def _tasks(configuration: ComparisonConfiguration) -> list[str]:
    return [task.name for task in configuration.training(configuration.keys[0]).parsed_tasks]


def _sizes(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    return [
        vars(key) | cells[key, configuration.methods_of(key)[0]].sizes
        for key in configuration.keys
        if configuration.methods_of(key)
    ]


def _missing(configuration: ComparisonConfiguration, cells: Cells) -> list[dict[str, Any]]:
    """Return what was not compared and why, a sentence each; the same one of all seeds once."""
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for key in configuration.keys:
        for method in configuration.methods_of(key):
            for task, sentence in cells[key, method].missing.items():
                seeds = found.setdefault((method, task, key.split, sentence), [])
                if key.seed not in seeds:
                    seeds.append(key.seed)
    return [
        {"method": method, "task": task, "split": split, "seeds": seeds, "reason": sentence}
        for (method, task, split, sentence), seeds in found.items()
    ]


def _plain(value: Any) -> Any:
    """Return a value for JSON: numbers of NumPy as Python's, what is no number as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
