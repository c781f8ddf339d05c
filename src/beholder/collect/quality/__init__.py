"""Quality signals: named checks of a session, each with evidence; a person decides."""

from beholder.collect.quality.assess import SIGNALS, assess, signals_of
from beholder.collect.quality.judged import Expected, Judged, Survey
from beholder.collect.quality.others import Others
from beholder.collect.quality.thresholds import Thresholds

__all__ = [
    "SIGNALS",
    "Expected",
    "Judged",
    "Others",
    "Survey",
    "Thresholds",
    "assess",
    "signals_of",
]
