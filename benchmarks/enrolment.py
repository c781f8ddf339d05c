"""What enrolling is worth on DIDEC, by the number of samples: python -m benchmarks.enrolment.

Needs the data in the form of ``tables`` at BEHOLDER_DIDEC, by default ../shared/data/didec.
A run of `ours` is trained on the `participant` split, so that nobody of the test part taught it,
and indexed. Of each person 16 samples are drawn; the first 1, 2, 4, 8 and 16 of them are what is
known of the person, and the test people's other samples ask, the same ones every time. Those who
taught the run are known by as many, as the mean of few samples is near and far by luck. That an
enrolled sample has the vectors of an indexed one is what tests/retrieval/test_enrolment.py
asserts, so that the vectors are taken from the store. Intervals are bootstraps of people, with all
their queries of all draws and seeds.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from beholder.commands.options import seeds_in
from beholder.evaluation.clusters import cluster_sums, drawn_sums, percentile_interval
from beholder.retrieval import EmbeddedStore
from benchmarks.commands import beholder, write_results
from benchmarks.enrolled import (
    AMONG,
    ENROLLED,
    JUDGED,
    MODALITIES,
    Key,
    draw,
    judge,
    measured,
    read,
)

DATA = Path(os.environ.get("BEHOLDER_DIDEC", Path(__file__).parents[2] / "shared/data/didec"))
RESAMPLES = 2000
SEEN_AS = ("nobody", "themselves", "averaged", "another", "their answers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-2")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="Keep the stores here, or use those there.")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: name the folder with BEHOLDER_DIDEC")
    values: dict[Key, list[np.ndarray]] = {}
    people: list[str] = []
    weights: list[dict[str, float]] = []
    test_people = []
    told: dict[Key, list[bool]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for seed in seeds_in(options.seeds):
            held = read(made_store(options.folder or Path(temporary), seed))
            weights.append(dict(held.layout.weights))
            test_people.append(len(np.unique(held.person[held.is_test])))
            judge(held, np.random.default_rng(seed), told)
            for number in range(options.draws):
                drawn = draw(held, np.random.default_rng([seed, number]))
                people += [held.names[one] for one in held.person[drawn.queries].tolist()]
                for key, one in measured(held, drawn):
                    values.setdefault(key, []).append(one)
    columns = {key: np.concatenate(own) for key, own in values.items()}
    found = summary(columns, np.array(people))
    results = {
        "seeds": list(seeds_in(options.seeds)),
        "draws": options.draws,
        "test_people": test_people,
        "people": len(set(people)),
        "queries": len(people),
        "weights": weights,
        "told": [
            {"who": who, "by": by, "k": k, "judged": len(own), "told": round(np.mean(own), 4)}
            for (who, by, k), own in told.items()
        ],
        "rows": [
            dict(zip(("what", "of", "by", "measure", "k"), key, strict=True)) | one
            for key, one in found.items()
        ],
    }
    write_results("enrolment", results, page(results, found))


def made_store(folder: Path, seed: int) -> EmbeddedStore:
    """Return the store of a run that a seed trains, made if it is not there."""
    path = folder / f"store-{seed}"
    if not path.exists():
        if not (folder / "study").exists():
            beholder("read", "tables", DATA, folder / "study", "--language", "nl")
        words = ("--tasks", "g2t,t2g", "--split", "participant", "--seed", str(seed))
        beholder("train", folder / "study", folder / f"run-{seed}", *words)
        beholder("index", folder / f"run-{seed}", path)
    return EmbeddedStore.open(path)


def summary(columns: dict[Key, np.ndarray], people: np.ndarray) -> dict[Key, dict[str, float]]:
    """Return the mean of every column and its interval over people, all drawn alike."""
    codes = np.unique(people, return_inverse=True)[1]
    sums, counts = cluster_sums(list(columns.values()), codes)
    table = np.column_stack([sums, counts])
    drawn = drawn_sums(table, np.random.default_rng(0), RESAMPLES)
    found = {}
    for column, key in enumerate(columns):
        interval = percentile_interval(drawn[:, column] / drawn[:, -1], len(counts))
        mean = sums[:, column].sum() / counts.sum()
        rounded = (round(float(one), 4) for one in (mean, interval.low, interval.high))
        found[key] = dict(zip(("mean", "low", "high"), rounded, strict=True))
    return found


def page(results: dict[str, Any], found: dict[Key, dict[str, float]]) -> str:
    tested = ", ".join(map(str, results["test_people"]))
    lines = [
        f"DIDEC, `participant` split, `ours`, seeds {results['seeds']}: {tested} test people whom "
        f"training never saw ({results['people']} different ones), {results['draws']} draws of "
        f"their samples, {results['queries']:,} questions. 95% intervals over people; what "
        "luck of the seeds' trainings people share is not in them.",
    ]
    for among in AMONG:
        lines += ["", f"### Who is it, from one new sample, among {among}", ""]
        lines += [f"| measure | by |{_header()} chance |", f"|---|---|{'---|' * 6}"]
        for measure in ("top1", "top3", "before"):
            for by in (*MODALITIES, "both"):
                cells = [_cell(found["who", among, by, measure, k]) for k in ENROLLED]
                chance = found["who", among, "chance", measure, ENROLLED[-1]]["mean"]
                lines.append(f"| {measure} | {by} | {' | '.join(cells)} | {chance:.3f} |")
    lines += ["", "### Who is said to be told from others, by the command's own judgement", ""]
    lines += [
        f"| who | by |{''.join(f' k = {k} |' for k in JUDGED)}",
        "|---|---|---|---|---|---|---|",
    ]
    shares = {(one["who"], one["by"], one["k"]): one["told"] for one in results["told"]}
    for who in ("test people", "nobody"):
        for by in MODALITIES:
            listed = " | ".join(f"{shares[who, by, k]:.3f}" for k in JUDGED)
            lines.append(f"| {who} | {by} | {listed} |")
    lines += [
        "",
        "Retrieval is among the queries' own answers. Seen as themselves is what `search --as` "
        "does: the style of their samples of the query's modality takes the place of the query's. "
        "Averaged is the mean of both, another is somebody else of the test part, and their "
        "answers is the style of their samples of the modality that is looked for.",
    ]
    for what, title in (("retrieval", "Retrieval"), ("gain", "Gain over seen as nobody")):
        lines += ["", f"### {title}", "", f"| task | measure | seen as |{_header()}"]
        lines.append(f"|---|---|---|{'---|' * 5}")
        for task in ("g2t", "t2g"):
            for measure in ("top1", "top3", "mrr"):
                for by in (*SEEN_AS, "chance"):
                    if (what, task, by, measure, 1) in found:
                        cells = [_cell(found[what, task, by, measure, k]) for k in ENROLLED]
                        lines.append(f"| {task} | {measure} | {by} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _header() -> str:
    return "".join(f" k = {k} |" for k in ENROLLED)


def _cell(one: dict[str, float]) -> str:
    interval = "" if one["low"] == one["high"] else f" ({one['low']:.3f} to {one['high']:.3f})"
    return f"{one['mean']:.3f}{interval}"


if __name__ == "__main__":
    main()
