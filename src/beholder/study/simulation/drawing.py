"""Drawing scenes with Pillow: one small function for each kind of object and each setting.

Everything is drawn at twice the size and then halved, which smooths the edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from beholder.study.simulation.scenes import COLOURS, OBJECTS, RGB, Scene, SceneObject

Point = tuple[float, float]
Fill = RGB | tuple[int, int, int, int]

SUPERSAMPLING: Final = 2
GRAIN: Final = 3.5

WHITE: Final[RGB] = (250, 250, 248)
BLACK: Final[RGB] = (38, 36, 42)
STEEL: Final[RGB] = (168, 174, 182)
GLASS: Final[RGB] = (186, 222, 240)
WOOD: Final[RGB] = (140, 92, 54)
GOLD: Final[RGB] = (248, 206, 70)
LEAF: Final[RGB] = (66, 142, 62)
SHADOW: Final[Fill] = (20, 20, 30, 70)
SKINS: Final[tuple[RGB, ...]] = ((250, 214, 184), (226, 176, 132), (150, 100, 66), (104, 68, 48))
HAIRS: Final[tuple[RGB, ...]] = ((40, 32, 30), (96, 60, 34), (206, 160, 80), (150, 70, 34))


def shade(colour: RGB, factor: float) -> RGB:
    """A colour darkened (factor below 1) or lightened towards white (factor from 1 to 2)."""
    if factor <= 1.0:
        return _rgb(channel * factor for channel in colour)
    return mix(colour, WHITE, factor - 1.0)


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """The blend of two colours, `share` (0 to 1) being the part of the other."""
    return _rgb(a + (b - a) * share for a, b in zip(one, other, strict=True))


def _rgb(channels: Iterable[float]) -> RGB:
    red, green, blue = (round(channel) for channel in channels)
    return red, green, blue


class Pen:
    """Draws shapes in the coordinates of a box, (0, 0) its top left and (1, 1) its bottom right.

    `box` is (left, top, width, height) in pixels of the canvas, `ink` the main colour and
    `stroke` the width of an outline in pixels (0 for none). A mirrored pen swaps left and right.
    """

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        box: tuple[float, float, float, float],
        ink: RGB,
        generator: np.random.Generator,
        stroke: int = 0,
        mirrored: bool = False,
    ) -> None:
        self.draw = draw
        self.left, self.top, self.width, self.height = box
        self.ink, self.dark, self.light = ink, shade(ink, 0.72), shade(ink, 1.35)
        self.generator = generator
        self.stroke = stroke
        self.mirrored = mirrored

    def at(self, x: float, y: float) -> Point:
        """The canvas pixel of a point of the box."""
        across = 1.0 - x if self.mirrored else x
        return self.left + across * self.width, self.top + y * self.height

    def ellipse(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Fill | None = None,
        edge: bool = True,
    ) -> None:
        """An ellipse between two corners."""
        colour = self.ink if fill is None else fill
        stroke = self.stroke if edge else 0
        self.draw.ellipse(self._corners(x0, y0, x1, y1), colour, _outline(colour), stroke)

    def disc(
        self, x: float, y: float, radius: float, fill: Fill | None = None, edge: bool = True
    ) -> None:
        """A true circle; its radius is a fraction of the box's height."""
        across = radius * self.height / self.width
        self.ellipse(x - across, y - radius, x + across, y + radius, fill, edge)

    def rectangle(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        fill: Fill | None = None,
        edge: bool = True,
        rounding: float = 0.0,
    ) -> None:
        """A rectangle between two corners; `rounding` is a fraction of the box's shorter side."""
        colour = self.ink if fill is None else fill
        stroke = self.stroke if edge else 0
        corners = self._corners(x0, y0, x1, y1)
        outline = _outline(colour) if stroke else None
        if rounding:
            radius = _safe_radius(rounding * min(self.width, self.height), corners)
            self.draw.rounded_rectangle(corners, radius, colour, outline, stroke)
        else:
            self.draw.rectangle(corners, colour, outline, stroke)

    def polygon(self, points: Sequence[Point], fill: Fill | None = None, edge: bool = True) -> None:
        """A filled polygon."""
        colour = self.ink if fill is None else fill
        corners = [self.at(x, y) for x, y in points]
        self.draw.polygon(corners, colour)
        if edge and self.stroke:
            self.draw.line([*corners, corners[0]], _outline(colour), self.stroke)

    def line(self, points: Sequence[Point], width: float, fill: Fill | None = None) -> None:
        """A broken line; its width is a fraction of the box's shorter side."""
        corners = [self.at(x, y) for x, y in points]
        colour = self.ink if fill is None else fill
        self.draw.line(corners, colour, self._thickness(width), joint="curve")

    def arc(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        angles: tuple[float, float],
        width: float,
        fill: Fill | None = None,
    ) -> None:
        """A part of an ellipse's outline; angles in degrees, clockwise from the right."""
        colour = self.ink if fill is None else fill
        corners = self._corners(x0, y0, x1, y1)
        self.draw.arc(corners, *self._angles(angles), colour, self._thickness(width))

    def pie(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        angles: tuple[float, float],
        fill: Fill | None = None,
    ) -> None:
        """A part of an ellipse cut off by a straight line; angles as for an arc."""
        colour = self.ink if fill is None else fill
        corners = self._corners(x0, y0, x1, y1)
        self.draw.chord(corners, *self._angles(angles), colour, _outline(colour), self.stroke)

    def cloud(
        self, bubbles: Sequence[tuple[float, float, float, float]], fill: Fill | None = None
    ) -> None:
        """Ellipses run together into one shape with one outline."""
        for bubble in bubbles:
            self.ellipse(*bubble, fill)
        inset_x, inset_y = self.stroke / self.width, self.stroke / self.height
        for x0, y0, x1, y1 in bubbles:
            inside = (x0 + inset_x, y0 + inset_y, x1 - inset_x, y1 - inset_y)
            self.ellipse(*inside, fill, edge=False)

    def gradient(self, y0: float, y1: float, upper: RGB, lower: RGB) -> None:
        """A band across the whole box that blends from one colour down to another."""
        (left, top), (right, bottom) = self.at(0.0, y0), self.at(1.0, y1)
        rows = range(round(top), round(bottom) + 1)
        for row in rows:
            colour = mix(upper, lower, (row - rows.start) / len(rows))
            self.draw.line((left, row, right, row), colour)

    def chance(self, low: float, high: float) -> float:
        """A random number between two bounds."""
        return float(self.generator.uniform(low, high))

    def pick(self, colours: Sequence[RGB]) -> RGB:
        """A random one of some colours."""
        return colours[int(self.generator.integers(len(colours)))]

    def _corners(self, x0: float, y0: float, x1: float, y1: float) -> tuple[Point, Point]:
        (left, top), (right, bottom) = self.at(x0, y0), self.at(x1, y1)
        return (min(left, right), min(top, bottom)), (max(left, right), max(top, bottom))

    def _angles(self, angles: tuple[float, float]) -> tuple[float, float]:
        return (180.0 - angles[1], 180.0 - angles[0]) if self.mirrored else angles

    def _thickness(self, width: float) -> int:
        return max(2, round(width * min(self.width, self.height)))


def _safe_radius(radius: float, corners: tuple[Point, Point]) -> float:
    """Return a radius that leaves the sides no straight part of under two pixels.

    Pillow refuses to draw one that is shorter than a pixel but not absent.
    """
    (left, top), (right, bottom) = corners
    while any(0 < side - 2 * radius <= 3 for side in (right - left, bottom - top)) and radius > 0:
        radius = max(radius - 2, 0)
    return radius


def _outline(fill: Fill) -> RGB:
    return shade((fill[0], fill[1], fill[2]), 0.42)


Drawer = Callable[[Pen], None]


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
    return _rgb(np.clip(np.add(colour, generator.integers(-6, 7, 3)), 0, 255).tolist())


# People


