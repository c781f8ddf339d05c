"""What a space calls a positive, against sets, and the batches that hold them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.model.spaces import (
    SPACES,
    Positives,
    Space,
    batches,
    groups,
    missing_for_space,
)
from beholder.study import Study
from beholder.study.tasks import item_codes
from made_study import Row, made_study, studies

PAIRS = list(combinations(("gaze", "text", "personality"), 2))


def oracle(study: Study, space: Space, pair: tuple[str, str], rows: np.ndarray) -> np.ndarray:
    """A pair is positive iff the group of one sample owns the item of the other."""
    unit = {"base": range(len(study)), "content": study.image_codes}.get(
        space, study.participant_codes
    )
    owned: dict[str, dict[int, set[int]]] = {}
    codes = {modality: item_codes(study, modality) for modality in pair}
    for modality in pair:
        for row in rows:
            groups_items = owned.setdefault(modality, {})
            groups_items.setdefault(unit[row], set()).add(codes[modality][row])
    first, second = pair
    return np.array(
        [
            [
                codes[second][m] in owned[second][unit[n]]
                or codes[first][n] in owned[first][unit[m]]
                for m in rows
            ]
            for n in rows
        ]
    )


@given(study=studies, space=st.sampled_from(SPACES), pair=st.sampled_from(PAIRS), data=st.data())
@settings(max_examples=150)
def test_positives_are_those_of_the_sets(
    study: Study, space: Space, pair: tuple[str, str], data: st.DataObject
) -> None:
    rows = np.flatnonzero(study.has(pair[0]) & study.has(pair[1]))
    if not len(rows):
        return
    rows = np.sort(
        data.draw(st.permutations(rows.tolist()))[: data.draw(st.integers(1, len(rows)))]
    )
    matrix = Positives.of(study, space, pair, rows).between(pair, rows)
    assert (matrix == oracle(study, space, pair, rows)).all()
    assert matrix.diagonal().all()


@given(study=studies, space=st.sampled_from(SPACES), pair=st.sampled_from(PAIRS))
def test_what_belongs_together_within_a_modality_is_that_of_the_sets(
    study: Study, space: Space, pair: tuple[str, str]
) -> None:
    rows = np.flatnonzero(study.has(pair[0]) & study.has(pair[1]))
    if not len(rows):
        return
    positives = Positives.of(study, space, pair, rows)
    unit = groups(study, space)
    for modality in pair:
        codes = item_codes(study, modality)
        owned = {(unit[row], codes[row]) for row in rows}
        expected = [
            [(unit[n], codes[m]) in owned or (unit[m], codes[n]) in owned for m in rows]
            for n in rows
        ]
        assert positives.within(modality, rows).tolist() == expected


def test_equal_words_by_two_people_are_positives_of_both() -> None:
    rows = [Row("ada", "i", "a dog", 0), Row("bo", "i", "a dog", 1), Row("bo", "j", "red", 2)]
    study = made_study(rows)
    numbers = np.arange(3)
    base = Positives.of(study, "base", ("gaze", "text"), numbers).between(("gaze", "text"), numbers)
    assert base.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_equal_words_on_two_images_are_positives_of_both() -> None:
    rows = [Row("ada", "i", "a dog", 0), Row("bo", "j", "a dog", 1), Row("bo", "j", "red", 2)]
    study = made_study(rows)
    numbers = np.arange(3)
    content = Positives.of(study, "content", ("gaze", "text"), numbers).between(
        ("gaze", "text"), numbers
    )
    # Sample 0's words are of image j too, so image j's gazes answer them, and the other way
    # round image i owns "a dog"; but "red" is of j alone.
    assert content.tolist() == [[True, True, False], [True, True, True], [True, True, True]]


def test_a_survey_is_no_negative_of_any_sample_of_its_owner_or_of_a_twin() -> None:
    rows = [Row("ada", "i", "x", 0), Row("ada", "j", "y", 1), Row("bo", "i", "z", 2)]
    numbers = np.arange(3)
    for twins, expected in ((False, False), (True, True)):
        study = made_study(rows, {"ada": 1, "bo": 1 if twins else 2})
        matrix = Positives.of(study, "base", ("text", "personality"), numbers).between(
            ("text", "personality"), numbers
        )
        assert matrix[0, 1]
        assert matrix[1, 0]
        assert matrix[0, 2] == matrix[2, 1] == expected


def test_what_lies_outside_the_part_owns_nothing() -> None:
    study = made_study([Row("ada", "i", "dog", 0), Row("bo", "j", "red", 1), Row("bo", "i", "red")])
    rows = np.array([0, 1])
    matrix = Positives.of(study, "content", ("gaze", "text"), rows).between(("gaze", "text"), rows)
    assert matrix.tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("space", "rows", "message"),
    [
        ("style", [Row("ada", "i"), Row(None, "j")], "know who made each sample"),
        ("style", [Row("ada", "i"), Row("ada", "j")], "at least two participants"),
        ("content", [Row("ada", "i"), Row("bo", "i")], "at least two images"),
        ("base", [Row("ada", "i")], "at least two samples"),
    ],
)
def test_what_a_space_lacks_is_named(space: Space, rows: list[Row], message: str) -> None:
    study = made_study(rows)
    assert message in str(missing_for_space(study, space, np.arange(len(rows))))


def test_only_style_asks_for_people() -> None:
    study = made_study([Row(None, "i"), Row(None, "j")])
    missing = [missing_for_space(study, space, np.arange(2)) is None for space in SPACES]
    assert missing == [True, True, False]


def test_groups_are_samples_images_and_people() -> None:
    study = made_study([Row("bo", "i"), Row("ada", "j"), Row("bo", "j")])
    assert [groups(study, space).tolist() for space in SPACES] == [
        [0, 1, 2],
        [0, 1, 1],
        [1, 0, 1],
    ]


@given(
    labels=st.lists(st.integers(0, 6), min_size=2, max_size=60),
    size=st.integers(2, 16),
    per_group=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_batches_hold_every_sample_once(
    labels: list[int], size: int, per_group: int, seed: int
) -> None:
    group = np.array(labels * 2)
    rows = np.arange(0, len(group), 2)
    plan = batches(group, rows, size, per_group, np.random.default_rng(seed))
    held = np.concatenate(plan)
    assert len(held) == len(np.unique(held))
    assert set(held) <= set(rows)
    assert len(rows) - len(held) == (len(rows) % size == 1)
    assert all(2 <= len(batch) <= size for batch in plan)
    again = batches(group, rows, size, per_group, np.random.default_rng(seed))
    assert all((a == b).all() for a, b in zip(plan, again, strict=True))


def test_batches_hold_several_samples_of_a_group() -> None:
    group = np.repeat(np.arange(50), 6)
    rows = np.arange(300)
    for per_group in (2, 3):
        for batch in batches(group, rows, 12, per_group, np.random.default_rng(0)):
            counts = np.bincount(group[batch])
            assert (counts[counts > 0] >= per_group).all()


def test_batches_differ_by_epoch() -> None:
    rows = np.arange(40)
    generator = np.random.default_rng(0)
    first, second = (np.concatenate(batches(rows // 4, rows, 8, 2, generator)) for _ in range(2))
    assert (first != second).any()


def test_base_batches_bring_together_one_image() -> None:
    """Its hardest negatives are what others made of the same image."""
    study = made_study([Row("ada", image, "x", 0) for image in "ijij"])
    positives = Positives.of(study, "base", ("gaze", "text"), np.arange(4))
    assert positives.bundle.tolist() == study.image_codes.tolist()
