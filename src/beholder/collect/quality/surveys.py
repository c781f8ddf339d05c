"""Signals of answering: too fast to read, all alike, or against itself."""

from collections import Counter

import numpy as np

from beholder.collect.quality.judged import Judged, Survey
from beholder.collect.rows import Signal
from beholder.study.survey import Instrument


def fast_survey(session: Judged) -> Signal | None:
    """Milliseconds that an item took, on average."""
    survey = session.survey
    if survey is None or not survey.answers:
        return None
    each_ms = survey.duration_ms / len(survey.answers)
    evidence = {"items": len(survey.answers), "seconds": round(survey.duration_ms / 1000, 1)}
    return Signal("fast_survey", each_ms < session.thresholds.item_ms, each_ms, None, evidence)


def straight_lined(session: Judged) -> Signal | None:
    """The share of the items with one and the same answer.

    Of an instrument with reversed items nobody means that.
    """
    survey = session.survey
    if survey is None or len(survey.answers) < 3:
        return None
    answer, count = Counter(survey.answers.values()).most_common(1)[0]
    share = count / len(survey.answers)
    evidence = {"answer": answer, "times": count, "items": len(survey.answers)}
    flagged = share >= session.thresholds.straight_lined
    return Signal("straight_lined", flagged, share, None, evidence)


def self_contradicting(session: Judged) -> Signal | None:
    """The share of the traits whose straight and reversed items were both agreed or denied.

    Judged are traits with items in both directions, if there are two or more of them.
    """
    instrument = session.expected.instrument
    if session.survey is None or instrument is None:
        return None
    both = _both_ways(instrument, session.survey)
    if len(both) < 2:
        return None
    middle = (instrument.minimum + instrument.maximum) / 2
    against = {
        trait: {"straight": straight, "reversed": turned}
        for trait, (straight, turned) in both.items()
        if (straight - middle) * (turned - middle) > 0
    }
    share = len(against) / len(both)
    evidence = {"traits_judged": len(both), "middle": middle, "traits": against}
    flagged = share >= session.thresholds.contradictions
    return Signal("self_contradicting", flagged, share, None, evidence)


def _both_ways(instrument: Instrument, survey: Survey) -> dict[str, tuple[float, float]]:
    """Return the mean answer to each trait's straight and to its reversed items."""
    means: dict[str, tuple[float, float]] = {}
    for trait in instrument.traits:
        answers: dict[bool, list[int]] = {False: [], True: []}
        for item in instrument.items:
            if item.trait == trait and item.key in survey.answers:
                answers[item.reversed].append(survey.answers[item.key])
        if answers[False] and answers[True]:
            means[trait] = (float(np.mean(answers[False])), float(np.mean(answers[True])))
    return means
