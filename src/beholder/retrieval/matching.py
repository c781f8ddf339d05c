"""Which names hold some words, for whoever looks for a person or an image."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def matching(items: Iterable[Item], words: str, name: Callable[[Item], str]) -> list[Item]:
    """Return the items whose names hold the words, whatever their case.

    The one that is called so comes first, then those that begin so; else their order stays.
    """
    sought = words.strip().casefold()
    folded = [(name(item).casefold(), item) for item in items]
    found = [(own, item) for own, item in folded if sought in own]
    if sought:
        found.sort(key=lambda one: (one[0] != sought, not one[0].startswith(sought)))
    return [item for _, item in found]
