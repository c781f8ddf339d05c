"""Do the tests find what a simulation put in, and nothing else? python -m benchmarks.truth.

``ordering``: the preset ads with its effects, all six tasks: which of the orderings that the
truth implies come out significant. ``nothing``: many small studies without any effect: how
often a test of personal measures says that methods differ, by itself and after Holm's
correction; the nominal rate is 5%.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from beholder.evaluation.comparison import ComparisonConfiguration, compare
from beholder.model import Hyperparameters
from beholder.study.simulation import PRESETS, Effects, simulate
from beholder.work import HERE
from benchmarks.commands import beholder, write_results

ALPHA = 0.05

PERSONAL = "g2p,p2g,t2p,p2t"
"""Without effects nothing but chance is to be found here, whatever the method."""

METHODS = "chance,image-only,base,content,style,added,ours"

IMPLIED = (
    # What the simulation puts in: images differ, people see and write in their own ways.
    ("g2t", "top3", "base", "chance"),
    ("t2g", "top3", "base", "chance"),
    ("g2t", "top3", "ours", "style"),
    ("t2g", "top3", "ours", "style"),
    ("g2t", "top3", "ours", "chance"),
    ("t2g", "top3", "ours", "chance"),
    ("g2t", "top3", "ours", "image-only"),
    ("t2g", "top3", "ours", "image-only"),
    ("t2p", "top3", "ours", "chance"),
    ("t2p", "top3", "ours", "content"),
    ("p2t", "top3", "ours", "chance"),
    ("p2t", "top3", "ours", "content"),
    ("g2p", "top3", "ours", "chance"),
    ("g2p", "top3", "ours", "content"),
    ("p2g", "top3", "ours", "chance"),
    ("p2g", "top3", "ours", "content"),
)
"""Task, measure, and which method must be better than which."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100, help="Studies without effects.")
    parser.add_argument("--seeds", default="0-2", help="Seeds on the preset ads.")
    parser.add_argument("--part", choices=("ordering", "nothing"), help="One of them alone.")
    options = parser.parse_args()
    if options.part != "nothing":
        ordering(options.seeds)
    if options.part != "ordering":
        nothing(options.studies)


def ordering(seeds: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        study, folder = Path(temporary) / "ads", Path(temporary) / "comparison"
        beholder("simulate", study, "--preset", "ads")
        results, cost = beholder(
            *("compare", study, folder, "--methods", METHODS, "--splits", "random"),
            *("--seeds", seeds, "--curve", ""),
        )
        table = (folder / "tables" / "top3.md").read_text()
    rows = [_implied(results, *one) for one in IMPLIED]
    found = sum(row["is_found"] for row in rows)
    lines = [
        f"Preset ads, random split, seeds {seeds}: {found} of {len(rows)} orderings that the truth "
        f"implies are significant; {cost.wall_s / 60:.1f} minutes.",
        "",
        "| task | better | worse | difference | 95% interval | p, Holm | found |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['task']} | {row['better']} | {row['worse']} | {row['difference']:+.3f} "
            f"| {row['ci95'][0]:+.3f} to {row['ci95'][1]:+.3f} | {row['p_holm']:.4f} "
            f"| {'yes' if row['is_found'] else 'no'} |"
            for row in rows
        ),
        "",
        table,
    ]
    write_results("truth-ordering", {"rows": rows, "summary": results["summary"]}, "\n".join(lines))


def _implied(
    results: dict[str, Any], task: str, measure: str, better: str, worse: str
) -> dict[str, Any]:
    for test in results["tests"]:
        if (test["split"], test["task"], test["measure"]) != ("random", task, measure):
            continue
        pair = (test["method"], test["against"])
        if pair in ((better, worse), (worse, better)):
            sign = 1 if pair[0] == better else -1
            difference, p = sign * test["difference"], test["p_holm"]
            bounds = sorted(sign * bound for bound in test["ci95"])
            return {
                **{"task": task, "better": better, "worse": worse, "difference": difference},
                **{"ci95": bounds, "p_holm": p, "is_found": p < ALPHA and difference > 0},
            }
    raise SystemExit(f"{better} was not tested against {worse} on {task}")


def nothing(studies: int) -> None:
    configuration = ComparisonConfiguration(
        methods=("chance", "base", "content", "style", "ours"),
        tasks=PERSONAL,
        splits=("random",),
        seeds=(0,),
        curve=(),
        hyperparameters=Hyperparameters(hidden=32, dimensions=16, epochs=4, batch=128),
    )
    design = replace(PRESETS["small"], width=80, height=60)
    alone, families, above = [], [], []  # one list a study
    for seed in range(studies):
        with tempfile.TemporaryDirectory() as temporary:
            simulate(Path(temporary) / "study", design, seed=seed, effects=Effects.none())
            tests = _tests(Path(temporary), configuration)
        alone.append([test["p"] < ALPHA for test in tests])
        above.append([test["p"] < ALPHA for test in tests if test["sides"] == 1])
        kinds = dict.fromkeys((test["task"], test["measure"]) for test in tests)
        families.append(
            [
                any(t["p_holm"] < ALPHA for t in tests if (t["task"], t["measure"]) == kind)
                for kind in kinds
            ]
        )
    rows = [
        _rate("each test alone", alone),
        _rate("any test of a family, Holm", families),
        _rate("a method above chance", above),
    ]
    lines = [
        f"{studies} studies of {design.participants} people and {design.images} images without "
        "any effect, tasks of personality and the same-image measure. The interval resamples "
        "studies, as the tests of one study are not independent.",
        "",
        "| what | false positives | 95% interval | of |",
        "|---|---|---|---|",
        *(
            f"| {row['what']} | {row['rate']:.3f} | {row['ci95'][0]:.3f} to {row['ci95'][1]:.3f} "
            f"| {row['count']} |"
            for row in rows
        ),
    ]
    write_results("truth-nothing", rows, "\n".join(lines))


def _tests(folder: Path, configuration: ComparisonConfiguration) -> list[dict[str, Any]]:
    """Compare in this process: a worker's start would cost more than the work."""
    found = compare(
        folder / "study", folder / "comparison", configuration, workers=HERE, trec=False
    )
    tests: list[dict[str, Any]] = found.results["tests"]
    return tests


def _rate(what: str, of_studies: list[list[bool]]) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    means = np.array([np.mean(one) for one in of_studies])
    drawn = means[generator.integers(0, len(means), (10_000, len(means)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    count = sum(len(one) for one in of_studies)
    return {
        **{"what": what, "rate": float(means.mean()), "ci95": [float(low), float(high)]},
        "count": count,
    }


if __name__ == "__main__":
    main()