def _face(pen: Pen, x: float, y: float, radius: float, skin: RGB, hair: RGB) -> None:
    across = radius * pen.height / pen.width
    pen.disc(x, y, radius, skin)
    pen.pie(x - across, y - radius, x + across, y + radius, (195, 345), hair)
    for side in (-0.38, 0.38):
        pen.disc(x + side * across, y + 0.1 * radius, 0.13 * radius, BLACK, edge=False)
    mouth = (x - 0.5 * across, y - 0.2 * radius, x + 0.5 * across, y + 0.65 * radius)
    pen.arc(*mouth, (35, 145), 0.02, BLACK)


def _arms(pen: Pen, skin: RGB, shoulder: float, hand: float) -> None:
    for side in (-1.0, 1.0):
        pen.disc(0.5 + 0.4 * side, hand, 0.032, skin)
        sleeve = ((0.16, shoulder), (0.3, shoulder), (0.48, hand - 0.01), (0.32, hand))
        pen.polygon([(0.5 + side * x, y) for x, y in sleeve], pen.dark)


def _man(pen: Pen) -> None:
    skin, trousers = pen.pick(SKINS), pen.pick(((58, 66, 92), (74, 70, 66), (46, 46, 52)))
    for left in (0.2, 0.54):
        pen.ellipse(left, 0.945, left + 0.26, 1.0, BLACK)
    legs = ((0.26, 0.52), (0.74, 0.52), (0.76, 0.96), (0.56, 0.96), (0.5, 0.62), (0.44, 0.96))
    pen.polygon([*legs, (0.24, 0.96)], trousers)
    _arms(pen, skin, 0.22, 0.53)
    pen.rectangle(0.42, 0.15, 0.58, 0.23, skin)
    pen.rectangle(0.22, 0.2, 0.78, 0.56, rounding=0.12)
    _face(pen, 0.5, 0.1, 0.09, skin, pen.pick(HAIRS))


def _woman(pen: Pen) -> None:
    skin, hair = pen.pick(SKINS), pen.pick(HAIRS)
    pen.rectangle(0.22, 0.06, 0.78, 0.29, hair, rounding=0.24)
    for left in (0.32, 0.54):
        pen.rectangle(left, 0.7, left + 0.14, 0.97, skin)
        pen.ellipse(left - 0.04, 0.95, left + 0.18, 1.0, pen.dark)
    _arms(pen, skin, 0.22, 0.5)
    pen.rectangle(0.42, 0.15, 0.58, 0.23, skin)
    bodice = ((0.28, 0.21), (0.72, 0.21), (0.66, 0.41), (0.94, 0.76), (0.06, 0.76), (0.34, 0.41))
    pen.polygon(bodice)
    pen.rectangle(0.34, 0.4, 0.66, 0.43, pen.dark)
    _face(pen, 0.5, 0.105, 0.09, skin, hair)


def _child(pen: Pen) -> None:
    skin = pen.pick(SKINS)
    for left in (0.28, 0.53):
        pen.rectangle(left, 0.7, left + 0.19, 0.96, skin)
        pen.ellipse(left - 0.05, 0.93, left + 0.23, 1.0, WHITE)
    pen.rectangle(0.25, 0.62, 0.75, 0.82, (70, 84, 130), rounding=0.06)
    # One arm waves.
    pen.polygon(((0.3, 0.37), (0.14, 0.62), (0.02, 0.58), (0.22, 0.35)), skin)
    pen.polygon(((0.68, 0.37), (0.9, 0.16), (1.0, 0.22), (0.76, 0.46)), skin)
    pen.rectangle(0.23, 0.34, 0.77, 0.68, rounding=0.12)
    _face(pen, 0.47, 0.19, 0.165, skin, pen.pick(HAIRS))
    pen.pie(0.13, 0.01, 0.81, 0.28, (180, 360))
    pen.rectangle(0.55, 0.125, 0.96, 0.16, pen.dark, rounding=0.05)


# Animals


def _legs(pen: Pen, lefts: Sequence[float], top: float, width: float, hoof: RGB) -> None:
    for index, left in enumerate(lefts):
        # The far legs are in the shade.
        pen.rectangle(left, top, left + width, 1.0, pen.dark if index % 2 else pen.ink)
        pen.rectangle(left, 0.94, left + width, 1.0, hoof)


def _dog(pen: Pen) -> None:
    pen.polygon(((0.2, 0.5), (0.02, 0.18), (0.1, 0.14), (0.28, 0.42)))
    _legs(pen, (0.17, 0.29, 0.52, 0.63), 0.6, 0.1, shade(pen.ink, 0.6))
    pen.rectangle(0.13, 0.4, 0.76, 0.75, rounding=0.2)
    pen.polygon(((0.56, 0.5), (0.62, 0.2), (0.86, 0.3), (0.76, 0.62)))
    pen.ellipse(0.58, 0.08, 0.88, 0.5)
    pen.rectangle(0.74, 0.24, 0.99, 0.46, pen.light, rounding=0.14)
    pen.ellipse(0.92, 0.22, 1.0, 0.33, BLACK)
    pen.ellipse(0.56, 0.1, 0.68, 0.48, shade(pen.ink, 0.6))
    pen.disc(0.76, 0.21, 0.035, BLACK)
    pen.line(((0.6, 0.52), (0.8, 0.56)), 0.08, (204, 44, 48))


def _cat(pen: Pen) -> None:
    pen.arc(0.55, 0.5, 0.98, 0.97, (-90, 90), 0.16, shade(pen.ink, 0.42))
    pen.arc(0.58, 0.515, 0.955, 0.955, (-90, 90), 0.1, pen.dark)
    pen.ellipse(0.2, 0.42, 0.8, 1.0)
    for left in (0.26, 0.52):
        pen.ellipse(left, 0.86, left + 0.22, 1.0, pen.light)
    for side in (-1.0, 1.0):
        ear = ((0.38, 0.24), (0.33, 0.0), (0.08, 0.13))
        pen.polygon([(0.5 + side * x, y) for x, y in ear])
        pen.polygon([(0.5 + side * x * 0.85, y + 0.04) for x, y in ear], (240, 170, 170), False)
    pen.ellipse(0.1, 0.08, 0.9, 0.54)
    for x in (0.4, 0.5, 0.6):
        pen.line(((x, 0.1), (x, 0.19)), 0.05, pen.dark)
    for x in (0.32, 0.68):
        pen.ellipse(x - 0.09, 0.24, x + 0.09, 0.36, (190, 220, 80))
        pen.ellipse(x - 0.03, 0.24, x + 0.03, 0.36, BLACK, edge=False)
        for y in (0.39, 0.45):
            pen.line(((0.5 + (x - 0.5) * 0.7, 0.42), (0.5 + (x - 0.5) * 2.7, y)), 0.01, BLACK)
    pen.polygon(((0.44, 0.385), (0.56, 0.385), (0.5, 0.43)), (226, 110, 120))


def _bird(pen: Pen) -> None:
    pen.polygon(((0.48, 0.45), (0.5, 0.02), (0.74, 0.5)), pen.dark)
    pen.polygon(((0.3, 0.55), (0.0, 0.5), (0.06, 0.68), (0.02, 0.86), (0.32, 0.74)), pen.dark)
    pen.ellipse(0.18, 0.42, 0.78, 0.88)
    pen.polygon(((0.88, 0.44), (1.0, 0.56), (0.86, 0.62)), GOLD)
    pen.disc(0.78, 0.5, 0.19)
    pen.polygon(((0.66, 0.6), (0.3, 0.62), (0.1, 0.02), (0.24, 0.12), (0.36, 0.1)), pen.light)
    pen.disc(0.82, 0.45, 0.05, WHITE)
    pen.disc(0.825, 0.45, 0.025, BLACK, edge=False)


