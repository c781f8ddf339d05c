"""Computing every signal: of one session, or of a whole study in two passes over it."""

from collections.abc import Callable, Iterator
from itertools import groupby

from beholder.collect.quality.agreement import agreement
from beholder.collect.quality.attention import fast_trials, tab_switches
from beholder.collect.quality.captions import copied_captions, pasted_captions, repeated_captions
from beholder.collect.quality.clicks import (
    few_clicks,
    missed_validation,
    regular_grid,
    regular_intervals,
    repeated_positions,
    zero_latency,
)
from beholder.collect.quality.judged import Expected, Judged, Survey
from beholder.collect.quality.others import Others
from beholder.collect.quality.surveys import fast_survey, self_contradicting, straight_lined
from beholder.collect.quality.thresholds import Thresholds
from beholder.collect.recordings import Recording, recording
from beholder.collect.rows import ParticipantRow, Signal
from beholder.collect.store import Store

DEFAULTS = Thresholds()

SIGNALS: tuple[Callable[[Judged], Signal | None], ...] = (
    missed_validation,
    few_clicks,
    regular_grid,
    regular_intervals,
    repeated_positions,
    zero_latency,
    pasted_captions,
    copied_captions,
    repeated_captions,
    tab_switches,
    fast_trials,
    fast_survey,
    straight_lined,
    self_contradicting,
    agreement,
)
"""Every signal's function; its name is the signal's."""


def signals_of(session: Judged) -> tuple[Signal, ...]:
    """Return the signals of a session, without those that nothing in it can speak of."""
    return tuple(signal for check in SIGNALS if (signal := check(session)) is not None)


def assess(
    store: Store, *, pilot: bool = False, thresholds: Thresholds = DEFAULTS
) -> dict[str, tuple[Signal, ...]]:
    """Compute and store the signals of every complete session; return them by session.

    Two passes over the records, of which one session at a time is in memory: the first sums up
    what all did, the second judges each against the others.
    """
    expected = Expected.of(store.definition)
    others = Others()
    for row, done in _sessions(store, pilot):
        trials = (one for one in done if one.kind != "practice")
        shortest = thresholds.shortest_copy
        others.add(row.session, row.participant, trials, expected.minimum_clicks, shortest)
    surveys = {
        survey.session: Survey(survey.answers, survey.record["duration_ms"])
        for survey in store.surveys(pilot=pilot)
    }
    found: dict[str, tuple[Signal, ...]] = {}
    for row, done in _sessions(store, pilot):
        survey = surveys.get(row.session)
        judged = Judged(row.session, row.participant, done, survey, expected, others, thresholds)
        found[row.session] = signals_of(judged)
        store.put_signals(row.session, found[row.session])
    return found


def _sessions(store: Store, pilot: bool) -> Iterator[tuple[ParticipantRow, tuple[Recording, ...]]]:
    """Yield every complete session with its trials."""
    rows = store.recorded_trials(pilot=pilot)
    for participant, trials in groupby(rows, key=lambda pair: pair[0]):
        yield participant, tuple(recording(trial) for _, trial in trials)
