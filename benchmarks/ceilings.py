"""What stands between the figures on DIDEC and 1: python -m benchmarks.ceilings.

Needs the data in the form of ``tables`` at BEHOLDER_DIDEC, by default ../shared/data/didec.
Each split and seed trains `ours`, `manner` and `canonical`. Oracles then know the image of every
item of the test part (perfect content), its person (perfect style), or both, and order what is
left at random, computed exactly, or by a space. The second table says how well our own spaces do
what the oracles know: find the image among the test part's, and the person among its viewers.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beholder.commands.options import seeds_in
from beholder.evaluation.oracles import Asked, carried, group_hits
from beholder.model import Run, TrainingConfiguration
from beholder.model.methods import BUILT_IN, Matcher, RunMatcher, Setting
from beholder.study import Study
from beholder.study.splits import SPLITS
from beholder.study.tasks import Galleries, parse_tasks
from benchmarks.commands import beholder, write_results

DATA = Path(os.environ.get("BEHOLDER_DIDEC", Path(__file__).parents[2] / "shared/data/didec"))
TASKS = "g2t,t2g"
MODALITIES = ("gaze", "text")
METHODS = ("ours", "manner", "canonical")
MEASURES = ("top3", "same-image top1", "same-image top3")
ORDERS = tuple(
    (knows, order)
    for knows, orders in {
        "nothing": ("chance", "style", "content", "base", "ours", "manner", "canonical"),
        "image": ("chance", "style", "ours", "manner", "canonical"),
        "person": ("chance", "content", "base", "ours", "manner"),
        "image and person": ("chance",),
    }.items()
    for order in orders
)
LEAST = (0, 1, 2, 3, 4)  # wrong candidates that a query has at least
Key = tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--splits", default=",".join(SPLITS))
    parser.add_argument("--folder", type=Path, help="Keep the runs here, or use those there.")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: name the folder with BEHOLDER_DIDEC")
    values: dict[Key, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "study").exists():
            beholder("read", "tables", DATA, folder / "study", "--language", "nl")
        study = Study.open(folder / "study")
        for split in options.splits.split(","):
            for seed in seeds_in(options.seeds):
                for key, value in measured(study, folder, split, seed):
                    values.setdefault((split, *key), []).append(float(value))
    means = {key: float(np.mean(own)) for key, own in values.items()}
    results = {
        "seeds": list(seeds_in(options.seeds)),
        "rows": [
            {"what": list(key), "mean": round(means[key], 4), "by_seed": np.round(own, 4).tolist()}
            for key, own in values.items()
        ],
    }
    write_results("ceilings", results, page(means, results["seeds"], options.splits.split(",")))


def measured(study: Study, folder: Path, split: Any, seed: int) -> Iterator[tuple[Key, float]]:
    """Give every figure of one split and seed by its name."""
    configuration = TrainingConfiguration(tasks=TASKS, split=split, seed=seed)
    setting = Setting(study, configuration, folder / f"{split}-{seed}", METHODS)
    matchers: dict[str, Matcher] = {}
    for name in METHODS:
        matcher = BUILT_IN[name].fit(setting)
        assert matcher is not None
        matchers[name] = matcher
    ours = matchers["ours"]
    assert isinstance(ours, RunMatcher)
    run = ours.run
    matchers |= {space: RunMatcher(run, space) for space in ("base", "content", "style")}
    galleries, rows = Galleries.of(study, MODALITIES), run.split.rows("test")
    images, people = study.image_codes, study.participant_codes
    for task in parse_tasks(TASKS):
        retrieval = galleries.retrieval(task, rows)
        queries = retrieval.queries
        scores = {
            name: matcher.against(task, retrieval.gallery)(queries)
            for name, matcher in matchers.items()
        }
        of_image = carried(galleries, retrieval, rows, images)
        shared = {
            "nothing": np.ones((len(queries), len(retrieval.gallery)), dtype=bool),
            "image": of_image[images[queries]],
            "person": carried(galleries, retrieval, rows, people)[people[queries]],
        }
        shared["image and person"] = shared["image"] & shared["person"]
        whole = Asked.whole(retrieval)
        same_image = whole.known(shared["image"])
        # As everywhere, same-image queries that are right by counting are left out.
        measures = (
            ("top3", whole, 3, whole.with_wrong(0)),
            ("same-image top1", same_image, 1, same_image.with_wrong(1)),
            ("same-image top3", same_image, 3, same_image.with_wrong(3)),
        )
        for knows, order in ORDERS:
            for measure, asked, k, counted in measures:
                if not counted.any():  # few of an image's viewers are in the part
                    continue
                left = asked.known(shared[knows]).of(counted)
                by = None if order == "chance" else scores[order][counted]
                yield ("ceiling", task.name, knows, order, measure), left.hits(k, by).mean()
        for least in LEAST:
            left = same_image.of(same_image.with_wrong(least))
            if not len(left.right):
                continue
            for k in (1, 2, 3):
                yield ("own chance", task.name, f"{least}", f"top{k}"), left.hits(k).mean()
        for order in ("content", "base", "ours"):
            for k in (1, 3):
                found = group_hits(scores[order], of_image, images[queries], k)
                yield ("image", task.name, order, f"top{k}"), found.mean()
        for k in (1, 3):
            yield ("image", task.name, "chance", f"top{k}"), k / of_image.any(axis=1).sum()
    if split in ("random", "image"):  # elsewhere training knows nobody of the test part
        yield from recognised(run, images, people)


def recognised(run: Run, images: np.ndarray, people: np.ndarray) -> Iterator[tuple[Key, float]]:
    """Give how often the style space finds a sample's person among its image's viewers.

    A person is known by the mean of the training samples' vectors of the modality asked with.
    """
    has = {modality: run.study.has(modality) for modality in MODALITIES}
    viewed = np.zeros((images.max() + 1, people.max() + 1), dtype=bool)
    viewed[images, people] = True
    for modality in MODALITIES:
        known, asked = (
            run.split.rows(part)[has[modality][run.split.rows(part)]] for part in ("train", "test")
        )
        taught, vectors = (
            run.embed_samples(MODALITIES, modality, rows, "style") for rows in (known, asked)
        )
        means = np.zeros((people.max() + 1, taught.shape[1]), dtype=np.float32)
        np.add.at(means, people[known], taught)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        right = np.zeros((len(asked), len(means)), dtype=bool)
        right[np.arange(len(asked)), people[asked]] = True
        question = Asked(viewed[images[asked]], right)
        for k in (1, 3):
            name = ("person", modality)
            yield (*name, "style", f"top{k}"), question.hits(k, vectors @ means.T).mean()
            yield (*name, "chance", f"top{k}"), question.hits(k).mean()


def page(means: dict[Key, float], seeds: list[int], splits: list[str]) -> str:
    """Return the tables."""
    tasks = TASKS.split(",")
    named = [f"{task} {measure}" for measure in MEASURES for task in tasks]
    lines = [
        f"DIDEC, test parts, seeds {seeds}, means. An oracle knows of every item what the first "
        "column says; what is left is ordered by chance, computed exactly, or by what the second "
        "says. The same-image measures are the protocol's: top-1 over the queries with a wrong "
        "candidate, top-3 over those with three.",
    ]
    for split in splits:
        rows = {
            f"{knows} | `{order}`": [
                (split, "ceiling", task, knows, order, measure)
                for measure in MEASURES
                for task in tasks
            ]
            for knows, order in ORDERS
        }
        lines += ["", f"### {split}", "", *_table(["knows | ordered by", *named], rows, means)]
    tops = ("top1", "top3")
    rows = {
        f"{split} | {task} | `{order}`": [(split, "image", task, order, top) for top in tops]
        for split in splits
        for task in tasks
        for order in ("chance", "content", "base", "ours")
    }
    lines += ["", "### How often the image is found, among the images of the test part", ""]
    lines += _table(["split | task | by", *tops], rows, means)
    rows = {
        f"{split} | {modality} | `{order}`": [
            (split, "person", modality, order, top) for top in tops
        ]
        for split in splits
        if (split, "person", MODALITIES[0], "style", "top1") in means
        for modality in MODALITIES
        for order in ("chance", "style")
    }
    lines += ["", "### How often the person is found, among all viewers of the image", ""]
    lines += ["Known by the mean of their training samples of the modality that asks.", ""]
    lines += _table(["split | from | by", *tops], rows, means)
    columns = ("top1", "top2", "top3")
    rows = {
        f"{split} | {task} | {least}": [
            (split, "own chance", task, f"{least}", top) for top in columns
        ]
        for split in splits
        for task in tasks
        for least in LEAST
    }
    lines += [
        "",
        "### The same-image measure's chance, by how many wrong candidates a query has",
        "",
    ]
    lines += _table(["split | task | at least", *columns], rows, means)
    return "\n".join(lines)


def _table(columns: list[str], rows: dict[str, list[Key]], means: dict[Key, float]) -> list[str]:
    names = columns[0].count("|") + 1
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * names}{'---:|' * (len(columns) - 1)}",
        *(
            f"| {name} | {' | '.join(_figure(means.get(key)) for key in keys)} |"
            for name, keys in rows.items()
            if keys[0] in means
        ),
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