def _horse(pen: Pen) -> None:
    mane = shade(pen.ink, 0.45)
    pen.polygon(((0.16, 0.38), (0.04, 0.46), (0.0, 0.8), (0.08, 0.76), (0.2, 0.48)), mane)
    _legs(pen, (0.15, 0.25, 0.56, 0.66), 0.56, 0.08, BLACK)
    pen.polygon(((0.52, 0.44), (0.66, 0.1), (0.84, 0.2), (0.76, 0.62)))
    pen.ellipse(0.11, 0.34, 0.78, 0.7)
    pen.polygon(((0.56, 0.44), (0.64, 0.1), (0.78, 0.24), (0.72, 0.56)), edge=False)
    pen.polygon(((0.66, 0.08), (0.8, 0.05), (1.0, 0.28), (0.94, 0.37), (0.76, 0.27)))
    pen.polygon(((0.69, 0.1), (0.71, 0.0), (0.77, 0.08)))
    pen.polygon(((0.7, 0.05), (0.64, 0.04), (0.48, 0.42), (0.58, 0.42), (0.68, 0.2)), mane)
    pen.disc(0.81, 0.14, 0.022, BLACK)
    pen.disc(0.955, 0.29, 0.014, BLACK, edge=False)


def _cow(pen: Pen) -> None:
    pen.line(((0.08, 0.3), (0.03, 0.4), (0.04, 0.72)), 0.05, pen.dark)
    pen.ellipse(0.3, 0.66, 0.44, 0.84, (240, 170, 170))
    _legs(pen, (0.11, 0.22, 0.52, 0.62), 0.6, 0.09, BLACK)
    pen.rectangle(0.06, 0.22, 0.78, 0.76, rounding=0.18)
    for patch in ((0.14, 0.27, 0.34, 0.53), (0.4, 0.42, 0.6, 0.7), (0.5, 0.25, 0.6, 0.36)):
        pen.ellipse(*patch, WHITE, edge=False)
    for left in (0.68, 0.9):
        pen.polygon(((left, 0.1), (left + 0.03, 0.0), (left + 0.06, 0.12)), (236, 224, 190))
        pen.ellipse(left - 0.06, 0.12, left + 0.08, 0.23, pen.dark)
    pen.rectangle(0.69, 0.09, 0.95, 0.54, rounding=0.2)
    pen.polygon(((0.79, 0.1), (0.85, 0.1), (0.86, 0.38), (0.78, 0.38)), WHITE, edge=False)
    pen.ellipse(0.66, 0.36, 0.98, 0.6, (244, 180, 176))
    for x in (0.75, 0.89):
        pen.disc(x, 0.48, 0.03, (120, 60, 60), edge=False)
        pen.disc(x, 0.26, 0.035, BLACK if sum(pen.ink) > 240 else WHITE)


def _duck(pen: Pen) -> None:
    pen.polygon(((0.02, 0.38), (0.3, 0.6), (0.62, 0.55), (0.6, 0.95), (0.2, 0.95), (0.05, 0.7)))
    pen.ellipse(0.1, 0.48, 0.82, 0.98)
    pen.polygon(((0.84, 0.2), (1.0, 0.3), (0.84, 0.4)), (240, 140, 40))
    pen.rectangle(0.56, 0.26, 0.78, 0.7, edge=False)
    pen.disc(0.7, 0.24, 0.22)
    pen.ellipse(0.22, 0.54, 0.6, 0.84, pen.dark)
    pen.disc(0.76, 0.2, 0.04, BLACK)
    pen.rectangle(0.0, 0.92, 1.0, 1.0, (120, 170, 205, 190), edge=False)


# Vehicles


def _wheels(pen: Pen, centres: Sequence[float], radius: float) -> None:
    for x in centres:
        pen.disc(x, 1.0 - radius, radius, BLACK)
        pen.disc(x, 1.0 - radius, radius * 0.52, STEEL)


def _car(pen: Pen) -> None:
    pen.polygon(((0.16, 0.48), (0.3, 0.04), (0.68, 0.04), (0.86, 0.48)))
    pen.polygon(((0.24, 0.44), (0.34, 0.13), (0.47, 0.13), (0.47, 0.44)), GLASS)
    pen.polygon(((0.52, 0.44), (0.52, 0.13), (0.65, 0.13), (0.77, 0.44)), GLASS)
    pen.rectangle(0.0, 0.42, 1.0, 0.84, rounding=0.2)
    pen.rectangle(0.0, 0.7, 1.0, 0.84, pen.dark, rounding=0.1)
    pen.line(((0.49, 0.46), (0.49, 0.7)), 0.02, pen.dark)
    pen.rectangle(0.53, 0.52, 0.6, 0.57, STEEL)
    pen.ellipse(0.91, 0.48, 0.99, 0.62, GOLD)
    pen.rectangle(0.0, 0.5, 0.05, 0.62, (220, 40, 40))
    _wheels(pen, (0.22, 0.78), 0.21)


def _bus(pen: Pen) -> None:
    pen.rectangle(0.0, 0.0, 1.0, 0.9, rounding=0.1)
    pen.rectangle(0.0, 0.56, 1.0, 0.64, pen.light)
    for index in range(5):
        left = 0.04 + index * 0.155
        pen.rectangle(left, 0.14, left + 0.13, 0.48, GLASS)
    pen.rectangle(0.82, 0.14, 0.97, 0.86, GLASS)
    pen.line(((0.895, 0.14), (0.895, 0.86)), 0.02, BLACK)
    pen.rectangle(0.96, 0.68, 1.0, 0.78, GOLD)
    _wheels(pen, (0.2, 0.68), 0.17)


def _truck(pen: Pen) -> None:
    pen.rectangle(0.02, 0.76, 0.98, 0.88, BLACK)
    pen.rectangle(0.0, 0.0, 0.66, 0.78, shade(pen.ink, 1.7))
    for x in (0.13, 0.26, 0.39, 0.52):
        pen.line(((x, 0.04), (x, 0.74)), 0.02, shade(pen.ink, 1.3))
    pen.polygon(((0.68, 0.18), (0.88, 0.18), (0.97, 0.5), (1.0, 0.54), (1.0, 0.84), (0.68, 0.84)))
    pen.polygon(((0.73, 0.24), (0.86, 0.24), (0.93, 0.5), (0.73, 0.5)), GLASS)
    pen.ellipse(0.95, 0.6, 1.0, 0.72, GOLD)
    _wheels(pen, (0.15, 0.38, 0.84), 0.18)


def _bicycle(pen: Pen) -> None:
    for x in (0.24, 0.76):
        pen.disc(x, 0.69, 0.31, BLACK)
        pen.disc(x, 0.69, 0.25, (226, 228, 230))
        for angle in range(0, 180, 30):
            across = 0.24 * math.cos(math.radians(angle)) * pen.height / pen.width
            down = 0.24 * math.sin(math.radians(angle))
            pen.line(((x - across, 0.69 - down), (x + across, 0.69 + down)), 0.01, STEEL)
    frame = ((0.24, 0.69), (0.4, 0.28), (0.66, 0.28), (0.46, 0.7), (0.24, 0.69))
    pen.line(frame, 0.08)
    pen.line(((0.37, 0.18), (0.46, 0.7)), 0.08)
    pen.line(((0.76, 0.69), (0.64, 0.08)), 0.08)
    pen.line(((0.58, 0.07), (0.7, 0.05), (0.76, 0.14)), 0.07, BLACK)
    pen.ellipse(0.27, 0.1, 0.46, 0.22, BLACK)
    pen.disc(0.46, 0.7, 0.07, STEEL)


def _boat(pen: Pen) -> None:
    pen.rectangle(0.47, 0.0, 0.51, 0.74, WOOD)
    pen.polygon(((0.53, 0.04), (0.96, 0.64), (0.53, 0.64)), WHITE)
    pen.polygon(((0.45, 0.12), (0.45, 0.64), (0.08, 0.64)), pen.light)
    pen.polygon(((0.0, 0.7), (1.0, 0.7), (0.84, 0.98), (0.18, 0.98)))
    pen.polygon(((0.0, 0.7), (1.0, 0.7), (0.96, 0.77), (0.04, 0.77)), WHITE)
    pen.rectangle(0.06, 0.96, 0.94, 1.0, (235, 245, 250, 170), edge=False)


