"""What simulated people take an advertisement to say: "I should … because …".

The braces are those of `phrases`; ``{use}`` is the verb that goes with a vehicle.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.choices import variant
from beholder.study.simulation.phrases import Variants

USES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bus": "take",
        "bicycle": "ride",
        "boat": "sail",
        "airplane": "fly in",
        "balloon": "fly in",
        "car": "drive",
        "truck": "drive",
    }
)

ACTIONS: Final[Mapping[str, Variants]] = MappingProxyType(
    {
        "people": (
            variant("be like {the}", 2.0),
            variant("talk to {the}", e=0.8),
            variant("help {the}", a=0.8),
            variant("work as hard as {the}", 0.8, c=0.8),
            variant("stay away from {the}", 0.4, n=0.7, a=-0.6),
            variant("imagine the life of {the}", 0.5, o=0.9),
            variant("look as good as {the}", 0.8, e=0.3, a=-0.3),
        ),
        "animals": (
            variant("pet {a}", 1.2, e=0.4),
            variant("take care of {a}", 1.5, a=0.6, c=0.3),
            variant("feed {a}", 0.8, c=0.4),
            variant("watch out for {the}", 0.5, n=0.8),
            variant("draw {a}", 0.5, o=0.9),
            variant("leave {the} alone", 0.6, e=-0.5, a=-0.2),
        ),
        "vehicles": (
            variant("{use} {a}", 2.5, e=0.3),
            variant("buy {a}", 1.5, a=-0.2),
            variant("look after {a}", 0.8, c=0.7),
            variant("share {a} with my friends", 0.7, a=0.7, e=0.3),
            variant("be careful around {the}", 0.6, n=0.8),
            variant("see the world in {a}", 0.5, o=0.9),
        ),
        "nature": (
            variant("protect {the}", 1.2, a=0.6),
            variant("rest near {a}", n=0.4, e=-0.3),
            variant("water {the}", 0.7, c=0.7),
            variant("meet people near {the}", 0.5, e=0.9),
            variant("paint {a}", 0.5, o=0.9),
            variant("go and see {a}", 1.5, o=0.2),
        ),
        "food": (
            variant("get {a}", 2.0),
            variant("share {a} with someone", a=0.6, e=0.4),
            variant("bring {a} to a party", 0.6, e=0.9),
            variant("save {the} for later", 0.7, c=0.7),
            variant("be careful with {the}", 0.5, n=0.8),
            variant("try {a} from another country", 0.5, o=0.9),
        ),
        "furniture": (
            variant("buy {a}", 2.5),
            variant("compare prices before I buy {a}", 0.6, c=0.9),
            variant("give {a} to a friend", 0.8, a=0.7),
            variant("show {a} to all my friends", 0.6, e=0.8),
            variant("worry less and enjoy {a}", 0.6, n=0.7),
            variant("design {a} of my own", 0.4, o=0.9),
        ),
        "signs": (
            variant("pay attention to {the}", 2.0, c=0.4),
            variant("follow the rules of {the}", 0.7, c=0.8),
            variant("be warned by {the}", 0.5, n=0.8),
            variant("think about the meaning of {the}", 0.6, o=0.8),
            variant("ignore {the}", 0.5, a=-0.7, c=-0.3),
            variant("take a photo with {the}", 0.6, e=0.8),
        ),
    }
)

REASONS: Final[Variants] = (
    variant("it is a good idea", 2.0),
    variant("it is good for me", 1.2),
    variant("it is fun", 1.2, e=0.7),
    variant("my friends would love it", 0.7, e=0.6, a=0.2),
    variant("life is short", 0.5, e=0.5, c=-0.4),
    variant("it makes people happy", a=0.7),
    variant("it would help my family", 0.7, a=0.6, c=0.2),
    variant("it is my duty", 0.4, c=0.8),
    variant("it helps me to plan ahead", 0.6, c=0.8),
    variant("I would feel safer", 0.7, n=0.7),
    variant("it would calm me down", 0.5, n=0.8),
    variant("things could go wrong otherwise", 0.4, n=0.8),
    variant("it inspires me", 0.8, o=0.8),
    variant("I have never done it before", 0.6, o=0.7),
    variant("everybody else does it", 0.6, a=-0.6, o=-0.4),
    variant("there is nothing better to do", 0.5, a=-0.4, c=-0.5),
)
REASONS_TO_BUY: Final[Variants] = (
    variant("it looks great", 2.0),
    variant("it is worth the money", 1.2, c=0.5),
    variant("it is cheap", 0.8, a=-0.4, o=-0.3),
    variant("it is beautiful", 0.8, o=0.6),
    variant("it is built to last", 0.7, c=0.6),
    variant("I deserve it", 0.7, a=-0.4, e=0.3),
    variant("I might need it one day", 0.6, n=0.7),
)
BUYABLE: Final = ("vehicles", "food", "furniture")

# How the other objects and the place come in, with and without other objects.
TAILS: Final[Variants] = (
    variant(". There {is} also {things} {place}", 1.5),
    variant(". The ad also shows {things} {place}", c=0.5),
    variant(", says this ad with {things} {place}", 0.8, o=0.3),
    variant(". I also see {things} {place}", 0.8, e=0.4),
    variant(". {Things} {place} made me think of it", 0.6, o=0.6),
    variant(". It was hard to see because of {things} {place}", 0.2, n=0.8),
)
BARE_TAILS: Final[Variants] = (
    variant("", 3.0, c=-0.2),
    variant(", says this ad {place}", c=0.3),
    variant(". It makes me want to be {place}", o=0.5),
)
