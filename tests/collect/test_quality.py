"""Signals of quality: honest people raise none, and each kind of carelessness is caught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sessions import Design, judge, person

from beholder.collect.definition import Area, Validation
from beholder.collect.quality import SIGNALS, Expected, Judged, Others, Survey, Thresholds
from beholder.collect.quality import signals_of as compute
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
from beholder.collect.quality.likeness import Normal, likeness
from beholder.collect.quality.others import CELLS
from beholder.collect.quality.surveys import fast_survey, self_contradicting, straight_lined
from beholder.collect.recordings import Caption, Clicks, Recording
from beholder.collect.rows import Signal
from beholder.collect.simulation import CARELESS, Habit
from beholder.study.gaze import attention_map
from beholder.study.survey import Instrument, Item

HONEST, OF_EACH = 40, 2

CAUGHT: dict[Habit, set[str]] = {
    "machine": {"regular_grid", "regular_intervals", "repeated_positions"},
    "hasty": {"zero_latency", "few_clicks", "fast_trials", "fast_survey", "missed_validation"},
    "paster": {"pasted_captions"},
    "copier": {"copied_captions"},
    "repeater": {"repeated_captions"},
    "absent": {"tab_switches"},
    "straight": {"straight_lined"},
    "yes-sayer": {"self_contradicting"},
    "aimless": {"missed_validation"},
}


@pytest.fixture(scope="module")
def crowd() -> dict[int, tuple[Signal, ...]]:
    """The signals of honest people and of some of each careless kind, in one study."""
    people = [person(number) for number in range(HONEST)]
    for kind in CARELESS:
        people += [person(len(people) + extra, kind) for extra in range(OF_EACH)]
    sessions = judge(people, Design())
    return {number: compute(session) for number, session in enumerate(sessions)}


def flags(signals: Sequence[Signal]) -> set[str]:
    return {signal.name for signal in signals if signal.flagged}


def test_honest_people_raise_no_flag(crowd: dict[int, tuple[Signal, ...]]) -> None:
    flagged = [flags(crowd[number]) for number in range(HONEST) if flags(crowd[number])]
    assert len(flagged) <= 0.05 * HONEST, flagged


@pytest.mark.parametrize("kind", CARELESS)
def test_each_kind_of_carelessness_is_caught(
    crowd: dict[int, tuple[Signal, ...]], kind: Habit
) -> None:
    first = HONEST + OF_EACH * CARELESS.index(kind)
    for number in range(first, first + OF_EACH):
        assert flags(crowd[number]) >= CAUGHT[kind], number


def test_every_signal_is_named_like_its_function(crowd: dict[int, tuple[Signal, ...]]) -> None:
    assert [signal.name for signal in crowd[0]] == [check.__name__ for check in SIGNALS]


def test_evidence_names_the_trial_to_look_at(crowd: dict[int, tuple[Signal, ...]]) -> None:
    for signals in crowd.values():
        for signal in signals:
            listed = [each["trial"] for each in signal.evidence.get("trials", ())]
            assert signal.trial == (listed[0] if listed else None)
            assert (
                not signal.flagged
                or listed
                or "items" in signal.evidence
                or "traits" in (signal.evidence)
            )


# By hand, one signal after the other.


def seen(
    places: Sequence[tuple[float, float]],
    times: Sequence[float] | None = None,
    *,
    trial: str = "t",
    image: str = "a",
    kind: str = "image",
    inputs: str = "mouse",
    **changes: Any,
) -> Recording:
    """A trial with clicks, a second apart unless their times are given."""
    x, y = np.array(places, dtype=float).reshape(-1, 2).T
    t = np.array(times if times is not None else 1000.0 * np.arange(1, len(x) + 1), dtype=float)
    one = Recording(
        trial=trial,
        number=1,
        kind=kind,
        image=image,
        received_ms=1000,
        started_at_ms=0,
        duration_ms=100_000,
        has_bubbles=True,
        clicks=Clicks(x, y, t, np.full(len(x), 40.0), (inputs,) * len(x)),
        viewing_from_ms=0,
        viewing_ms=50_000,
        captions=(),
        box=None,
        zoom=1,
        pixel_ratio=1,
        events=(),
    )
    return replace(one, **changes)


def written(text: str, keys: int = 50, pasted: int = 0, name: str = "describe") -> Caption:
    return Caption(name, text, 0.0, 9000.0, keys, pasted, 0, False)


def session(
    *recordings: Recording,
    survey: Survey | None = None,
    expected: Expected | None = None,
    others: Others | None = None,
    name: str = "s",
) -> Judged:
    who = (name, f"p-{name}")
    given = (expected or Expected(minimum_clicks=3), others or Others(), Thresholds())
    return Judged(*who, recordings, survey, *given)


def found(signal: Signal | None) -> tuple[float | None, bool]:
    assert signal is not None
    return signal.value, signal.flagged


RANDOM = np.random.default_rng(0).random((40, 2)).tolist()


def test_validation_is_missed_outside_its_areas() -> None:
    left, right = (Area(x=x, y=0.4, width=0.2, height=0.2) for x in (0.1, 0.7))
    both = Validation(image="v", areas=(left, right))
    either = Validation(image="v", areas=(left, right), required=1)
    at_edge = seen([(0.3, 0.6)], image="v", kind="validation")
    for entry, missed in ((both, 1), (either, 0)):
        judged = session(at_edge, expected=Expected(validation={"v": entry}))
        assert found(missed_validation(judged)) == (missed, bool(missed))
    beside = seen([(0.3001, 0.6)], image="v", kind="validation")
    assert found(
        missed_validation(session(beside, expected=Expected(validation={"v": either})))
    ) == (
        1,
        True,
    )
    assert missed_validation(session(seen(RANDOM))) is None


def test_practice_is_never_judged() -> None:
    practice = seen([], kind="practice")
    assert compute(session(practice)) == ()


def test_few_clicks_are_those_that_are_asked_for() -> None:
    least, more = seen(RANDOM[:3], trial="x"), seen(RANDOM[:4])
    assert found(few_clicks(session(*[least] * 4, more))) == (0.8, True)
    assert found(few_clicks(session(*[least] * 3, more))) == (0.75, False)
    usual = Others(at_minimum={"s": 0.0, "u": 0.5, "v": 0.5})  # the session's own does not count
    assert found(few_clicks(session(*[least] * 5, others=usual))) == (1.0, False)


def test_a_grid_is_equal_strides() -> None:
    row = [(0.1 + 0.1 * n, 0.5) for n in range(8)]
    assert found(regular_grid(session(seen(row)))) == (1.0, True)
    assert found(regular_grid(session(seen(RANDOM[:8])))) == (0.0, False)
    staying = [(0.5, 0.5)] * 8  # no stride at all
    assert found(regular_grid(session(seen(staying)))) == (0.0, False)
    assert found(regular_grid(session(seen(row), *[seen(RANDOM[:8])] * 4))) == (0.2, True)
    assert found(regular_grid(session(seen(row), *[seen(RANDOM[:8])] * 5)))[1] is False


def test_arrow_keys_move_in_equal_strides_and_are_no_machine() -> None:
    row = [(0.1 + 0.1 * n, 0.5) for n in range(8)]
    by_keyboard = seen(row, inputs="keyboard")
    judged = session(by_keyboard, replace(by_keyboard, image="b"))
    assert regular_grid(judged) is None
    assert repeated_positions(judged) is None


def test_a_machine_has_rhythm() -> None:
    even, uneven = 500.0 * np.arange(1, 9), np.cumsum([500, 400, 700, 450, 900, 300, 650, 500])
    assert found(regular_intervals(session(seen(RANDOM[:8], even)))) == (1.0, True)
    assert found(regular_intervals(session(seen(RANDOM[:8], uneven)))) == (0.0, False)
    assert regular_intervals(session(seen(RANDOM[:5], even[:5]))) is None


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=6), min_size=2, max_size=4))
def test_repeated_positions_as_counted_one_by_one(trials: list[list[int]]) -> None:
    step = 0.0011  # so that neighbours are within the tolerance, and the next ones are not
    places = [[(0.1 + step * n, 0.2) for n in trial] for trial in trials]
    judged = session(*(seen(each, image=str(n)) for n, each in enumerate(places)))
    same = total = 0
    for number, each in enumerate(places):
        elsewhere = [p for n, other in enumerate(places) if n != number for p in other]
        total += len(each)
        same += sum(any(abs(x - u) <= 0.002 for u, _ in elsewhere) for x, _ in each)
    value, flagged = found(repeated_positions(judged))
    assert value == same / total
    assert flagged == (same / total >= 0.3)


def test_no_hand_clicks_without_latency() -> None:
    times = [30.0, 1000.0, 1049.0, 1099.0, 2000, 3000, 4000, 5000, 6000, 7000]
    signal = zero_latency(session(seen(RANDOM[:10], times)))
    assert found(signal) == (0.2, True)
    assert signal is not None and signal.evidence["trials"][0]["shortest_ms"] == 30.0
    later = seen(RANDOM[:1], [60_030.0], viewing_from_ms=60_000)  # the first task was the caption
    assert found(zero_latency(session(later))) == (1.0, True)


def test_texts_without_keys_were_pasted() -> None:
    text = "a text of forty characters, more or less"
    for caption, is_pasted in (
        (written(text), False),
        (written(text, keys=3, pasted=19), False),
        (written(text, keys=3, pasted=20), True),
        (written(text, keys=0), True),  # from nowhere
        (written("   ", keys=0), None),
    ):
        signal = pasted_captions(session(seen(RANDOM, captions=(caption,))))
        assert (signal and signal.flagged) == is_pasted, caption


def test_the_later_of_two_alike_texts_is_the_copy() -> None:
    others = Others()
    text = "Two dogs play with a red ball in the park."
    near = "two dogs play with a RED ball, in the Park!!"
    sessions = {}
    for name, said, received in (("first", text, 1), ("second", near, 2), ("third", "No.", 3)):
        trials = tuple(
            seen(
                RANDOM, trial=f"{name}-{image}", image=image, captions=(written(f"{said} {image}"),)
            )
            for image in ("here", "there")
        )
        trials = tuple(replace(one, received_ms=received) for one in trials)
        others.add(name, f"p-{name}", trials, 3, 25)
        sessions[name] = session(*trials, others=others, name=name)
    assert found(copied_captions(sessions["first"])) == (0, False)
    signal = copied_captions(sessions["second"])
    assert found(signal) == (2, True)
    assert signal is not None
    assert signal.evidence["trials"][0]["of_trial"] == "first-here"
    assert signal.evidence["trials"][0]["of_session"] == "first"
    assert text not in str(signal.evidence)  # evidence quotes nobody
    assert found(copied_captions(sessions["third"])) == (0, False)


def test_texts_of_other_images_are_copied_only_word_for_word() -> None:
    others = Others()
    text = "Two dogs play with a red ball in the park."
    elsewhere = replace(seen(RANDOM, image="else", captions=(written(text),)), received_ms=1)
    others.add("first", "p-first", [elsewhere] * 2, 3, 25)
    exact = seen(RANDOM, captions=(written(text.upper()),))
    near = seen(RANDOM, captions=(written(text + " Yes"),))
    assert found(copied_captions(session(exact, exact, others=others))) == (2, True)
    assert found(copied_captions(session(near, near, others=others))) == (0, False)
    own = replace(session(exact, exact, others=others), participant="p-first")
    assert found(copied_captions(own)) == (0, False)  # one's own earlier participation


def test_one_text_for_all_is_repeated() -> None:
    texts = ["A nice picture with nice things.", "a nice picture with NICE things", "Two dogs."]
    trials = [seen(RANDOM, captions=(written(text),)) for text in texts]
    assert found(repeated_captions(session(*trials))) == (1 / 3, True)
    of_two_tasks = seen(RANDOM, captions=(written(texts[0]), written(texts[0], name="other")))
    assert found(repeated_captions(session(of_two_tasks))) == (0.0, False)


@given(st.text("abc ", max_size=30), st.text("abc ", max_size=30), st.floats(0, 1))
def test_likeness_as_sets_of_five_characters(one: str, other: str, least: float) -> None:
    texts = [Normal.of(text) for text in (one, other)]
    grams = [{t.text[n : n + 5] for n in range(max(len(t.text) - 4, 1))} for t in texts]
    expected = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
    assert likeness(*texts) == expected
    bounded = likeness(*texts, least)
    assert bounded == expected or (bounded == 0 and expected < least)


def test_normal_texts_hide_no_copy() -> None:
    assert Normal.of("  Ｃafé —\tNOIR!").text == "café noir"


def test_absences_are_counted_once() -> None:
    def event(t: float, kind: str) -> dict[str, Any]:
        return {"t": t, "kind": kind, "environment": None}

    events = [
        *(event(1000, "blur"), event(1200, "hidden"), event(4000, "visible"), event(5000, "focus")),
        *(event(6000, "resize"), event(7000, "visible"), event(90_000, "hidden")),
    ]
    one = seen(RANDOM, events=tuple(events))
    assert one.absences == ((1000, 5000), (90_000, 100_000))
    assert found(tab_switches(session(one))) == (0.14, True)  # two absences in one trial
    assert found(tab_switches(session(one, seen(RANDOM)))) == (0.07, False)
    assert found(tab_switches(session(replace(one, events=events[-1:], duration_ms=120_000)))) == (
        0.25,
        True,
    )


def test_trials_need_the_time_of_their_clicks_and_keys() -> None:
    one = seen(RANDOM[:10], captions=(written("x" * 100, pasted=60),))
    needed_ms = 10 * 150 + 40 * 45
    for duration, share in ((needed_ms - 1, 1.0), (needed_ms, 0.0)):
        judged = session(replace(one, duration_ms=duration))
        assert found(fast_trials(judged)) == (share, share > 0)


def scale(*items: tuple[str, str, bool]) -> Expected:
    made = tuple(Item(key, "", trait, turned) for key, trait, turned in items)
    return Expected(instrument=Instrument("i", "", "", "", "", 1, 5, (), made))


BIG_TWO = scale(("a", "A", False), ("a-", "A", True), ("b", "B", False), ("b-", "B", True))


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        ((5, 4, 4, 5), 1.0),
        ((1, 2, 2, 1), 1.0),
        ((5, 4, 4, 2), 0.5),
        ((5, 3, 3, 5), 0.0),  # the middle contradicts nothing
        ((5, 1, 1, 5), 0.0),
    ],
)
def test_contradictions_are_agreed_both_ways(answers: tuple[int, ...], share: float) -> None:
    survey = Survey(dict(zip(("a", "a-", "b", "b-"), answers, strict=True)), 60_000)
    judged = session(survey=survey, expected=BIG_TWO)
    assert found(self_contradicting(judged)) == (share, share >= 0.8)
    one_way = scale(("a", "A", False), ("a-", "A", False), ("b", "B", False), ("b-", "B", True))
    assert self_contradicting(session(survey=survey, expected=one_way)) is None


def test_surveys_too_fast_and_in_a_line() -> None:
    keys = [str(n) for n in range(10)]
    line = Survey(dict.fromkeys(keys, 4) | {"9": 1}, 7999)
    assert found(straight_lined(session(survey=line))) == (0.9, True)
    assert found(fast_survey(session(survey=line))) == (799.9, True)
    two = Survey(dict.fromkeys(keys, 4) | {"8": 1, "9": 1}, 8000)
    assert found(straight_lined(session(survey=two))) == (0.8, False)
    assert found(fast_survey(session(survey=two))) == (800.0, False)


def test_agreement_as_correlated_one_by_one() -> None:
    generator = np.random.default_rng(3)
    centres = generator.random((10, 2))
    others, sessions = Others(), []
    for viewer in range(4):
        trials = []
        for image, centre in enumerate(centres):
            # The last viewer looks at the images in another order than they are shown.
            at = centres[(image + 3) % 10] if viewer == 3 else centre
            places = np.clip(at + 0.1 * generator.standard_normal((6, 2)), 0, 1)
            trials.append(seen(places.tolist(), image=str(image), trial=f"{viewer}-{image}"))
        others.add(str(viewer), f"p{viewer}", trials, 3, 25)
        sessions.append(trials)
    maps = np.array(
        [
            [attention_map(one.clicks.points, CELLS, CELLS).ravel() for one in trials]
            for trials in sessions
        ]
    )
    for viewer, trials in enumerate(sessions):
        rest = np.delete(maps, viewer, axis=0).mean(axis=0)
        shares = []
        for image in range(10):
            like = [np.corrcoef(maps[viewer, image], rest[other])[0, 1] for other in range(10)]
            shares.append(np.mean([like[image] > like[o] for o in range(10) if o != image]))
        judged = session(*trials, others=others, name=str(viewer))
        value, flagged = found(agreement(judged))
        assert value == pytest.approx(np.mean(shares), abs=1e-3)
        assert flagged == (viewer == 3)
    alone = session(*sessions[0], others=Others(), name="0")
    assert agreement(alone) is None


def test_signals_are_in_order_and_pure(crowd: dict[int, tuple[Signal, ...]]) -> None:
    people = [person(number) for number in range(4)]
    first, again = (judge(people, Design()) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert compute(one) == compute(other)
    assert all(a.__name__ != b.__name__ for a, b in pairwise(SIGNALS))