def _airplane(pen: Pen) -> None:
    pen.polygon(((0.46, 0.48), (0.58, 0.48), (0.44, 0.06), (0.36, 0.06)), pen.dark)
    pen.polygon(((0.06, 0.5), (0.0, 0.0), (0.11, 0.0), (0.28, 0.44)), pen.dark)
    pen.rectangle(0.03, 0.36, 1.0, 0.72, rounding=0.18)
    pen.polygon(((0.02, 0.62), (0.0, 0.44), (0.18, 0.5), (0.14, 0.62)), pen.dark)
    for index in range(8):
        pen.disc(0.26 + index * 0.075, 0.5, 0.055, GLASS)
    pen.polygon(((0.9, 0.4), (0.96, 0.4), (0.99, 0.52), (0.9, 0.52)), (80, 130, 180))
    pen.polygon(((0.44, 0.62), (0.64, 0.62), (0.36, 1.0), (0.25, 1.0)), pen.dark)


def _balloon(pen: Pen) -> None:
    for x in (0.36, 0.64):
        pen.line(((0.5 + (x - 0.5) * 2.2, 0.6), (x, 0.86)), 0.02, BLACK)
    pen.polygon(((0.05, 0.5), (0.95, 0.5), (0.62, 0.76), (0.38, 0.76)))
    pen.ellipse(0.0, 0.0, 1.0, 0.7)
    pen.polygon(((0.07, 0.5), (0.93, 0.5), (0.6, 0.755), (0.4, 0.755)), edge=False)
    pen.ellipse(0.2, 0.0, 0.8, 0.72, WHITE)
    pen.ellipse(0.37, 0.0, 0.63, 0.74)
    pen.rectangle(0.34, 0.84, 0.66, 1.0, WOOD, rounding=0.06)
    pen.line(((0.34, 0.91), (0.66, 0.91)), 0.03, shade(WOOD, 0.7))


# Nature


def _tree(pen: Pen) -> None:
    pen.polygon(((0.42, 0.5), (0.58, 0.5), (0.66, 1.0), (0.34, 1.0)), WOOD)
    crown = ((0.0, 0.24, 0.5, 0.56), (0.5, 0.24, 1.0, 0.56), (0.25, 0.32, 0.75, 0.66))
    pen.cloud((*crown, (0.08, 0.07, 0.6, 0.42), (0.42, 0.06, 0.92, 0.42), (0.22, 0.0, 0.78, 0.4)))
    for _ in range(14):
        x, y = pen.chance(0.15, 0.8), pen.chance(0.08, 0.52)
        pen.arc(x, y, x + 0.1, y + 0.045, (0, 180), 0.03, pen.dark)


def _palm_tree(pen: Pen) -> None:
    trunk = ((0.46, 0.25), (0.56, 0.25), (0.58, 0.6), (0.7, 1.0), (0.46, 1.0), (0.48, 0.6))
    pen.polygon(trunk, (164, 120, 74))
    for y in (0.4, 0.52, 0.64, 0.76, 0.88):
        pen.line(((0.48, y), (0.6, y)), 0.03, (120, 84, 50))
    leaves = ((0.0, 0.5), (0.0, 0.2), (0.2, 0.0), (0.82, 0.0), (1.0, 0.2), (1.0, 0.52))
    for index, (x, y) in enumerate(leaves):
        bend_x, bend_y = 0.5 + (x - 0.5) * 0.66, y * 0.4
        lower = (0.5 + (x - 0.5) * 0.5, y * 0.4 + 0.17)
        leaf = ((0.52, 0.18), (bend_x, bend_y), (x, y), lower, (0.5, 0.29))
        pen.polygon(leaf, pen.dark if index % 2 else pen.ink)
    for x in (0.45, 0.57):
        pen.disc(x, 0.3, 0.035, (120, 76, 44))


def _bush(pen: Pen) -> None:
    low = ((0.0, 0.4, 0.4, 0.98), (0.6, 0.4, 1.0, 0.98), (0.2, 0.4, 0.8, 1.0))
    pen.cloud((*low, (0.1, 0.12, 0.55, 0.75), (0.42, 0.04, 0.9, 0.75)))
    for _ in range(9):
        pen.disc(pen.chance(0.12, 0.88), pen.chance(0.25, 0.85), 0.05, (222, 60, 80))


def _flower(pen: Pen) -> None:
    pen.line(((0.5, 0.4), (0.5, 1.0)), 0.12, LEAF)
    for side in (-1.0, 1.0):
        leaf = ((0.0, 0.98), (0.2, 0.7), (0.46, 0.64), (0.32, 0.86))
        pen.polygon([(0.5 + side * x, y) for x, y in leaf], LEAF)
    radius = 0.12
    for angle in range(0, 360, 60):
        across = 0.31 * math.sin(math.radians(angle))
        pen.disc(0.5 + across, 0.255 - 0.13 * math.cos(math.radians(angle)), radius)
    pen.disc(0.5, 0.255, 0.09, GOLD if pen.ink[2] > 90 or pen.ink[1] < 90 else WOOD)


def _plant(pen: Pen) -> None:
    tips = (
        (0.0, 0.5),
        (0.02, 0.2),
        (0.24, 0.02),
        (0.5, 0.0),
        (0.78, 0.03),
        (0.98, 0.22),
        (1.0, 0.52),
    )
    for index, (x, y) in enumerate(tips):
        mid_x, mid_y = 0.5 + (x - 0.5) * 0.6, 0.66 + (y - 0.66) * 0.6
        leaf = ((0.48, 0.7), (mid_x - 0.1, mid_y - 0.04), (x, y), (mid_x + 0.1, mid_y + 0.04))
        pen.polygon((*leaf, (0.54, 0.7)), pen.light if index % 2 else pen.ink)
    pen.polygon(((0.18, 0.68), (0.82, 0.68), (0.72, 1.0), (0.28, 1.0)), (196, 98, 62))
    pen.rectangle(0.13, 0.64, 0.87, 0.73, (212, 114, 76))


# Food


def _apple(pen: Pen) -> None:
    pen.cloud(((0.02, 0.2, 0.64, 0.96), (0.36, 0.2, 0.98, 0.96), (0.22, 0.3, 0.78, 1.0)))
    pen.line(((0.5, 0.3), (0.54, 0.04)), 0.09, WOOD)
    pen.polygon(((0.54, 0.18), (0.7, 0.02), (0.94, 0.04), (0.78, 0.2)), LEAF)
    pen.ellipse(0.16, 0.34, 0.34, 0.56, pen.light, edge=False)


def _banana(pen: Pen) -> None:
    outer = [
        (0.5 + 0.5 * math.cos(t), 0.14 + 0.86 * math.sin(t)) for t in np.linspace(0.0, 3.0, 14)
    ]
    inner = [
        (0.5 + 0.34 * math.cos(t), 0.1 + 0.36 * math.sin(t)) for t in np.linspace(3.0, 0.0, 14)
    ]
    pen.polygon([*outer, *inner])
    ridge = [
        (0.5 + 0.43 * math.cos(t), 0.12 + 0.6 * math.sin(t)) for t in np.linspace(0.2, 2.8, 12)
    ]
    pen.line(ridge, 0.03, pen.dark)
    pen.rectangle(0.86, 0.0, 0.98, 0.16, shade(WOOD, 0.7))
    pen.rectangle(0.0, 0.18, 0.1, 0.3, shade(WOOD, 0.7))


def _cake(pen: Pen) -> None:
    pen.ellipse(0.0, 0.84, 1.0, 1.0, WHITE)
    pen.rectangle(0.08, 0.42, 0.92, 0.93, (236, 196, 130), rounding=0.06)
    pen.rectangle(0.08, 0.64, 0.92, 0.72, pen.dark)
    pen.rectangle(0.06, 0.36, 0.94, 0.54, rounding=0.08)
    for index in range(5):
        left = 0.07 + index * 0.175
        pen.ellipse(left, 0.44, left + 0.16, 0.64, edge=False)
    for x in (0.26, 0.5, 0.74):
        pen.rectangle(x - 0.03, 0.16, x + 0.03, 0.37, (90, 150, 220))
        pen.ellipse(x - 0.045, 0.0, x + 0.045, 0.17, (255, 170, 40))


