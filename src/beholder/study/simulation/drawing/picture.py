"""Pictures of scenes: a setting, grain and the objects, one behind another."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from beholder.study.simulation.catalogue import COLOURS, OBJECTS, RGB
from beholder.study.simulation.drawing import (
    animals,
    food,
    furniture,
    nature,
    people,
    signs,
    vehicles,
)
from beholder.study.simulation.drawing.backdrops import BACKDROPS
from beholder.study.simulation.drawing.pen import SHADOW, WHITE, Drawer, Pen, rgb
from beholder.study.simulation.scenes import Scene, SceneObject

SUPERSAMPLING: Final = 2
GRAIN: Final = 3.5

_GROUPS: Final = (people, animals, vehicles, nature, food, furniture, signs)

DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {label: drawer for group in _GROUPS for label, drawer in group.DRAWERS.items()}
)


def draw_scene(
    scene: Scene, width: int, height: int, generator: np.random.Generator
) -> Image.Image:
    """Draw a scene as an RGB image of `width` by `height` pixels.

    The background and the grain take their random numbers before the objects do, so that the same
    generator state gives the same background with and without objects.
    """
    size = width * SUPERSAMPLING, height * SUPERSAMPLING
    canvas = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(canvas, "RGBA")
    backdrop = Pen(
        draw, (0.0, 0.0, float(size[0]), float(size[1])), COLOURS[scene.accent], generator
    )
    BACKDROPS[scene.setting](backdrop)
    grain = generator.standard_normal((height, width, 1), dtype=np.float32) * GRAIN
    for item in scene.objects:
        _draw_object(draw, item, size, generator)
    pixels = np.asarray(canvas.reduce(SUPERSAMPLING), dtype=np.float32) * scene.light + grain
    return Image.fromarray(np.clip(pixels, 0.0, 255.0).astype(np.uint8))


def _draw_object(
    draw: ImageDraw.ImageDraw,
    item: SceneObject,
    size: tuple[int, int],
    generator: np.random.Generator,
) -> None:
    box = (item.x * size[0], item.y * size[1], item.width * size[0], item.height * size[1])
    mirrored = bool(generator.random() < 0.5)
    stroke = max(1, round(size[1] / 220))
    pen = Pen(draw, box, _vary(COLOURS[item.colour], generator), generator, stroke, mirrored)
    if OBJECTS[item.label].band in ("ground", "table"):
        pen.ellipse(0.02, 0.93, 0.98, 1.0, SHADOW, edge=False)
    DRAWERS[item.label](pen)


def _vary(colour: RGB, generator: np.random.Generator) -> RGB:
    return rgb(np.clip(np.add(colour, generator.integers(-6, 7, 3)), 0, 255).tolist())
