"""Scenes of recognisable objects: what they hold, and random compositions.

Positions and sizes are fractions of the image, (0, 0) at the top left and (1, 1) at the bottom
right. Typical sizes suit an image four wide and three high.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np

from beholder.study.simulation.catalogue import OBJECTS, SETTINGS, ObjectKind, Zone

T = TypeVar("T")

FEWEST_OBJECTS: Final = 4
MOST_OBJECTS: Final = 7
MOST_OVERLAP: Final = 0.08
REPEAT_CHANCE: Final = 0.2
TRIES_A_KIND: Final = 12
MARGIN: Final = 0.012


@dataclass(frozen=True)
class SceneObject:
    """One object: its kind, its box (fractions of the image) and the name of its colour.

    The colour is that of the clothes of people, of the blossom of a flower and of the body of
    everything else.
    """

    label: str
    x: float
    y: float
    width: float
    height: float
    colour: str

    @property
    def base(self) -> float:
        """The height in the image (fraction from the top) of the box's lower edge."""
        return self.y + self.height


@dataclass(frozen=True)
class Scene:
    """A setting and its objects, the farthest first.

    `accent` names the colour of a wall, an awning or a barn in the background; `light` multiplies
    the brightness of the whole image (1 is neutral).
    """

    setting: str
    objects: tuple[SceneObject, ...]
    accent: str = "beige"
    light: float = 1.0


def compose_scene(generator: np.random.Generator, objects: int | None = None) -> Scene:
    """Compose a random scene of `objects` objects (4 to 7 at random when None).

    Every box lies inside the image and boxes overlap little; the farthest object comes first.
    Raises ValueError when `objects` is negative.
    """
    if objects is None:
        objects = int(generator.integers(FEWEST_OBJECTS, MOST_OBJECTS + 1))
    if objects < 0:
        raise ValueError(f"a scene cannot hold {objects} objects")
    setting = SETTINGS[_pick(generator, tuple(SETTINGS))]
    kinds = kinds_in(setting.name)
    placed: list[SceneObject] = []
    shrink = 1.0
    while len(placed) < objects:
        kind = _next_kind(generator, kinds, placed)
        for _ in range(TRIES_A_KIND):
            candidate = _place(generator, kind, setting.zones[kind.band], shrink)
            if candidate is not None and _is_free(candidate, placed):
                placed.append(candidate)
                break
        else:
            # A crowded scene gets smaller objects, so that the search always ends.
            shrink *= 0.99
    return Scene(
        setting=setting.name,
        objects=tuple(sorted(placed, key=lambda item: item.base)),
        accent=_pick(generator, setting.accents),
        light=float(generator.uniform(0.9, 1.06)),
    )


def kinds_in(setting: str) -> tuple[ObjectKind, ...]:
    """The kinds of object that may stand in a setting, in the order of the table."""
    zones = SETTINGS[setting].zones
    return tuple(
        kind for kind in OBJECTS.values() if setting in kind.settings and kind.band in zones
    )


def overlap(one: SceneObject, other: SceneObject) -> float:
    """The share (0 to 1) of the smaller box that the two boxes have in common."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.base, other.base) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(across, 0.0) * max(down, 0.0) / smaller


def without_objects(scene: Scene) -> Scene:
    """The same scene with nothing in it, to draw its bare background."""
    return replace(scene, objects=())


def _next_kind(
    generator: np.random.Generator, kinds: tuple[ObjectKind, ...], placed: list[SceneObject]
) -> ObjectKind:
    seen = {item.label for item in placed}
    repeated = generator.random() < REPEAT_CHANCE
    fitting = tuple(kind for kind in kinds if (kind.label in seen) == repeated)
    return _pick(generator, fitting or kinds)


def _is_free(candidate: SceneObject, placed: list[SceneObject]) -> bool:
    return all(overlap(candidate, other) <= MOST_OVERLAP for other in placed)


def _place(
    generator: np.random.Generator, kind: ObjectKind, zone: Zone, shrink: float
) -> SceneObject | None:
    """A random place for an object in its zone, or None where it would leave the image."""
    nearness = float(generator.random())
    # What stands nearer, lower in the image, looks larger; what hangs or lies does not.
    perspective = 0.82 + 0.26 * nearness if kind.band in ("ground", "water") else 1.0
    scale = perspective * shrink * float(generator.uniform(0.92, 1.1))
    width, height = kind.width * scale, kind.height * scale
    left, right = max(zone.left, MARGIN), min(zone.right, 1.0 - MARGIN) - width
    x = float(generator.uniform(left, max(left, right)))
    y = zone.far + nearness * (zone.near - zone.far) - height
    if right < left or y < MARGIN:
        return None
    return SceneObject(kind.label, x, y, width, height, _pick(generator, kind.colours))


def _pick(generator: np.random.Generator, choices: tuple[T, ...]) -> T:
    return choices[int(generator.integers(len(choices)))]
