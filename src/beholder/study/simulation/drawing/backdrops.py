"""The settings: what lies behind the objects of a scene."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from beholder.study.simulation.catalogue import RGB
from beholder.study.simulation.drawing.pen import WHITE, Drawer, Pen, mix, shade


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