def _pumpkin(pen: Pen) -> None:
    pen.rectangle(0.43, 0.0, 0.57, 0.28, LEAF)
    for left, width in ((0.0, 0.5), (0.5, 0.5), (0.16, 0.4), (0.44, 0.4), (0.34, 0.32)):
        pen.ellipse(left, 0.16, left + width, 1.0)


def _cup(pen: Pen) -> None:
    pen.arc(0.5, 0.22, 1.0, 0.78, (-90, 90), 0.18, shade(pen.ink, 0.42))
    pen.arc(0.53, 0.25, 0.97, 0.75, (-90, 90), 0.1)
    pen.polygon(((0.02, 0.1), (0.78, 0.1), (0.7, 0.99), (0.1, 0.99)))
    pen.ellipse(0.02, 0.0, 0.78, 0.22, pen.light)
    pen.ellipse(0.1, 0.05, 0.7, 0.2, (88, 54, 34))
    pen.rectangle(0.08, 0.5, 0.73, 0.62, pen.light, edge=False)


def _bottle(pen: Pen) -> None:
    pen.rectangle(0.3, 0.04, 0.7, 0.4)
    pen.rectangle(0.02, 0.3, 0.98, 1.0, rounding=0.3)
    pen.rectangle(0.32, 0.2, 0.68, 0.36, edge=False)
    pen.rectangle(0.26, 0.0, 0.74, 0.08, GOLD)
    pen.rectangle(0.02, 0.54, 0.98, 0.82, WHITE)
    pen.rectangle(0.14, 0.6, 0.86, 0.68, pen.light, edge=False)
    pen.rectangle(0.16, 0.38, 0.26, 0.52, pen.light, edge=False)


# Furniture and other belongings


def _chair(pen: Pen) -> None:
    for left in (0.2, 0.76):
        pen.rectangle(left, 0.5, left + 0.1, 0.93, pen.dark)
    pen.rectangle(0.06, 0.0, 0.18, 1.0)
    pen.rectangle(0.06, 0.02, 0.64, 0.46, rounding=0.08)
    for x in (0.2, 0.36, 0.5):
        pen.rectangle(x - 0.03, 0.12, x + 0.05, 0.38, pen.dark)
    pen.polygon(((0.04, 0.6), (0.3, 0.48), (1.0, 0.48), (0.88, 0.6)), pen.light)
    pen.rectangle(0.04, 0.59, 0.89, 0.68)
    for left in (0.05, 0.78):
        pen.rectangle(left, 0.66, left + 0.11, 1.0)


def _table(pen: Pen) -> None:
    for left in (0.16, 0.76):
        pen.rectangle(left, 0.3, left + 0.07, 0.88, pen.dark)
    for left in (0.04, 0.87):
        pen.rectangle(left, 0.3, left + 0.09, 1.0)
    pen.polygon(((0.0, 0.26), (0.14, 0.02), (0.86, 0.02), (1.0, 0.26)), pen.light)
    pen.rectangle(0.0, 0.25, 1.0, 0.36)
    pen.rectangle(0.06, 0.36, 0.94, 0.46, pen.dark)


def _sofa(pen: Pen) -> None:
    for x in (0.1, 0.84):
        pen.rectangle(x, 0.88, x + 0.06, 1.0, WOOD)
    pen.rectangle(0.08, 0.02, 0.92, 0.7, rounding=0.14)
    pen.line(((0.5, 0.06), (0.5, 0.54)), 0.02, pen.dark)
    for left in (0.12, 0.5):
        pen.rectangle(left, 0.5, left + 0.38, 0.74, pen.light, rounding=0.08)
    pen.rectangle(0.06, 0.7, 0.94, 0.92)
    for left in (0.0, 0.86):
        pen.rectangle(left, 0.32, left + 0.14, 0.93, pen.dark, rounding=0.12)
    pen.polygon(((0.2, 0.3), (0.32, 0.24), (0.38, 0.48), (0.25, 0.54)), GOLD)


def _lamp(pen: Pen) -> None:
    pen.rectangle(0.44, 0.3, 0.56, 0.96, BLACK)
    pen.ellipse(0.14, 0.91, 0.86, 1.0, BLACK)
    pen.line(((0.72, 0.34), (0.72, 0.5)), 0.03, GOLD)
    pen.ellipse(0.36, 0.3, 0.64, 0.42, (255, 244, 170))
    pen.polygon(((0.24, 0.0), (0.76, 0.0), (1.0, 0.36), (0.0, 0.36)))
    pen.polygon(((0.02, 0.33), (0.98, 0.33), (1.0, 0.37), (0.0, 0.37)), pen.light)


def _bench(pen: Pen) -> None:
    for left in (0.1, 0.84):
        pen.rectangle(left, 0.0, left + 0.06, 0.92, BLACK)
    for top in (0.04, 0.22, 0.4):
        pen.rectangle(0.0, top, 1.0, top + 0.13)
    pen.polygon(((0.0, 0.68), (0.08, 0.56), (0.92, 0.56), (1.0, 0.68)), pen.light)
    pen.rectangle(0.0, 0.66, 1.0, 0.76)
    for left in (0.05, 0.88):
        pen.rectangle(left, 0.76, left + 0.07, 1.0, BLACK)


def _umbrella(pen: Pen) -> None:
    pen.rectangle(0.48, 0.08, 0.52, 1.0, (230, 226, 214))
    pen.pie(0.0, 0.03, 1.0, 0.86, (180, 360))
    pen.pie(0.18, 0.03, 0.82, 0.86, (180, 360), WHITE)
    pen.pie(0.38, 0.03, 0.62, 0.86, (180, 360))
    for index in range(5):
        pen.pie(index * 0.2, 0.38, index * 0.2 + 0.2, 0.52, (0, 180), WHITE if index % 2 else None)
    pen.disc(0.5, 0.025, 0.025, GOLD)


def _clock(pen: Pen) -> None:
    pen.ellipse(0.0, 0.0, 1.0, 1.0)
    pen.ellipse(0.11, 0.11, 0.89, 0.89, WHITE)
    for hour in range(12):
        angle = math.radians(30 * hour)
        x, y = math.cos(angle), math.sin(angle)
        marks = ((0.5 + 0.3 * x, 0.5 + 0.3 * y), (0.5 + 0.36 * x, 0.5 + 0.36 * y))
        pen.line(marks, 0.04, BLACK)
    for reach, width in ((0.2, 0.07), (0.29, 0.045)):
        angle = pen.chance(0.0, 2.0 * math.pi)
        tip = (0.5 + reach * math.cos(angle), 0.5 + reach * math.sin(angle))
        pen.line(((0.5, 0.5), tip), width, BLACK)
    pen.disc(0.5, 0.5, 0.05, (200, 40, 40))


def _book(pen: Pen) -> None:
    pen.polygon(((0.0, 0.12), (0.5, 0.26), (1.0, 0.12), (1.0, 0.9), (0.5, 1.0), (0.0, 0.9)))
    for side in (-1.0, 1.0):
        page = ((0.0, 0.2), (0.14, 0.05), (0.45, 0.0), (0.45, 0.8), (0.14, 0.82), (0.0, 0.92))
        pen.polygon([(0.5 + side * x, y) for x, y in page], WHITE)
        for y in (0.2, 0.34, 0.48, 0.62):
            pen.line(((0.5 + side * 0.12, y + 0.05), (0.5 + side * 0.38, y)), 0.03, STEEL)


def _laptop(pen: Pen) -> None:
    pen.rectangle(0.12, 0.0, 0.88, 0.72, rounding=0.06)
    pen.rectangle(0.18, 0.07, 0.82, 0.64, (70, 140, 210))
    pen.polygon(((0.18, 0.64), (0.42, 0.3), (0.56, 0.48), (0.66, 0.38), (0.82, 0.64)), LEAF, False)
    pen.polygon(((0.12, 0.72), (0.88, 0.72), (1.0, 0.94), (0.0, 0.94)), pen.light)
    pen.polygon(((0.18, 0.75), (0.82, 0.75), (0.88, 0.86), (0.12, 0.86)), shade(pen.ink, 0.5))
    pen.rectangle(0.0, 0.93, 1.0, 1.0, pen.dark)


