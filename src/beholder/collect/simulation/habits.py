"""How a simulated participant goes about it: honestly, or careless in one known way."""

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from beholder.errors import ConfigurationError

Habit = Literal[
    "honest",
    "machine",
    "hasty",
    "paster",
    "copier",
    "repeater",
    "absent",
    "straight",
    "yes-sayer",
    "aimless",
]
"""What somebody is like.

``machine`` clicks a grid in an even rhythm, ``hasty`` does the least in no time, ``paster``
pastes texts, ``copier`` takes over what others wrote, ``repeater`` writes one text for all
images, ``absent`` is elsewhere half of the time, ``straight`` gives one answer to every item,
``yes-sayer`` agrees to every item, ``aimless`` clicks anywhere.
"""

CARELESS: Final[tuple[Habit, ...]] = tuple(name for name in get_args(Habit) if name != "honest")


@dataclass(frozen=True)
class Rates:
    """How often things go otherwise than planned; each is a probability from 0 to 1."""

    reload: float = 0.03
    """A trial in whose middle the page is loaded again."""
    double_send: float = 0.05
    """A record that is sent a second time after it was acknowledged."""
    abandon: float = 0.05
    """A participant who closes the tab for good somewhere on the way."""
    leave: float = 0.02
    """A participant who says that they stop."""
    refuse: float = 0.0
    """A participant who does not agree to the consent text."""
    careless: float = 0.0
    """A participant who is careless, in a way drawn at random."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise ConfigurationError(
                    f"the rate {field.name} is a probability, not {getattr(self, field.name)}"
                )
