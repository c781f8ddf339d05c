"""Top-3 accuracy on DIDEC by method, split and seed: python -m benchmarks.didec.

Needs the data in the form of ``tables`` at BEHOLDER_DIDEC, by default ../shared/data/didec.
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.commands import beholder, write_results

DATA = Path(os.environ.get("BEHOLDER_DIDEC", Path(__file__).parents[2] / "shared/data/didec"))
TASKS = ("g2t", "t2g")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--splits", default="random,image,participant,both")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: name the folder with BEHOLDER_DIDEC")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        beholder("read", "tables", DATA, study, "--language", "nl")
        for split in options.splits.split(","):
            for seed in range(options.seeds):
                run = Path(folder) / f"{split}-{seed}"
                beholder("train", study, run, "--split", split, "--seed", str(seed))
                result, _ = beholder("evaluate", run)
                rows += _rows(result)
    write_results("didec", rows, _table(rows))


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "split": result["split"],
            "seed": result["seed"],
            "method": method,
            "task": task,
            "top3": measures["top3"],
            "mrr": measures["mrr"],
            "gallery": measures["gallery"],
            "chance_top3": measures["chance_top3"],
            "ci95_top3": measures["ci95_top3"],
            "same_image": measures["same_image"],
        }
        for method, tasks in result["methods"].items()
        for task, measures in tasks.items()
    ]


def _table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table: mean ± spread over the seeds, and each seed's figure."""
    lines = [
        "| split | task | method | top-3, mean ± spread | by seed | chance | same image, top-1 "
        "| its chance |",
        "|---|---|---|---|---|---|---|---|",
    ]
    cells = dict.fromkeys((row["split"], row["task"], row["method"]) for row in rows)
    for split, task, method in cells:
        own = [r for r in rows if (r["split"], r["task"], r["method"]) == (split, task, method)]
        top3 = [row["top3"] for row in own]
        spread = stdev(top3) if len(top3) > 1 else 0.0
        same = mean(row["same_image"]["top1"] for row in own)
        lines.append(
            f"| {split} | {task} | {method} | {mean(top3):.3f} ± {spread:.3f} "
            f"| {' '.join(f'{value:.3f}' for value in top3)} "
            f"| {mean(row['chance_top3'] for row in own):.3f} | {same:.3f} "
            f"| {mean(row['same_image']['chance_top1'] for row in own):.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
