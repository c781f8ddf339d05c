"""Simulated viewing: where a person clicks on a scene, after BubbleView, and for how long.

Objects attract by size and place, by what the person is drawn to and by chance; the person
stays on one, moves on to another or wanders over the background.
"""

from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from beholder.study.gaze import Floats, Points
from beholder.study.simulation.catalogue import OBJECTS, Category
from beholder.study.simulation.effects import Effects
from beholder.study.simulation.scenes import Scene

CATEGORIES: Final[tuple[str, ...]] = get_args(Category)

# Rows: the traits in order. Columns: people, animals, vehicles, nature, food, furniture, signs.
_PREFERENCES: Final = (
    (0.9, 0.0, 0.3, -0.5, 0.2, -0.5, -0.4),
    (0.2, 0.9, -0.5, 0.4, -0.2, 0.0, -0.5),
    (-0.3, -0.3, 0.3, -0.3, -0.2, 0.5, 0.9),
    (-0.5, -0.4, 0.3, 0.0, 0.9, -0.2, 0.3),
    (-0.2, 0.2, -0.6, 0.9, -0.3, 0.3, -0.2),
)

# Rows: the traits in order. Columns: the fields of `_Manner`.
_MANNERS: Final = (
    (-0.05, 0.00, 0.12, -0.10, -0.35, 0.00),
    (0.00, 0.00, 0.00, 0.08, 0.30, 0.06),
    (0.14, -0.20, -0.04, 0.00, 0.30, -0.03),
    (0.00, 0.10, -0.12, -0.08, -0.30, 0.06),
    (0.05, 0.45, 0.04, 0.02, 0.00, -0.07),
)
_MANNER_NOISE: Final = (0.28, 0.5, 0.22, 0.22, 0.6, 0.15)

_PREFERENCE: Final = 0.9
_CHANCE: Final = 1.0  # logits
_CLICKS: Final = 13.0
_FEWEST_CLICKS: Final = 4
_SPREAD: Final = 0.2  # of an object's width and height
_DWELL_S: Final = 0.8
_EDGE: Final = 0.004


@dataclass(frozen=True)
class _Manner:
    """How somebody looks at one image; all 0 is the average person."""

    clicks: float  # log of their number
    wandering: float  # logit of leaving the objects for the background
    spread: float  # log of how far clicks scatter round an object
    dwell: float  # log of the time on a click
    staying: float  # logit of clicking the same object again
    centring: float  # share by which clicks move to the centre


@dataclass(frozen=True)
class Viewing:
    """One viewing: its clicks, and the time on each object.

    ``attention`` is each object's share of the time, shape (objects,); ``attended`` numbers
    the objects that were clicked, in the order of their first click.
    """

    points: Points
    attention: Floats
    attended: tuple[int, ...]


def preferences(scene: Scene, traits: Floats) -> Floats:
    """Return how much each object appeals to somebody with these traits, shape (objects,)."""
    columns = [CATEGORIES.index(OBJECTS[item.label].category) for item in scene.objects]
    return np.asarray((traits @ np.array(_PREFERENCES))[columns])


def prominence(scene: Scene) -> Floats:
    """Return how much each object stands out by size and place alone, shape (objects,)."""
    boxes = np.array([(o.x, o.y, o.width, o.height) for o in scene.objects]).reshape(-1, 4)
    x, y, width, height = boxes.T
    off_centre = np.hypot(x + width / 2 - 0.5, y + height / 2 - 0.5)
    return np.asarray(0.4 * np.log(width * height / 0.04) - 1.5 * off_centre)


def view(scene: Scene, traits: Floats, effects: Effects, generator: np.random.Generator) -> Viewing:
    """Simulate how somebody with these traits looks at a scene.

    Coordinates are fractions of the image, times and durations seconds from the first click.
    """
    tilt = effects.gaze * traits
    noise = generator.standard_normal(len(_MANNER_NOISE)) * _MANNER_NOISE
    manner = _Manner(*(tilt @ np.array(_MANNERS) + noise).tolist())
    attraction = prominence(scene) + _PREFERENCE * preferences(scene, tilt)
    attraction = attraction + _CHANCE * generator.standard_normal(len(scene.objects))
    count = max(_FEWEST_CLICKS, round(_CLICKS * float(np.exp(manner.clicks))))
    targets = _targets(attraction, manner, count, generator)
    x, y = _places(scene, targets, manner, generator).T
    scatter = 0.35 * generator.standard_normal(count)
    duration = _DWELL_S * np.exp(manner.dwell + scatter)
    time = np.concatenate([[0.0], np.cumsum(duration)[:-1]])
    on_object = targets >= 0
    attention = np.bincount(
        targets[on_object], weights=duration[on_object], minlength=len(scene.objects)
    )
    attended = tuple(dict.fromkeys(targets[on_object].tolist()))
    points = Points(*(values.astype(np.float32) for values in (x, y, time, duration)))
    return Viewing(points, attention / duration.sum(), attended)


def _targets(
    attraction: Floats, manner: _Manner, count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return the object that each click is meant for, shape (count,); -1 is the background."""
    weights = np.exp(attraction - attraction.max(initial=0.0))
    chances = weights / weights.sum()
    background = _sigmoid(-1.6 + manner.wandering) if len(chances) else 1.0
    stay = _sigmoid(manner.staying)
    targets: list[int] = []
    for _ in range(count):
        if targets and generator.random() < stay:
            targets.append(targets[-1])
        elif generator.random() < background:
            targets.append(-1)
        else:
            targets.append(int(generator.choice(len(chances), p=chances)))
    return np.array(targets, dtype=np.int64)


def _places(
    scene: Scene, targets: NDArray[np.int64], manner: _Manner, generator: np.random.Generator
) -> Floats:
    """Return where the clicks fall, shape (clicks, 2)."""
    # The last row stands for the background, which the target -1 picks.
    boxes = [(o.x + o.width / 2, o.y + o.height / 2, o.width, o.height) for o in scene.objects]
    box = np.array([*boxes, (0.5, 0.5, 1.3, 1.3)])[targets]
    scatter = _SPREAD * float(np.exp(manner.spread)) * generator.standard_normal((len(box), 2))
    places = box[:, :2] + box[:, 2:] * scatter
    pulled = 0.5 + (places - 0.5) * float(np.clip(1 - manner.centring, 0.4, 1.3))
    return np.asarray(np.clip(pulled, _EDGE, 1 - _EDGE))


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
