"""What `concepts` finds on DIDEC beside `canonical` and `ours`: python -m benchmarks.concepts.

Needs the data in the form of ``tables`` at BEHOLDER_DIDEC, by default ../shared/data/didec. Scores
the test parts. Besides, `concepts` of a gaze that knows the areas which it met itself alone, not
all that are known of its image; and how often the image is found among the test part's.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beholder.commands.options import seeds_in
from beholder.evaluation.oracles import carried, group_hits
from beholder.evaluation.protocol import score_task
from beholder.model import TrainingConfiguration
from beholder.model.methods import BUILT_IN, Setting
from beholder.model.methods.concepts import ConceptMethod
from beholder.study import Study
from beholder.study.tasks import Galleries, parse_tasks
from benchmarks.ceilings import DATA, MODALITIES, TASKS
from benchmarks.commands import beholder, write_results

METHODS = {name: BUILT_IN[name] for name in ("ours", "canonical", "concepts")} | {
    "concepts, areas met alone": ConceptMethod(whole_image=False)
}
MEASURES = ("top3", "mrr", "same-image top1", "same-image top3", "image top1")
Key = tuple[str, str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--splits", default="image")
    parser.add_argument("--folder", type=Path, help="Keep the runs here, or use those there.")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: name the folder with BEHOLDER_DIDEC")
    seeds, splits = seeds_in(options.seeds), options.splits.split(",")
    values: dict[Key, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "study").exists():
            beholder("read", "tables", DATA, folder / "study", "--language", "nl")
        study = Study.open(folder / "study")
        for split in splits:
            for seed in seeds:
                for key, value in measured(study, folder, split, seed):
                    values.setdefault(key, []).append(float(value))
    rows = [
        {"what": list(key), "by_seed": np.round(own, 4).tolist()} for key, own in values.items()
    ]
    write_results("concepts", {"seeds": list(seeds), "rows": rows}, page(values, seeds, splits))


def measured(study: Study, folder: Path, split: Any, seed: int) -> Iterator[tuple[Key, float]]:
    """Give every figure of one split and seed by its name."""
    configuration = TrainingConfiguration(tasks=TASKS, split=split, seed=seed)
    setting = Setting(study, configuration, folder / f"{split}-{seed}", ("ours", "canonical"))
    galleries, rows = Galleries.of(study, MODALITIES), setting.split.rows("test")
    for name, method in METHODS.items():
        matcher = method.fit(setting)
        assert matcher is not None
        for task in parse_tasks(TASKS):
            retrieval = galleries.retrieval(task, rows)
            found = score_task(study, matcher, retrieval, galleries.same_image(task, rows))
            own = found.measures(seed)
            scores = matcher.against(task, retrieval.gallery)(retrieval.queries)
            of_image = carried(galleries, retrieval, rows, study.image_codes)
            asked = study.image_codes[retrieval.queries]
            figures = (
                *(own["top3"], own["mrr"]),
                *(own["same_image"]["top1"], own["same_image"]["top3"]),
                group_hits(scores, of_image, asked, 1).mean(),
            )
            for measure, figure in zip(MEASURES, figures, strict=True):
                yield (split, task.name, name, measure), figure


def page(values: dict[Key, list[float]], seeds: Any, splits: list[str]) -> str:
    """Return the tables."""
    tasks = TASKS.split(",")
    lines = [
        f"DIDEC, test parts, seeds {list(seeds)}, g2t / t2g: means, and what is gained over "
        "`canonical` with its standard error over the seeds.",
    ]
    for split in splits:
        lines += ["", f"### {split}", "", f"| | {' | '.join(MEASURES)} |"]
        lines += [f"|---|{'---:|' * len(MEASURES)}"]
        for name in METHODS:
            own = [[values[split, task, name, one] for task in tasks] for one in MEASURES]
            means = (" / ".join(f"{np.mean(of_task):.3f}" for of_task in both) for both in own)
            lines.append(f"| {name} | {' | '.join(means)} |")
            if name.startswith("concepts"):
                gained = (
                    " / ".join(gain(values, (split, task, name, one)) for task in tasks)
                    for one in MEASURES
                )
                lines.append(f"| gained | {' | '.join(gained)} |")
    return "\n".join(lines)


def gain(values: dict[Key, list[float]], key: Key) -> str:
    """Return what a method gains over `canonical`, with its standard error."""
    split, task, _, measure = key
    gained = np.subtract(values[key], values[split, task, "canonical", measure])
    error = gained.std(ddof=1) / np.sqrt(len(gained)) if len(gained) > 1 else np.nan
    return f"{gained.mean():+.3f} ± {error:.3f}"


if __name__ == "__main__":
    main()