def _ball(pen: Pen) -> None:
    pen.ellipse(0.0, 0.0, 1.0, 1.0)
    pen.ellipse(0.2, 0.0, 0.8, 1.0, WHITE)
    pen.ellipse(0.36, 0.0, 0.64, 1.0)
    pen.disc(0.5, 0.12, 0.09, GOLD)


def _kite(pen: Pen) -> None:
    tail = [(0.5 + 0.18 * math.sin(6.3 * t), 0.62 + 0.36 * t) for t in np.linspace(0.0, 1.0, 12)]
    pen.line(tail, 0.04, BLACK)
    for x, y in (tail[3], tail[7], tail[11]):
        for side in (-0.18, 0.18):
            pen.polygon(((x, y), (x + side, y - 0.035), (x + side, y + 0.02)), GOLD)
    pen.polygon(((0.5, 0.0), (1.0, 0.26), (0.5, 0.66), (0.0, 0.26)))
    pen.polygon(((0.5, 0.0), (1.0, 0.26), (0.5, 0.26)), WHITE)
    pen.polygon(((0.0, 0.26), (0.5, 0.26), (0.5, 0.66)), GOLD)


# Signs


def _sign(pen: Pen) -> None:
    pen.rectangle(0.43, 0.4, 0.57, 1.0, STEEL)
    radius = 0.49 * pen.width / pen.height
    pen.disc(0.5, radius + 0.01, radius, WHITE)
    pen.disc(0.5, radius + 0.01, radius * 0.88)
    if pen.ink[0] > 150:
        pen.rectangle(0.2, radius * 0.75, 0.8, radius * 1.3, WHITE)
        return
    shaft = ((0.42, 0.28), (0.42, 0.16), (0.22, 0.16), (0.5, 0.05), (0.78, 0.16), (0.58, 0.16))
    pen.polygon((*shaft, (0.58, 0.28)), WHITE)


def _traffic_light(pen: Pen) -> None:
    pen.rectangle(0.38, 0.5, 0.62, 1.0, STEEL)
    pen.rectangle(0.26, 0.95, 0.74, 1.0, STEEL)
    pen.rectangle(0.06, 0.0, 0.94, 0.58, rounding=0.2)
    for y, colour in ((0.11, (240, 50, 40)), (0.29, (255, 196, 40)), (0.47, (60, 214, 90))):
        pen.disc(0.5, y, 0.08, colour)


def _flag(pen: Pen) -> None:
    pen.rectangle(0.03, 0.02, 0.1, 1.0, (226, 224, 216))
    pen.disc(0.065, 0.02, 0.02, GOLD)
    for index, colour in enumerate((pen.ink, WHITE, pen.ink)):
        top = 0.05 + index * 0.145
        wave = [(x, top + 0.03 * math.sin(7.0 * x)) for x in np.linspace(0.1, 1.0, 12)]
        pen.polygon([*wave, *((x, y + 0.145) for x, y in reversed(wave))], colour)


def _poster(pen: Pen) -> None:
    pen.rectangle(0.0, 0.0, 1.0, 1.0, WHITE)
    pen.rectangle(0.08, 0.05, 0.92, 0.68)
    pen.disc(0.7, 0.2, 0.09, GOLD)
    pen.polygon(((0.09, 0.675), (0.38, 0.26), (0.6, 0.5), (0.7, 0.42), (0.91, 0.675)), pen.light)
    for y, right in ((0.76, 0.9), (0.84, 0.9), (0.92, 0.6)):
        pen.line(((0.1, y), (right, y)), 0.05, BLACK)


# Settings


def _sky(pen: Pen, bottom: float, clouds: int = 3) -> None:
    pen.gradient(0.0, bottom, (132, 188, 232), (222, 238, 246))
    for _ in range(clouds):
        x, y = pen.chance(0.0, 0.85), pen.chance(0.03, bottom * 0.45)
        for dx, dy, size in ((0.0, 0.02, 0.07), (0.05, 0.0, 0.09), (0.11, 0.02, 0.07)):
            pen.ellipse(x + dx, y + dy, x + dx + size, y + dy + size * 0.6, (255, 255, 255, 150))


def _tufts(pen: Pen, top: float, colour: RGB, count: int = 120) -> None:
    """Little strokes strewn over the ground, longer towards the viewer."""
    for x, y in zip(pen.generator.random(count), pen.generator.random(count), strict=True):
        down = top + (1.0 - top) * float(y)
        length = 0.008 + 0.014 * float(y)
        pen.line(((float(x), down), (float(x) + 0.004, down - length)), 0.003, colour)


def _waves(pen: Pen, top: float, bottom: float, colour: RGB, count: int = 40) -> None:
    for x, y in zip(pen.generator.random(count), pen.generator.random(count), strict=True):
        down, length = top + (bottom - top) * float(y), 0.02 + 0.05 * float(y)
        pen.line(((float(x) - length, down), (float(x) + length, down)), 0.004, colour)


def _row(pen: Pen, count: int) -> list[tuple[float, float]]:
    """The left and right edges of things of uneven width side by side across the image."""
    widths = pen.generator.uniform(0.7, 1.3, count)
    edges = [0.0, *np.cumsum(widths / widths.sum()).tolist()]
    return list(pairwise(edges))


def _street(pen: Pen) -> None:
    _sky(pen, 0.5)
    painted = mix(pen.ink, (228, 216, 198), 0.45)
    facades = (painted, shade(painted, 0.86), (206, 178, 160), (196, 202, 206), (222, 206, 180))
    for left, right in _row(pen, 6):
        top, facade = pen.chance(0.14, 0.32), pen.pick(facades)
        pen.rectangle(left, top, right, 0.6, facade)
        pen.rectangle(left, top, right, top + 0.02, shade(facade, 0.75))
        step = (right - left) / 3.0
        for index in range(3):
            window = left + step * (index + 0.25)
            for y in (0.06, 0.16):
                pen.rectangle(window, top + y, window + step * 0.5, top + y + 0.06, (132, 158, 180))
        pen.rectangle(left + step * 0.3, 0.5, right - step * 0.3, 0.6, (150, 172, 188))
        pen.rectangle(left, 0.47, right, 0.5, shade(facade, 0.62))
    pen.rectangle(0.0, 0.6, 1.0, 0.68, (206, 202, 196))
    pen.rectangle(0.0, 0.675, 1.0, 0.69, (160, 158, 156))
    pen.gradient(0.69, 1.0, (122, 124, 130), (104, 106, 112))
    for index in range(5):
        left = 0.03 + index * 0.21
        pen.polygon(
            ((left, 0.83), (left + 0.1, 0.83), (left + 0.1, 0.85), (left - 0.01, 0.85)), WHITE
        )


def _hills(pen: Pen, base: float, height: float, colour: RGB, count: int) -> None:
    for left, right in _row(pen, count):
        rise = height * pen.chance(0.6, 1.0)
        pen.ellipse(left - 0.12, base - rise, right + 0.12, base + rise, colour)


def _park(pen: Pen) -> None:
    _sky(pen, 0.46)
    _hills(pen, 0.46, 0.12, (150, 190, 150), 4)
    for left, right in _row(pen, 16):
        y = pen.chance(0.34, 0.38)
        pen.ellipse(
            left - 0.01, y, right + 0.01, 0.5, shade((128, 176, 120), pen.chance(0.92, 1.1))
        )
    pen.gradient(0.46, 1.0, (164, 206, 120), (122, 180, 92))
    path = ((0.5, 0.46), (0.54, 0.46), (0.48, 0.6), (0.8, 1.0), (0.3, 1.0), (0.36, 0.62))
    pen.polygon(path, mix(pen.ink, (226, 210, 176), 0.6))
    _tufts(pen, 0.5, (102, 156, 76))


