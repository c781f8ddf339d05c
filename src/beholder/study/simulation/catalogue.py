"""What may be seen where in simulated scenes: colours, settings and kinds of objects.

Positions and sizes are fractions of the image, (0, 0) at the top left and (1, 1) at the bottom
right. Typical sizes suit an image four wide and three high.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Category = Literal["people", "animals", "vehicles", "nature", "food", "furniture", "signs"]
Band = Literal["sky", "wall", "water", "table", "ground"]
RGB = tuple[int, int, int]


@dataclass(frozen=True)
class ObjectKind:
    """A kind of object: words for captions, typical size (fractions) and where it may stand.

    The category "furniture" holds every other belonging too: a book, a ball, a kite.
    """

    label: str
    plural: str
    category: Category
    band: Band
    width: float
    height: float
    colours: tuple[str, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Zone:
    """Where boxes of a band may stand: their lower edge between `far` and `near` (fractions from
    the top), and their sides between `left` and `right` (fractions)."""

    far: float
    near: float
    left: float = 0.0
    right: float = 1.0


@dataclass(frozen=True)
class Setting:
    """A kind of place: its name, the phrase a caption ends with, its zones and wall colours."""

    name: str
    phrase: str
    zones: Mapping[Band, Zone]
    accents: tuple[str, ...]


COLOURS: Final[Mapping[str, RGB]] = MappingProxyType(
    {
        "red": (208, 42, 44),
        "orange": (240, 132, 36),
        "yellow": (246, 206, 56),
        "green": (62, 148, 68),
        "turquoise": (52, 180, 176),
        "blue": (50, 104, 206),
        "navy": (36, 50, 104),
        "purple": (128, 66, 164),
        "pink": (240, 130, 172),
        "brown": (134, 84, 48),
        "tan": (202, 158, 106),
        "beige": (232, 214, 182),
        "black": (50, 48, 54),
        "grey": (140, 144, 152),
        "white": (246, 245, 240),
    }
)

_CLOTHES = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "navy")
_PAINTS = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "white", "black")
_FABRICS = ("red", "orange", "green", "turquoise", "blue", "purple", "pink", "grey")
_WOODS = ("brown", "tan", "red", "white", "black")
_FURS = ("brown", "tan", "black", "white", "grey", "orange")
_BLOSSOMS = ("red", "orange", "yellow", "purple", "pink", "white")
_OPEN = ("park", "beach", "harbour", "lake", "farm")
_OUTDOORS = (*_OPEN, "street")
_ROOMS = ("kitchen", "living room", "office")


def _settings(*settings: Setting) -> Mapping[str, Setting]:
    return MappingProxyType({setting.name: setting for setting in settings})


def _kinds(*kinds: ObjectKind) -> Mapping[str, ObjectKind]:
    return MappingProxyType({kind.label: kind for kind in kinds})


SETTINGS: Final[Mapping[str, Setting]] = _settings(
    Setting(
        "street",
        "on a street",
        MappingProxyType({"sky": Zone(0.13, 0.32), "ground": Zone(0.70, 0.98)}),
        ("beige", "grey", "tan", "pink"),
    ),
    Setting(
        "park",
        "in a park",
        MappingProxyType({"sky": Zone(0.13, 0.36), "ground": Zone(0.58, 0.98)}),
        ("beige", "tan", "grey"),
    ),
    Setting(
        "beach",
        "on a beach",
        MappingProxyType(
            {"sky": Zone(0.13, 0.34), "water": Zone(0.46, 0.57), "ground": Zone(0.68, 0.98)}
        ),
        ("turquoise", "blue"),
    ),
    Setting(
        "harbour",
        "in a harbour",
        MappingProxyType(
            {"sky": Zone(0.13, 0.3), "water": Zone(0.5, 0.7), "ground": Zone(0.82, 0.98)}
        ),
        ("red", "navy", "green"),
    ),
    Setting(
        "lake",
        "by a lake",
        MappingProxyType(
            {"sky": Zone(0.12, 0.26), "water": Zone(0.52, 0.66), "ground": Zone(0.76, 0.98)}
        ),
        ("grey", "purple", "navy"),
    ),
    Setting(
        "farm",
        "on a farm",
        MappingProxyType({"sky": Zone(0.13, 0.3), "ground": Zone(0.62, 0.98)}),
        ("red", "brown"),
    ),
    Setting(
        "market",
        "at a market",
        MappingProxyType({"table": Zone(0.53, 0.6), "ground": Zone(0.88, 0.985)}),
        ("red", "blue", "green", "orange"),
    ),
    Setting(
        "kitchen",
        "in a kitchen",
        MappingProxyType(
            {
                "wall": Zone(0.22, 0.34, 0.3, 0.68),
                "table": Zone(0.57, 0.625),
                "ground": Zone(0.9, 0.985),
            }
        ),
        ("turquoise", "yellow", "beige", "green"),
    ),
    Setting(
        "living room",
        "in a living room",
        MappingProxyType(
            {
                "wall": Zone(0.26, 0.38, 0.03, 0.62),
                "table": Zone(0.53, 0.56, 0.05, 0.52),
                "ground": Zone(0.78, 0.98),
            }
        ),
        ("beige", "pink", "green", "turquoise"),
    ),
    Setting(
        "office",
        "in an office",
        MappingProxyType(
            {
                "wall": Zone(0.22, 0.34, 0.03, 0.36),
                "table": Zone(0.53, 0.6, 0.32, 0.98),
                "ground": Zone(0.84, 0.98),
            }
        ),
        ("grey", "tan", "blue"),
    ),
)

_PLACES = tuple(SETTINGS)

OBJECTS: Final[Mapping[str, ObjectKind]] = _kinds(
    ObjectKind("man", "men", "people", "ground", 0.15, 0.50, _CLOTHES, _PLACES),
    ObjectKind("woman", "women", "people", "ground", 0.15, 0.48, _CLOTHES, _PLACES),
    ObjectKind("child", "children", "people", "ground", 0.13, 0.34, _CLOTHES, _PLACES),
    ObjectKind(
        "dog", "dogs", "animals", "ground", 0.21, 0.21, _FURS, (*_OUTDOORS, "market", *_ROOMS[:2])
    ),
    ObjectKind(
        "cat", "cats", "animals", "ground", 0.14, 0.22, _FURS, ("street", "farm", *_ROOMS[:2])
    ),
    ObjectKind(
        "bird", "birds", "animals", "sky", 0.14, 0.13, ("blue", "red", "black", "white"), _OUTDOORS
    ),
    ObjectKind(
        "horse", "horses", "animals", "ground", 0.28, 0.36, _FURS[:5], ("farm", "park", "lake")
    ),
    ObjectKind(
        "cow", "cows", "animals", "ground", 0.29, 0.27, ("brown", "black", "tan"), ("farm",)
    ),
    ObjectKind(
        "duck", "ducks", "animals", "water", 0.12, 0.12, ("white", "yellow", "brown"), ("lake",)
    ),
    ObjectKind(
        "car", "cars", "vehicles", "ground", 0.32, 0.2, _PAINTS, ("street", "farm", "harbour")
    ),
    ObjectKind("bus", "buses", "vehicles", "ground", 0.38, 0.31, _PAINTS[:7], ("street",)),
    ObjectKind(
        "truck", "trucks", "vehicles", "ground", 0.35, 0.26, _PAINTS, ("street", "harbour", "farm")
    ),
    ObjectKind(
        "bicycle",
        "bicycles",
        "vehicles",
        "ground",
        0.24,
        0.23,
        _PAINTS[:7],
        ("street", "park", "harbour", "market"),
    ),
    ObjectKind(
        "boat", "boats", "vehicles", "water", 0.2, 0.28, _PAINTS, ("harbour", "beach", "lake")
    ),
    ObjectKind(
        "airplane",
        "airplanes",
        "vehicles",
        "sky",
        0.27,
        0.13,
        ("white", "red", "blue", "yellow"),
        _OUTDOORS,
    ),
    ObjectKind(
        "balloon", "balloons", "vehicles", "sky", 0.14, 0.26, _CLOTHES, ("park", "farm", "street")
    ),
    ObjectKind(
        "tree",
        "trees",
        "nature",
        "ground",
        0.24,
        0.5,
        ("green", "orange"),
        ("street", "park", "lake", "farm"),
    ),
    ObjectKind("palm tree", "palm trees", "nature", "ground", 0.25, 0.5, ("green",), ("beach",)),
    ObjectKind(
        "bush", "bushes", "nature", "ground", 0.2, 0.16, ("green",), ("park", "lake", "farm")
    ),
    ObjectKind(
        "flower", "flowers", "nature", "ground", 0.11, 0.22, _BLOSSOMS, ("park", "lake", "farm")
    ),
    ObjectKind("plant", "plants", "nature", "ground", 0.14, 0.27, ("green",), _ROOMS),
    ObjectKind(
        "apple",
        "apples",
        "food",
        "table",
        0.085,
        0.12,
        ("red", "green", "yellow"),
        ("kitchen", "market", "living room"),
    ),
    ObjectKind("banana", "bananas", "food", "table", 0.13, 0.1, ("yellow",), ("kitchen", "market")),
    ObjectKind(
        "cake",
        "cakes",
        "food",
        "table",
        0.16,
        0.18,
        ("pink", "white", "brown", "turquoise"),
        ("kitchen", "market", "living room"),
    ),
    ObjectKind(
        "pumpkin", "pumpkins", "food", "table", 0.14, 0.15, ("orange",), ("market", "kitchen")
    ),
    ObjectKind(
        "cup", "cups", "food", "table", 0.1, 0.11, _PAINTS, ("kitchen", "office", "living room")
    ),
    ObjectKind(
        "bottle",
        "bottles",
        "food",
        "table",
        0.058,
        0.2,
        ("green", "brown", "blue", "red"),
        ("kitchen", "market", "living room"),
    ),
    ObjectKind("chair", "chairs", "furniture", "ground", 0.15, 0.33, _WOODS, _ROOMS),
    ObjectKind(
        "table",
        "tables",
        "furniture",
        "ground",
        0.29,
        0.22,
        _WOODS,
        ("living room", "office", "park"),
    ),
    ObjectKind(
        "sofa", "sofas", "furniture", "ground", 0.38, 0.26, _FABRICS, ("living room", "office")
    ),
    ObjectKind(
        "lamp", "lamps", "furniture", "ground", 0.14, 0.45, _BLOSSOMS, ("living room", "office")
    ),
    ObjectKind(
        "bench",
        "benches",
        "furniture",
        "ground",
        0.27,
        0.2,
        ("brown", "green", "white", "red"),
        ("park", "harbour", "lake"),
    ),
    ObjectKind("umbrella", "umbrellas", "furniture", "ground", 0.28, 0.42, _CLOTHES, ("beach",)),
    ObjectKind("clock", "clocks", "furniture", "wall", 0.12, 0.16, _PAINTS, _ROOMS),
    ObjectKind(
        "book", "books", "furniture", "table", 0.16, 0.11, _FABRICS, ("living room", "office")
    ),
    ObjectKind(
        "laptop", "laptops", "furniture", "table", 0.18, 0.17, ("grey", "black", "white"), _ROOMS
    ),
    ObjectKind("ball", "balls", "furniture", "ground", 0.1, 0.133, _CLOTHES, ("park", "beach")),
    ObjectKind("kite", "kites", "furniture", "sky", 0.15, 0.28, _CLOTHES, ("beach", "park")),
    ObjectKind(
        "sign",
        "signs",
        "signs",
        "ground",
        0.12,
        0.36,
        ("red", "blue", "green"),
        ("street", "harbour", "park"),
    ),
    ObjectKind(
        "traffic light",
        "traffic lights",
        "signs",
        "ground",
        0.085,
        0.4,
        ("black", "yellow"),
        ("street",),
    ),
    ObjectKind(
        "flag", "flags", "signs", "ground", 0.18, 0.4, _CLOTHES, ("beach", "harbour", "park")
    ),
    ObjectKind("poster", "posters", "signs", "wall", 0.15, 0.24, _CLOTHES, _ROOMS),
)
