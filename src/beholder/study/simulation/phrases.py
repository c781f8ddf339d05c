"""What simulated people say, and which traits make them say it.

Braces stand for what is filled in: ``{things}`` the objects mentioned, ``{Things}`` the same
at the start of a sentence, ``{is}`` the verb that agrees with them, ``{place}`` the setting,
``{the}`` one object already mentioned, ``{a}`` one named for the first time.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from beholder.study.simulation.choices import Variant, variant

Variants = tuple[Variant, ...]

OPENINGS: Final[Variants] = (
    variant("There {is} {things} {place}", 3.0, a=0.2, c=0.2),
    variant("I see {things} {place}", 1.5, e=0.5),
    variant("I can see {things} {place}", a=0.6, c=0.2),
    variant("{Things} {place}", 2.5, c=-0.6, e=-0.4),
    variant("This picture shows {things} {place}", c=0.8, o=-0.2),
    variant("In the image there {is} {things} {place}", 0.7, c=0.7, n=0.2),
    variant("It looks like {things} {place}", n=0.7),
    variant("I think there {is} {things} {place}", 0.5, n=0.9),
    variant("We have {things} {place}", 0.5, e=0.8),
    variant("Look at {things} {place}", 0.4, e=0.8, a=0.3),
    variant("{Place} there {is} {things}", 0.8, o=0.6, c=0.3),
    variant("I notice {things} {place}", 0.6, o=0.8),
    variant("It reminds me of a film: {things} {place}", 0.2, o=1.0),
    variant("Just {things} {place}", 0.5, o=-0.7, a=-0.4),
)
HEDGED: Final = ("I think", "looks like")

STARTERS: Final[Variants] = (
    variant("", 14.0, c=0.3),
    variant("Well, ", n=0.4),
    variant("So, ", e=0.6),
    variant("Oh, ", 0.6, e=0.4, a=0.4),
    variant("Hmm, ", 0.7, n=0.8),
    variant("Basically, ", 0.6, a=-0.6, o=-0.3),
    variant("Honestly, ", 0.5, a=-0.5, e=0.4),
)

HEDGES: Final[Variants] = (
    variant("", 12.0, c=0.3, n=-0.4),
    variant(", I think", n=0.7),
    variant(", I guess", 0.8, n=0.5, c=-0.5),
    variant(", it seems", 0.8, n=0.4, o=0.3),
    variant(", maybe", 0.6, n=0.8),
    variant(", of course", 0.3, a=-0.7),
)

ENDINGS: Final[Variants] = (
    variant(".", 8.0, c=0.5),
    variant("!", 0.9, e=0.8, a=0.3),
    variant("!!", 0.15, e=1.1),
    variant("...", 0.5, n=0.7, o=0.2),
    variant("", 1.5, c=-0.8),
)

CASES: Final[Variants] = (variant("upper", 9.0, c=0.5), variant("lower", 1.0, c=-0.6))

LAST_JOINERS: Final[Variants] = (
    variant(" and ", 5.0),
    variant(" and also ", 0.7, e=0.4),
    variant(" as well as ", 0.6, c=0.7),
    variant(" with ", 0.8, o=0.4),
    variant(" plus ", 0.5, e=0.4, c=-0.5),
)

# How many objects a text names, and how many sentences follow the first one.
MENTIONS: Final[Variants] = (
    variant("1", 1.0, c=-0.5, e=-0.2),
    variant("2", 3.0, c=-0.2),
    variant("3", 2.5, c=0.2),
    variant("4", 0.8, c=0.5, o=0.2),
)
REMARK_COUNTS: Final[Variants] = (
    variant("0", 2.5, e=-0.4, c=-0.2),
    variant("1", 2.5),
    variant("2", 0.7, e=0.5, o=0.3),
)

# What stands before a noun.
DETAILS: Final[Variants] = (
    variant("", 3.0, o=-0.3),
    variant("colour", 3.0, c=0.4, o=0.3),
    variant("size", 1.0, c=0.5),
    variant("opinion", 1.0, a=0.4, e=0.3, c=-0.2),
    variant("opinion colour", 0.6, o=0.6, e=0.2),
)
OPINIONS: Final[Variants] = (
    variant("nice", 2.0, a=0.4),
    variant("lovely", a=0.8),
    variant("cool", e=0.7, c=-0.2),
    variant("beautiful", 0.8, o=0.7, a=0.2),
    variant("interesting", o=0.6, c=0.2),
    variant("strange", 0.7, n=0.6, o=0.2),
    variant("plain", 0.8, o=-0.7),
    variant("boring", 0.4, a=-0.8, o=-0.4),
    variant("sad-looking", 0.3, n=0.9),
    variant("great", e=0.5),
)
OPINIONS_OF_PEOPLE: Final[Variants] = (
    variant("happy", 1.5, e=0.5, a=0.3),
    variant("friendly", a=0.8),
    variant("nice", a=0.4),
    variant("cheerful", 0.8, e=0.7),
    variant("busy", c=0.6),
    variant("serious", 0.8, c=0.3, n=0.3),
    variant("lonely", 0.6, n=0.8),
    variant("bored", 0.6, a=-0.7),
    variant("mysterious", 0.5, o=0.9),
)
BIG: Final[Variants] = (variant("big", 2.0), variant("large", c=0.6), variant("huge", 0.5, e=0.7))
SMALL: Final[Variants] = (
    variant("small", 2.0, c=0.3),
    variant("little", a=0.6),
    variant("tiny", 0.5, n=0.4, o=0.3),
)

# Other words for an object: singular|plural.
SYNONYMS: Final[Mapping[str, Variants]] = MappingProxyType(
    {
        "man": (
            variant("man|men", 3.0),
            variant("guy|guys", e=0.6, c=-0.5),
            variant("gentleman|gentlemen", 0.4, c=0.5, a=0.6),
        ),
        "woman": (
            variant("woman|women", 3.0),
            variant("lady|ladies", a=0.6),
        ),
        "child": (
            variant("child|children", 2.0, c=0.3),
            variant("kid|kids", e=0.5, c=-0.4),
        ),
        "dog": (variant("dog|dogs", 4.0), variant("puppy|puppies", 0.5, a=0.7)),
        "cat": (variant("cat|cats", 4.0), variant("kitty|kitties", 0.3, a=0.8, e=0.3)),
        "car": (variant("car|cars", 4.0), variant("vehicle|vehicles", 0.5, c=0.6)),
        "bicycle": (variant("bicycle|bicycles", c=0.4), variant("bike|bikes", e=0.3, c=-0.3)),
        "airplane": (variant("airplane|airplanes", c=0.4), variant("plane|planes", c=-0.3)),
        "sofa": (variant("sofa|sofas"), variant("couch|couches", c=-0.3)),
        "cup": (variant("cup|cups", 2.0), variant("mug|mugs", o=0.4)),
        "laptop": (variant("laptop|laptops", 2.0), variant("computer|computers")),
        "bush": (variant("bush|bushes", 2.0), variant("shrub|shrubs", 0.6, o=0.5, c=0.3)),
    }
)

REMARKS: Final[Variants] = (
    variant("{The} is {where}", 2.0, c=0.7),
    variant("{The} stands out", c=0.3),
    variant("I like {the}", 1.2, a=0.6, e=0.2),
    variant("{The} catches my eye", 0.8, o=0.6),
    variant("{The} is the best part", 0.7, e=0.7),
    variant("{The} looks a bit odd", 0.6, n=0.5, a=-0.4),
    variant("I am not sure about {the}", 0.6, n=0.8),
    variant("I don't care much for {the}", 0.4, a=-0.9),
    variant("{The} could be part of a story", 0.5, o=1.0),
)
REMARKS_BY_CATEGORY: Final[Mapping[str, Variants]] = MappingProxyType(
    {
        "people": (
            variant("{The} looks happy", 2.0, e=0.5, a=0.4),
            variant("{The} seems to be waiting for someone", 1.5, n=0.4, o=0.2),
            variant("{The} seems friendly", a=0.8),
            variant("{The} is just standing there", 1.2, c=-0.3, a=-0.4),
            variant("I would say hello to {the}", 0.7, e=0.9),
            variant("{The} may be dreaming of something far away", 0.5, o=0.9),
        ),
        "animals": (
            variant("{The} looks friendly", 2.0, a=0.6),
            variant("I want to pet {the}", a=0.4, e=0.5),
            variant("{The} might bite", 0.4, n=0.9),
            variant("{The} seems well looked after", 0.7, c=0.8),
            variant("{The} could come from a fairy tale", 0.4, o=1.0),
        ),
        "vehicles": (
            variant("{The} looks fast", 1.2, e=0.4),
            variant("{The} could be dangerous", 0.6, n=0.8),
            variant("{The} looks clean and well kept", 0.8, c=0.7),
            variant("I would love a ride", 0.8, e=0.8),
            variant("{The} makes me think of faraway places", 0.5, o=0.9),
        ),
        "nature": (
            variant("{The} gives it a calm feeling", 1.3, n=-0.4, a=0.4),
            variant("{The} is beautiful", o=0.6, a=0.2),
            variant("{The} needs some care", 0.7, c=0.6, n=0.2),
            variant("I would sit down near {the} and talk", 0.4, e=0.8),
        ),
        "food": (
            variant("{The} makes me hungry", 1.3, n=0.2),
            variant("I would share {the} with everyone", 0.7, e=0.5, a=0.6),
            variant("Somebody should put {the} away", 0.7, c=0.8),
            variant("I wonder who left {the} there", 0.8, o=0.5, n=0.4),
        ),
        "furniture": (
            variant("{The} looks well made", c=0.6),
            variant("{The} looks worn out", 0.7, n=0.5, a=-0.4),
            variant("{The} has an interesting shape", 0.7, o=0.8),
            variant("{The} brings some life to it", 0.7, e=0.7),
        ),
        "signs": (
            variant("{The} is easy to notice", 1.2, c=0.6),
            variant("I wonder what {the} means", o=0.7),
            variant("{The} seems like a warning", 0.5, n=0.9),
            variant("Nobody pays attention to {the}", 0.6, a=-0.5),
        ),
    }
)

ATMOSPHERES: Final[Variants] = (
    variant("", 7.0, e=-0.2),
    variant("It feels peaceful", n=-0.6, a=0.4),
    variant("It looks like fun", 0.8, e=0.9),
    variant("The whole scene feels like a painting", 0.4, o=1.0),
    variant("The colours are wonderful", 0.6, o=0.7, a=0.3),
    variant("Everything is in its place", 0.6, c=0.9),
    variant("It feels a bit empty", 0.6, n=0.6, e=-0.4),
    variant("Something about it worries me", 0.3, n=1.0),
    variant("Nothing special really", 0.6, o=-0.8, a=-0.4),
    variant("It is quiet there", 0.7, e=-0.7),
    variant("What a happy place", 0.5, a=0.6, e=0.5),
)
