"""Localized narratives made up, in the exact form of the published lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WORDS = (
    *("in", "this", "image", "i", "can", "see", "a", "man", "standing", "near", "the", "tree"),
    *("on", "left", "side", "there", "is", "dog", "sitting", "grass", "background", "sky", "and"),
    *("house", "with", "red", "roof", "table", "which", "cup", "water", "people", "walking"),
)
CAPTION_WORDS = 37  # the published captions' mean
SEGMENTS, SEGMENT_POINTS = 4, 40  # of a trace, on average
FIRST_ID, IDS_APART = 139, 146  # numbers as sparse as COCO's


def image_id(number: int) -> str:
    return str(FIRST_ID + IDS_APART * number)


def write_images(folder: Path, count: int, size: tuple[int, int] = (16, 12)) -> None:
    """Write tiny pictures, named as COCO names its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        colour = (number % 256, number // 256 % 256, 128)
        Image.new("RGB", size, colour).save(folder / f"{image_id(number):0>12}.jpg")


def make_narrative(
    generator: np.random.Generator, number: int, images: int, annotators: int = 150
) -> dict[str, Any]:
    """Return one narrative; no number up to ``images * annotators`` repeats another's pair."""
    image, annotator = number % images, number // images % annotators
    words = [WORDS[word] for word in generator.integers(0, len(WORDS), 1 + _size(generator))]
    times = np.round(np.cumsum(generator.uniform(0.1, 0.6, len(words) + 1)), 1).tolist()
    return {
        "dataset_id": "mscoco_val2017",
        "image_id": image_id(image),
        "annotator_id": annotator,
        "caption": " ".join(words).capitalize() + ".",
        "timed_caption": [
            {"utterance": word, "start_time": start, "end_time": end}
            for word, start, end in zip(words, times[:-1], times[1:], strict=True)
        ],
        "traces": make_traces(generator),
        "voice_recording": f"coco_val/coco_val_{image_id(image):0>12}_{annotator}.ogg",
    }


def make_traces(generator: np.random.Generator) -> list[list[dict[str, float]]]:
    """Return a pointer's walk in segments, now and then a bit beyond the image's edge."""
    traces, clock = [], 0.0
    for _ in range(1 + generator.poisson(SEGMENTS - 1)):
        count = 1 + generator.poisson(SEGMENT_POINTS)
        start, steps = generator.random((1, 2)), generator.normal(0, 0.01, (count, 2))
        x, y = np.round(np.clip(start + np.cumsum(steps, axis=0), -0.08, 1.08), 4).T.tolist()
        t = np.round(clock + np.cumsum(generator.uniform(0.012, 0.04, count)), 3).tolist()
        clock = t[-1] + 0.5
        traces.append([{"x": a, "y": b, "t": c} for a, b, c in zip(x, y, t, strict=True)])
    return traces


def _size(generator: np.random.Generator) -> int:
    return int(generator.poisson(CAPTION_WORDS - 1))


def line(narrative: dict[str, Any]) -> str:
    return json.dumps(narrative) + "\n"