def _beach(pen: Pen) -> None:
    _sky(pen, 0.4)
    pen.disc(0.86, 0.12, 0.07, (255, 244, 180))
    pen.gradient(0.38, 0.6, mix(pen.ink, (40, 120, 190), 0.5), (136, 212, 218))
    _waves(pen, 0.4, 0.58, (190, 228, 236))
    pen.gradient(0.6, 1.0, (246, 226, 174), (232, 202, 142))
    phase = pen.chance(0.0, 6.0)
    shore = [(x, 0.61 + 0.012 * math.sin(9.0 * x + phase)) for x in np.linspace(0.0, 1.0, 40)]
    pen.polygon([(0.0, 0.58), *shore, (1.0, 0.58)], (150, 218, 220))
    pen.line(shore, 0.02, WHITE)
    _tufts(pen, 0.65, (214, 182, 124), 150)


def _harbour(pen: Pen) -> None:
    _sky(pen, 0.4)
    for left, right in _row(pen, 9):
        top, wall = (
            pen.chance(0.29, 0.33),
            pen.pick(((226, 200, 170), (212, 168, 150), (200, 208, 214))),
        )
        pen.rectangle(left, top, right, 0.42, wall)
        pen.polygon(((left, top), ((left + right) / 2, top - 0.05), (right, top)), (178, 106, 90))
        pen.rectangle(left + 0.03, top + 0.03, left + 0.05, top + 0.06, (110, 120, 136))
    # The lighthouse on its pier.
    pen.rectangle(0.76, 0.41, 1.0, 0.45, (150, 146, 142))
    pen.polygon(((0.87, 0.15), (0.91, 0.15), (0.925, 0.41), (0.855, 0.41)), WHITE)
    for top in (0.2, 0.3):
        pen.rectangle(0.865, top, 0.915, top + 0.05, pen.light)
    pen.rectangle(0.872, 0.1, 0.908, 0.15, (255, 236, 150))
    pen.polygon(((0.862, 0.1), (0.89, 0.06), (0.918, 0.1)), pen.ink)
    pen.gradient(0.42, 0.78, (110, 160, 190), (66, 118, 158))
    _waves(pen, 0.45, 0.76, (150, 192, 214), 60)
    pen.rectangle(0.0, 0.76, 1.0, 0.81, (128, 122, 118))
    pen.gradient(0.785, 1.0, (204, 198, 188), (182, 176, 168))
    for row in range(4):
        pen.line(((0.0, 0.8 + row * 0.055), (1.0, 0.8 + row * 0.055)), 0.004, (160, 154, 148))
        for column in range(6):
            x = column * 0.2 + 0.1 * (row % 2)
            pen.line(((x, 0.8 + row * 0.055), (x, 0.855 + row * 0.055)), 0.004, (160, 154, 148))


def _lake(pen: Pen) -> None:
    _sky(pen, 0.45, 2)
    rock = mix(pen.ink, (150, 160, 180), 0.65)
    for left, right in _row(pen, 4):
        peak, top = (left + right) / 2, pen.chance(0.1, 0.22)
        pen.polygon(((left - 0.14, 0.46), (peak, top), (right + 0.14, 0.46)), rock)
        pen.polygon(((peak, top), (right + 0.14, 0.46), (peak + 0.02, 0.46)), shade(rock, 0.86))
        slope = 0.34 * (right - left + 0.28) / 2
        snow = ((peak - slope, top + 0.34 * (0.46 - top)), (peak, top))
        ragged = ((peak + slope * 0.3, top + 0.05), (peak - slope * 0.2, top + 0.08))
        pen.polygon((*snow, (peak + slope, top + 0.34 * (0.46 - top)), *ragged), WHITE)
    for left, right in _row(pen, 26):
        pen.polygon(
            ((left, 0.47), ((left + right) / 2, pen.chance(0.38, 0.41)), (right, 0.47)),
            (74, 112, 92),
        )
    pen.gradient(0.46, 0.72, (150, 196, 214), (84, 148, 186))
    _waves(pen, 0.48, 0.7, (184, 216, 228))
    pen.gradient(0.71, 1.0, (172, 196, 122), (134, 170, 92))
    pen.rectangle(0.0, 0.7, 1.0, 0.725, (206, 190, 150))
    _tufts(pen, 0.75, (112, 148, 74))


def _farm(pen: Pen) -> None:
    _sky(pen, 0.45)
    _hills(pen, 0.46, 0.09, (196, 206, 140), 3)
    pen.rectangle(0.66, 0.3, 0.9, 0.49, mix(pen.ink, (236, 220, 210), 0.25))
    roof = ((0.63, 0.31), (0.68, 0.21), (0.78, 0.15), (0.88, 0.21), (0.93, 0.31))
    pen.polygon(roof, shade(pen.ink, 0.6))
    pen.rectangle(0.74, 0.37, 0.82, 0.49, (244, 238, 226))
    pen.line(((0.74, 0.37), (0.82, 0.49)), 0.006, pen.ink)
    pen.line(((0.82, 0.37), (0.74, 0.49)), 0.006, pen.ink)
    pen.gradient(0.47, 1.0, (222, 204, 122), (196, 176, 92))
    for index in range(-9, 16):
        # Furrows meet at a point on the horizon.
        foot = 0.36 + (index - 3) * 0.16
        pen.polygon(((0.36, 0.47), (foot, 1.0), (foot + 0.07, 1.0)), (176, 186, 92))
    for index in range(13):
        pen.rectangle(index * 0.083, 0.47, index * 0.083 + 0.014, 0.57, (236, 230, 220))
    for top in (0.49, 0.53):
        pen.rectangle(0.0, top, 1.0, top + 0.014, (236, 230, 220))


def _market(pen: Pen) -> None:
    pen.gradient(0.0, 0.55, (246, 226, 196), (214, 188, 160))
    produce = ((214, 150, 130), (226, 196, 132), (168, 184, 128), (196, 160, 170))
    for left, right in _row(pen, 7):
        # Crates at the back, pale enough to stay background.
        fruit = pen.pick(produce)
        for index in range(5):
            x = left + 0.012 + index * (right - left - 0.05) / 4.0
            pen.ellipse(x, 0.31 - 0.012 * (index % 2), x + 0.03, 0.36, fruit)
            pen.ellipse(x, 0.31, x + 0.03, 0.35, shade(fruit, 1.2))
        pen.rectangle(left + 0.008, 0.335, right - 0.008, 0.41, (196, 164, 134))
        pen.rectangle(left + 0.008, 0.37, right - 0.008, 0.376, (168, 136, 108))
    pen.rectangle(0.0, 0.41, 1.0, 0.43, (176, 142, 112))
    for index in range(12):
        left, right = index / 12.0, (index + 1) / 12.0
        stripe = WHITE if index % 2 else pen.ink
        pen.rectangle(left, 0.0, right, 0.14, stripe)
        pen.ellipse(left, 0.1, right, 0.19, stripe)
    for left in (0.02, 0.49, 0.96):
        pen.rectangle(left, 0.17, left + 0.022, 0.8, (150, 112, 78))
    pen.gradient(0.48, 0.62, (214, 172, 120), (198, 152, 100))
    pen.gradient(0.62, 0.82, (160, 112, 70), (140, 96, 58))
    for index in range(10):
        pen.line(((index * 0.11, 0.62), (index * 0.11, 0.82)), 0.006, (116, 78, 48))
    pen.gradient(0.82, 1.0, (196, 190, 182), (176, 170, 164))
    for row in range(3):
        for column in range(14):
            x, y = column / 13.0 + (row % 2) * 0.04 - 0.06, 0.83 + row * 0.06
            pen.ellipse(
                x, y, x + 0.07, y + 0.05, (186, 180, 172) if column % 2 else (170, 164, 158)
            )


