"""Ranking equals a brute-force oracle, whatever is asked."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_stores import DESCRIPTION, Places, brute_force, made_addition, made_rows, made_store

from beholder.errors import ConfigurationError, StoreError
from beholder.retrieval import Store, scoring
from beholder.retrieval.embedded import exact
from beholder.retrieval.records import Addition
from beholder.retrieval.store import FINDS, TARGETS, Filters, Hits, Probe, Ranking


class Made(NamedTuple):
    store: Store
    addition: Addition


@pytest.fixture(scope="module")
def made(places: Places) -> Made:
    addition = made_addition(7, 5, 60, np.random.default_rng(0))
    return Made(made_store(places(), addition), addition)


@st.composite
def filters(draw: st.DrawFn) -> Filters:
    names = st.sampled_from

    def some(values: list[str]) -> tuple[str, ...]:
        return tuple(draw(st.lists(names(values), max_size=2)))

    low = draw(st.sampled_from([0.0, 2.0, 3.0]))
    return Filters(
        some([f"person-{n}" for n in range(7)]),
        some([f"image-{n}.png" for n in range(5)]),
        some(["look", "search"]),
        some(["train", "validation", "test"]),
        draw(st.sampled_from([(), (("calm", low, low + 1),)])),
    )


@st.composite
def rankings(draw: st.DrawFn, find: str | None = None) -> Ranking:
    find = find or draw(st.sampled_from(FINDS))
    generator = np.random.default_rng(draw(st.integers(0, 9)))
    probes = []
    for modality in draw(st.sets(st.sampled_from(["gaze", "text", "personality"]), min_size=1)):
        for target in TARGETS[find]:
            layout = DESCRIPTION.between(modality, target)
            if layout is not None:
                side = layout.side(target)
                probes.append(Probe(modality, side, made_rows(side, 1, generator)[0]))
    if not probes:  # what was drawn cannot be compared with what is to be found
        side = next(side for side in DESCRIPTION.sides if side.modality in TARGETS[find])
        probes = [Probe("text", side, made_rows(side, 1, generator)[0])]
    modalities = dict.fromkeys(probe.modality for probe in probes)
    raw = {modality: draw(st.sampled_from([0.1, 1.0, 2.5])) for modality in modalities}
    weights = {modality: value / sum(raw.values()) for modality, value in raw.items()}
    top, offset = draw(st.integers(1, 70)), draw(st.sampled_from([0, 0, 1, 5, 1000]))
    return Ranking(find, tuple(probes), weights, draw(filters()), top, offset)


def check(hits: Hits, addition: Addition, ranking: Ranking) -> None:
    expected = brute_force(addition, ranking)
    assert hits.candidates == len(expected)
    page = expected[ranking.offset : ranking.offset + ranking.top]
    assert [hit.number for hit in hits.hits] == [number for number, _ in page]
    for hit, (_, score) in zip(hits.hits, page, strict=True):
        assert hit.score == pytest.approx(score, abs=1e-9)
        parts = sum(value for own in hit.parts.values() for value in own.values())
        assert parts == pytest.approx(score, abs=1e-9)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(asked=rankings())
def test_every_ranking_is_that_of_brute_force(made: Made, asked: Ranking) -> None:
    with made.store.read() as snapshot:
        try:
            (hits,) = snapshot.rank([asked])
        except StoreError as error:
            assert "has no" in str(error)  # a label that chance gave to no sample
            return
    check(hits, made.addition, asked)


@settings(max_examples=40)
@given(asked=st.lists(rankings(), min_size=2, max_size=6))
def test_a_batch_answers_as_one_by_one(made: Made, asked: list[Ranking]) -> None:
    with made.store.read() as snapshot:
        assert snapshot.rank(asked) == [snapshot.rank([one])[0] for one in asked]


@pytest.mark.parametrize("group", [2, 3])
def test_a_bound_by_groups_loses_no_answer(
    made: Made, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "_GROUP", group)
    generator = np.random.default_rng(3)
    for side in DESCRIPTION.sides[:2]:
        for top, offset in itertools.product((1, 3), (0, 1, 4)):
            probe = Probe("gaze", side, made_rows(side, 1, generator)[0])
            asked = Ranking(side.modality, (probe,), {"gaze": 1.0}, Filters(), top, offset)
            with made.store.read() as snapshot:
                check(snapshot.rank([asked])[0], made.addition, asked)


def test_a_page_is_exact_where_float32_is_not(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of scores that differ less than single precision, in many small blocks."""
    monkeypatch.setattr(scoring, "_ROWS_AT_ONCE", 7)
    monkeypatch.setattr(exact, "_SCORES_AT_ONCE", 900)
    generator = np.random.default_rng(1)
    addition = made_addition(3, 2, 400, generator)
    side = DESCRIPTION.sides[0]
    numbers = addition.vectors[side][0]
    rows = np.repeat(made_rows(side, 1, generator), len(numbers), axis=0)
    rows[:, :3] += generator.normal(0, 3e-8, (len(rows), 3)).astype(np.float32)
    vectors = {**addition.vectors, side: (numbers, rows)}
    addition = Addition(addition.participants, addition.images, addition.samples, vectors)
    store = made_store(place, addition)
    probe = generator.normal(size=(5, rows.shape[1])).astype(np.float32)
    asked = [
        Ranking("gaze", (Probe("gaze", side, one),), {"gaze": 1.0}, top=20, offset=30)
        for one in probe
    ]
    with store.read() as snapshot:
        for ranking, hits in zip(asked, snapshot.rank(asked), strict=True):
            check(hits, addition, ranking)


