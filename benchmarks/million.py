"""What a study of a million samples costs: python -m benchmarks.million [--samples N].

The tables of a made crowd are read, trained on (the base space of g2t, one epoch and no refit) and
evaluated by the command, each step in a process of its own with an empty cache of features. The
figures of other sizes that were measured before are kept beside the new ones.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.commands import RESULTS, beholder, write_results
from benchmarks.crowd import Crowd, write_crowd

TRAINING = ("--method", "base", "--tasks", "g2t", "--set", "epochs=1", "--set", "refit=0")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--folder", help="Where some 8 kB a sample fit meanwhile.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for measured in measure(Crowd(options.samples), Path(folder)):
            _keep(options.samples, measured)


def measure(crowd: Crowd, root: Path) -> Iterator[dict[str, Any]]:
    """Give what is known after each step: its cost, sizes on disk and, at the end, the scores."""
    os.environ["BEHOLDER_CACHE"] = str(root / "cache")
    source, study, run = root / "source", root / "study", root / "run"
    write_crowd(crowd, source)
    measured: dict[str, Any] = {
        "crowd": asdict(crowd) | {"participants": crowd.participants},
        "mib": {"source": _mib(source.glob("*.csv"))},
        "steps": {},
    }
    for step, arguments in {
        "read": ("read", "tables", source, study),
        "train": ("train", study, run, *TRAINING),
        "evaluate": ("evaluate", run),
    }.items():
        found, cost = beholder(*arguments)
        measured["steps"][step] = asdict(cost)
        measured["mib"]["study"] = _mib(study.glob("*.parquet"))
        if step == "train":
            measured["mib"]["features"] = _mib((root / "cache").rglob("*.npy"))
        if step == "evaluate":
            scores = found["tasks"]["g2t"]
            names = ("queries", "gallery", "top10", "mrr")
            measured["scores"] = {name: scores[name] for name in names}
        yield measured


def _keep(samples: int, measured: dict[str, Any]) -> None:
    known = RESULTS / "million.json"
    sizes = json.loads(known.read_text()) if known.is_file() else {}
    sizes[str(samples)] = measured
    sizes = dict(sorted(sizes.items(), key=lambda size: int(size[0])))
    write_results("million", sizes, _table(sizes))


def _mib(files: Iterable[Path]) -> int:
    return round(sum(file.stat().st_size for file in files) / 2**20)


def _table(sizes: dict[str, Any]) -> str:
    lines = ["| samples | step | seconds | processor seconds | peak MiB |", "|---|---|---|---|---|"]
    for samples, measured in sizes.items():
        for step, cost in measured["steps"].items():
            lines.append(
                f"| {int(samples):,} | {step} | {cost['wall_s']:.0f} | {cost['cpu_s']:.0f} | "
                f"{cost['peak_mib']:.0f} |"
            )
    lines += [
        "",
        "| samples | tables MiB | study MiB | features MiB | queries × gallery | top-10 |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    for samples, measured in sizes.items():
        if "scores" not in measured:
            continue
        mib, scores = measured["mib"], measured["scores"]
        lines.append(
            f"| {int(samples):,} | {mib['source']:,} | {mib['study']:,} | {mib['features']:,} | "
            f"{scores['queries']:,} × {scores['gallery']:,} | {scores['top10']:.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
