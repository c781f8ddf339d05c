"""The pen that draws shapes in the coordinates of a box, and the colours used everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from PIL import ImageDraw

from beholder.study.simulation.catalogue import RGB

Point = tuple[float, float]
Fill = RGB | tuple[int, int, int, int]

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
        return rgb(channel * factor for channel in colour)
    return mix(colour, WHITE, factor - 1.0)


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """The blend of two colours, `share` (0 to 1) being the part of the other."""
    return rgb(a + (b - a) * share for a, b in zip(one, other, strict=True))


def rgb(channels: Iterable[float]) -> RGB:
    """The colour of three channels, rounded."""
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
