"""Seconds and memory for a study of 4,000 samples: python -m benchmarks.speed.

The study is simulated and written as CSV tables, then read, trained and evaluated by the
command, each step in a process of its own with an empty cache of features.
"""

import csv
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from beholder.study import Study
from beholder.study.simulation import PRESETS, simulate
from benchmarks.commands import Cost, beholder, write_results

SAMPLES = 4000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ["BEHOLDER_CACHE"] = str(root / "cache")
        source = root / "source"
        clicks = _write_tables(root / "made", source)
        study, run = root / "study", root / "run"
        costs: dict[str, Cost] = {}
        report, costs["read"] = beholder("read", "tables", source, study)
        _, costs["train (three spaces of one pair)"] = beholder("train", study, run)
        _, costs["evaluate"] = beholder("evaluate", run)
    rows = [{"step": step, **asdict(cost)} for step, cost in costs.items()]
    lines = ["| step | seconds | processor seconds | peak MiB |", "|---|---|---|---|"]
    lines += [
        f"| {step} | {cost.wall_s:.1f} | {cost.cpu_s:.1f} | {cost.peak_mib:.0f} |"
        for step, cost in costs.items()
    ]
    lines += ["", f"{report['samples']:,} samples with {clicks:,} clicks."]
    results = {"samples": report["samples"], "clicks": clicks, "steps": rows}
    write_results("speed", results, "\n".join(lines))


def _write_tables(made: Path, source: Path) -> int:
    """Simulate a study of 4,000 samples, write it as a lab would and return its clicks."""
    preset = replace(
        PRESETS["small"],
        name="speed",
        images=400,
        participants=40,
        sets=4,
        task_images=100,
        viewers=10,
    )
    assert preset.samples == SAMPLES
    simulate(made, preset)
    study = Study.open(made)
    source.mkdir()
    (made / "images").rename(source / "images")
    width, height = preset.width, preset.height
    clicks = 0
    with (source / "samples.csv").open("w") as samples, (source / "fixations.csv").open("w") as f:
        texts, fixations = csv.writer(samples), csv.writer(f)
        texts.writerow(["participant", "image", "text"])
        fixations.writerow(["participant", "image", "x", "y", "t", "duration"])
        for sample in study:
            who = sample.participant, sample.image
            texts.writerow([*who, sample.text])
            gaze = sample.gaze
            clicks += len(gaze)
            for x, y, t, d in zip(gaze.x, gaze.y, gaze.time, gaze.duration, strict=True):
                fixations.writerow([*who, x * width, y * height, t, d])
    return clicks


if __name__ == "__main__":
    main()