def _tiles(pen: Pen, top: float, colours: tuple[RGB, RGB], columns: int = 10) -> None:
    """A chequered floor in perspective."""
    rows = (0.0, 0.22, 0.55, 1.0)
    for row, (far, near) in enumerate(pairwise(rows)):
        ends = [(top + (1.0 - top) * depth, 1.0 + depth) for depth in (far, near)]
        for column in range(columns):
            sides = [column / columns - 0.5, (column + 1) / columns - 0.5]
            corners = [(0.5 + side * ends[0][1], ends[0][0]) for side in sides]
            corners += [(0.5 + side * ends[1][1], ends[1][0]) for side in reversed(sides)]
            pen.polygon(corners, colours[(row + column) % 2])


def _kitchen(pen: Pen) -> None:
    pen.gradient(0.0, 0.55, mix(pen.ink, WHITE, 0.62), mix(pen.ink, WHITE, 0.52))
    grout = mix(pen.ink, WHITE, 0.82)
    for index in range(1, 12):
        pen.line(((index / 12.0, 0.0), (index / 12.0, 0.55)), 0.005, grout)
        pen.line(((0.0, index * 0.055), (1.0, index * 0.055)), 0.005, grout)
    front = (226, 218, 204)
    for left in (0.0, 0.14, 0.72, 0.86):
        pen.rectangle(left, 0.0, left + 0.135, 0.27, front)
        pen.rectangle(left + 0.015, 0.02, left + 0.12, 0.25, shade(front, 0.94))
        pen.rectangle(left + 0.06, 0.21, left + 0.075, 0.235, (130, 124, 118))
    pen.gradient(0.54, 0.64, (196, 190, 186), (178, 172, 168))
    pen.rectangle(0.0, 0.64, 1.0, 0.665, (130, 124, 122))
    for index in range(5):
        left = index * 0.2
        pen.rectangle(left, 0.665, left + 0.196, 0.86, front)
        pen.rectangle(left + 0.02, 0.69, left + 0.176, 0.84, shade(front, 0.94))
        pen.rectangle(left + 0.085, 0.7, left + 0.115, 0.712, (130, 124, 118))
    # The oven, with its knobs and window.
    pen.rectangle(0.6, 0.665, 0.796, 0.86, (200, 202, 206))
    pen.rectangle(0.62, 0.73, 0.776, 0.84, (70, 72, 80))
    for x in (0.63, 0.68, 0.73, 0.765):
        pen.disc(x, 0.697, 0.012, (80, 80, 88))
    _tiles(pen, 0.86, ((232, 228, 222), (176, 176, 180)))


def _living_room(pen: Pen) -> None:
    wall = mix(pen.ink, WHITE, 0.5)
    pen.rectangle(0.0, 0.0, 1.0, 0.7, wall)
    for index in range(14):
        pen.rectangle(index / 14.0, 0.0, (index + 0.5) / 14.0, 0.68, shade(wall, 0.95))
    pen.rectangle(0.68, 0.08, 0.92, 0.46, WHITE)
    pen.rectangle(0.695, 0.1, 0.905, 0.44, (176, 214, 236))
    pen.rectangle(0.795, 0.1, 0.805, 0.44, WHITE)
    pen.rectangle(0.695, 0.26, 0.905, 0.272, WHITE)
    for left in (0.63, 0.88):
        pen.rectangle(left, 0.06, left + 0.09, 0.56, mix((176, 96, 84), wall, 0.35))
        pen.rectangle(left + 0.04, 0.06, left + 0.055, 0.56, mix((150, 76, 68), wall, 0.35))
    pen.rectangle(0.61, 0.05, 0.99, 0.07, (120, 84, 56))
    pen.rectangle(0.0, 0.67, 1.0, 0.7, WHITE)
    pen.gradient(0.7, 1.0, (194, 148, 100), (172, 124, 80))
    for row in range(5):
        y = 0.7 + 0.3 * (row / 5.0) ** 1.3
        pen.line(((0.0, y), (1.0, y)), 0.004, (150, 106, 66))
    pen.ellipse(0.12, 0.82, 0.88, 1.02, mix((170, 90, 90), (226, 206, 180), 0.45))
    pen.ellipse(0.18, 0.84, 0.82, 1.0, mix((170, 90, 90), (226, 206, 180), 0.7))
    # The sideboard that small things stand on.
    pen.rectangle(0.04, 0.57, 0.53, 0.72, (146, 102, 66))
    pen.polygon(((0.06, 0.52), (0.51, 0.52), (0.54, 0.58), (0.03, 0.58)), (180, 132, 90))
    for left in (0.06, 0.215, 0.37):
        pen.rectangle(left, 0.6, left + 0.14, 0.7, (164, 118, 78))
        pen.disc(left + 0.07, 0.65, 0.01, (90, 60, 38))


def _office(pen: Pen) -> None:
    pen.gradient(
        0.0, 0.74, mix(pen.ink, (240, 242, 244), 0.75), mix(pen.ink, (228, 230, 234), 0.75)
    )
    pen.rectangle(0.42, 0.05, 0.97, 0.33, (244, 244, 244))
    pen.rectangle(0.435, 0.07, 0.955, 0.31, (168, 206, 234))
    for left, right in _row(pen, 9):
        # The city behind the window.
        x0, x1 = 0.435 + 0.52 * left, 0.435 + 0.52 * right
        pen.rectangle(
            x0, pen.chance(0.17, 0.25), x1, 0.31, shade((150, 170, 194), pen.chance(0.9, 1.2))
        )
    for row in range(6):
        pen.rectangle(0.435, 0.07 + row * 0.017, 0.955, 0.078 + row * 0.017, (250, 250, 250))
    pen.rectangle(0.69, 0.07, 0.7, 0.31, (244, 244, 244))
    pen.gradient(0.74, 1.0, (134, 146, 164), (112, 124, 144))
    _tufts(pen, 0.75, (122, 134, 154), 120)
    # A filing cabinet, then the desk.
    pen.rectangle(0.03, 0.46, 0.22, 0.78, (158, 164, 172))
    for top in (0.475, 0.575, 0.675):
        pen.rectangle(0.045, top, 0.205, top + 0.09, (176, 182, 190))
        pen.rectangle(0.105, top + 0.03, 0.145, top + 0.045, (104, 110, 118))
    pen.polygon(((0.33, 0.51), (0.98, 0.51), (1.0, 0.61), (0.3, 0.61)), (214, 186, 150))
    pen.rectangle(0.3, 0.61, 1.0, 0.635, (170, 140, 104))
    pen.rectangle(0.33, 0.635, 0.36, 0.84, (120, 122, 128))
    pen.rectangle(0.74, 0.635, 0.98, 0.84, (196, 166, 130))
    for top in (0.65, 0.745):
        pen.rectangle(0.755, top, 0.965, top + 0.08, (206, 178, 142))
        pen.rectangle(0.84, top + 0.025, 0.88, top + 0.035, (104, 90, 74))


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "man": _man,
        "woman": _woman,
        "child": _child,
        "dog": _dog,
        "cat": _cat,
        "bird": _bird,
        "horse": _horse,
        "cow": _cow,
        "duck": _duck,
        "car": _car,
        "bus": _bus,
        "truck": _truck,
        "bicycle": _bicycle,
        "boat": _boat,
        "airplane": _airplane,
        "balloon": _balloon,
        "tree": _tree,
        "palm tree": _palm_tree,
        "bush": _bush,
        "flower": _flower,
        "plant": _plant,
        "apple": _apple,
        "banana": _banana,
        "cake": _cake,
        "pumpkin": _pumpkin,
        "cup": _cup,
        "bottle": _bottle,
        "chair": _chair,
        "table": _table,
        "sofa": _sofa,
        "lamp": _lamp,
        "bench": _bench,
        "umbrella": _umbrella,
        "clock": _clock,
        "book": _book,
        "laptop": _laptop,
        "ball": _ball,
        "kite": _kite,
        "sign": _sign,
        "traffic light": _traffic_light,
        "flag": _flag,
        "poster": _poster,
    }
)

BACKDROPS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "street": _street,
        "park": _park,
        "beach": _beach,
        "harbour": _harbour,
        "lake": _lake,
        "farm": _farm,
        "market": _market,
        "kitchen": _kitchen,
        "living room": _living_room,
        "office": _office,
    }
)
