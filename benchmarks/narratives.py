"""Speed and memory of reading Localized Narratives: python -m benchmarks.narratives.

The lines are made up in the published form: 2,000 captions and traces, each met again with
other images and annotators. What is compared is Python's JSON parser on the same file.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.commands import beholder, write_results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "study" / "readers"))

from made_narratives import image_id, line, make_narrative, write_images

DISTINCT = 2000
IMAGES = 3000
PARSE = """
import json, sys, time
started = time.monotonic(), time.process_time()
with open(sys.argv[1], "rb") as file:
    for line in file:
        json.loads(line)
print(json.dumps([time.monotonic() - started[0], time.process_time() - started[1]]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="Where about 9 GB per million lines fit.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source = Path(folder) / "source"
        write_images(source / "images", IMAGES)
        file = source / "narratives.jsonl"
        _write_lines(file, options.lines)
        size = file.stat().st_size
        parse = [sys.executable, "-c", PARSE, str(file)]
        wall, cpu = json.loads(subprocess.run(parse, capture_output=True, check=True).stdout)
        report, cost = beholder("read", "localized-narratives", source, Path(folder) / "study")
    assert report["samples"] == options.lines, report
    results = {
        "lines": options.lines,
        "bytes": size,
        "images": IMAGES,
        "parse": {"wall_s": wall, "cpu_s": cpu},
        "read": asdict(cost),
        "lines_per_s": options.lines / cost.wall_s,
        "speed_of_parsing": wall / cost.wall_s,
        "speed_of_parsing_cpu": cpu / cost.cpu_s,
    }
    rows = [
        "| step | seconds | processor seconds | lines a second | peak MiB |",
        "|---|---|---|---|---|",
        f"| json.loads on every line | {wall:.0f} | {cpu:.0f} | {options.lines / wall:,.0f} | |",
        f"| beholder read localized-narratives | {cost.wall_s:.0f} | {cost.cpu_s:.0f} "
        f"| {options.lines / cost.wall_s:,.0f} | {cost.peak_mib:.0f} |",
        "",
        f"{options.lines:,} lines, {size / 1e9:.1f} GB, {IMAGES:,} images. Reading has "
        f"{wall / cost.wall_s:.2f} of the speed of parsing alone ({cpu / cost.cpu_s:.2f} by "
        "processor seconds).",
    ]
    write_results("narratives", results, "\n".join(rows))


def _write_lines(file: Path, count: int) -> None:
    generator = np.random.default_rng(0)
    # The image and the annotator stand for themselves until a line is written.
    templates = []
    for _ in range(DISTINCT):
        made = make_narrative(generator, 0, IMAGES) | {"image_id": "@I", "annotator_id": "@A"}
        made["voice_recording"] = "coco_val/coco_val_@I_@B.ogg"
        templates.append(line(made).replace('"@A"', "@B"))
    with file.open("w") as stream:
        for number in range(count):
            text = templates[number % DISTINCT].replace("@I", image_id(number % IMAGES))
            stream.write(text.replace("@B", str(number // IMAGES)))


if __name__ == "__main__":
    main()