def test_pages_laid_together_are_the_whole_ranking(made: Made) -> None:
    side = DESCRIPTION.sides[0]
    vector = made_rows(side, 1, np.random.default_rng(5))[0]

    def page(top: int, offset: int) -> Ranking:
        return Ranking(
            "gaze", (Probe("gaze", side, vector),), {"gaze": 1.0}, Filters(), top, offset
        )

    with made.store.read() as snapshot:
        whole = snapshot.rank([page(1000, 0)])[0].hits
        pages = snapshot.rank([page(7, offset) for offset in range(0, 70, 7)])
    assert tuple(hit for one in pages for hit in one.hits) == whole


def test_what_is_not_there_is_named(made: Made) -> None:
    side = DESCRIPTION.sides[0]
    probe = Probe("gaze", side, np.zeros(13, np.float32))
    faults = {
        "no participant 'nobody'": Filters(participants=("nobody",)),
        "no image 'nothing'": Filters(images=("nothing",)),
        "no task 'rest'": Filters(tasks=("rest",)),
        "no split part 'exam'": Filters(parts=("exam",)),
        "no trait 'charm', only calm, open": Filters(traits=(("charm", 0, 1),)),
    }
    with made.store.read() as snapshot:
        for sentence, asked in faults.items():
            with pytest.raises(StoreError, match=sentence):
                snapshot.rank([Ranking("gaze", (probe,), {"gaze": 1.0}, asked)])
    with pytest.raises(ConfigurationError, match="from 1 answer on"):
        Ranking("gaze", (probe,), {"gaze": 1.0}, top=0)
    with pytest.raises(ConfigurationError, match="cannot find 'sound'"):
        Ranking("sound", (probe,), {"gaze": 1.0})


def test_combined_vectors_have_one_length_and_the_same_scores() -> None:
    generator = np.random.default_rng(2)
    layout = DESCRIPTION.pairs[0]
    rows = made_rows(layout.side("gaze"), 50, generator)
    query = made_rows(layout.side("text"), 1, generator)[0]
    weighed = query.copy()
    for space, weight in layout.weights.items():
        weighed[layout.block(space)] *= weight
    combined = layout.combined(rows)
    lengths = np.linalg.norm(combined, axis=1)
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-6)
    np.testing.assert_allclose(combined @ layout.combined_query(weighed), rows @ weighed, atol=1e-6)
