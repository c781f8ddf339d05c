"""The form of evidence: numbers and plain facts, never anybody's words.

Whoever decides reads the words in the trials that the evidence names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from beholder.collect.recordings import Recording


def facts(one: Recording, **numbers: Any) -> dict[str, Any]:
    """Return the evidence of one trial: its id, its number and what was counted."""
    return {"trial": one.trial, "number": one.number, **numbers}


def first(trials: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of the trial that stands first in the evidence: the one to look at."""
    return str(trials[0]["trial"]) if trials else None
