"""Targets of known image pixels, found again in a picture of the screen and clicked."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw
from visitor import Visitor

WIDTH, HEIGHT = 800, 600
# Single-coloured squares of 9 × 9 image pixels on dark grey, by the pixel at their middle.
TARGETS = {(60, 50): "#ff0000", (401, 299): "#00ff00", (777, 31): "#0000ff", (703, 555): "#ffff00"}
GROUND = 0x30
HALF_A_PIXEL = 0.5  # of the image
AROUND = 24  # CSS pixels of the screen in which a target is searched

Targets = dict[tuple[int, int], str]


def image_with(targets: Targets, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Draw the targets."""
    image = Image.new("RGB", (width, height), (GROUND,) * 3)
    for (x, y), colour in targets.items():
        ImageDraw.Draw(image).rectangle((x - 4, y - 4, x + 4, y + 4), fill=colour)
    return image


def seen_at(visitor: Visitor, near: tuple[float, float], colour: str) -> tuple[float, float]:
    """Return where, in CSS pixels of the viewport, a colour is seen in a picture of the screen."""
    screen = Image.open(io.BytesIO(visitor.page.screenshot()))
    scale = screen.width / visitor.page.evaluate("innerWidth")
    left, top = (max(0, round((at - AROUND) * scale)) for at in near)
    area = (left, top, left + round(2 * AROUND * scale), top + round(2 * AROUND * scale))
    pixels = np.asarray(screen.convert("RGB").crop(area), dtype=float)
    # Targets are pure in colour: how far a pixel is mixed with the dark ground is its coverage.
    ground, target = np.full(3, GROUND), np.array(ImageColor.getrgb(colour), dtype=float)
    towards = (target - ground) / np.square(target - ground).sum()
    coverage = (pixels - ground) @ towards
    coverage[np.abs(pixels - ground - coverage[..., None] * (target - ground)).max(axis=2) > 12] = 0
    coverage[coverage < 0.1] = 0
    assert coverage.sum() > 4, f"no target of {colour} is seen"
    rows, columns = np.indices(coverage.shape) + 0.5
    x = (left + (columns * coverage).sum() / coverage.sum()) / scale
    y = (top + (rows * coverage).sum() / coverage.sum()) / scale
    return float(x), float(y)


def hit(visitor: Visitor, click: Callable[[float, float], Any]) -> None:
    """Uncover each target, look where it is on the screen, and click there: two clicks each."""
    for (x, y), colour in TARGETS.items():
        visitor.page.evaluate("scrollTo(0, 0)")
        box = visitor.box()
        down = max(0.0, box["y"] + y / HEIGHT * box["height"] + 60 - visitor.height)
        visitor.page.evaluate("y => scrollTo(0, y)", down)
        box = visitor.box()
        near = (
            box["x"] + (x + 0.5) / WIDTH * box["width"],
            box["y"] + (y + 0.5) / HEIGHT * box["height"],
        )
        click(near[0] + 3, near[1] + 2)
        click(*seen_at(visitor, near, colour))


def furthest_miss(clicks: list[dict[str, Any]]) -> float:
    """Return how far, in image pixels along either axis, the second clicks lie from the targets."""
    hits = clicks[1::2]
    assert len(hits) == len(TARGETS)
    return max(
        max(abs(hit["x"] * WIDTH - x - 0.5), abs(hit["y"] * HEIGHT - y - 0.5))
        for (x, y), hit in zip(TARGETS, hits, strict=True)
    )
