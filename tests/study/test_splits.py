"""Splits are disjoint, of the right sizes, repeatable, and leak nothing of what must be unseen."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from beholder.errors import RunError, UnsupportedError
from beholder.study import Study
from beholder.study.splits import PARTS, SPLITS, UNUSED, Split, SplitKind, make_split
from made_study import Row, made_study

KINDS: tuple[SplitKind, ...] = get_args(SplitKind)


def grid(people: int, images: int) -> Study:
    """Everybody sees every image."""
    return made_study([Row(f"p{p:02}", f"i{i:02}") for p in range(people) for i in range(images)])


@given(
    kind=st.sampled_from(KINDS),
    seen=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=60),
    seed=st.integers(0, 10**6),
)
def test_parts_are_disjoint_and_leak_nothing(
    kind: SplitKind, seen: list[tuple[int, int]], seed: int
) -> None:
    study = made_study([Row(f"p{person}", f"i{image}") for person, image in seen])
    try:
        split = make_split(study, kind, seed)
    except UnsupportedError:
        assume(False)
        raise
    split.check(study)
    rows = [set(split.rows(part).tolist()) for part in PARTS]
    assert all(rows)
    assert sum(map(len, rows)) == len(set().union(*rows))
    if kind != "both":
        assert set().union(*rows) == set(range(len(study)))
    units = {"image": [1], "participant": [0], "both": [0, 1], "random": []}[kind]
    for unit in units:
        owners = [{seen[row][unit] for row in part} for part in rows]
        assert not owners[0] & owners[1]
        assert not owners[0] & owners[2]
        assert not owners[1] & owners[2]


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("random", {"train": 280, "validation": 40, "test": 80}),
        ("image", {"train": 280, "validation": 40, "test": 80}),
        ("participant", {"train": 280, "validation": 40, "test": 80}),
        ("both", {"train": 100, "validation": 16, "test": 36}),
    ],
)
def test_sizes_are_the_shares(kind: SplitKind, sizes: dict[str, int]) -> None:
    split = make_split(grid(20, 20), kind, 0)
    assert {part: len(split.rows(part)) for part in PARTS} == sizes
    assert (split.parts == UNUSED).sum() == 400 - sum(sizes.values())


def test_both_leaves_out_what_fell_apart_and_nothing_else() -> None:
    study = grid(10, 10)
    split = make_split(study, "both", 3)
    parts = split.parts.reshape(10, 10)
    person = [set(row) - {UNUSED} for row in parts]
    image = [set(column) - {UNUSED} for column in parts.T]
    assert all(len(part) == 1 for part in person + image)
    for p, i in np.ndindex(10, 10):
        assert (parts[p, i] == UNUSED) == (person[p] != image[i])


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_alone_decides(kind: SplitKind) -> None:
    study = grid(10, 10)
    first, again, other = (make_split(study, kind, seed).parts for seed in (4, 4, 5))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("kind", ["image", "participant", "both"])
def test_a_tampered_split_is_caught(kind: SplitKind) -> None:
    study = grid(10, 10)
    split = make_split(study, kind, 0)
    parts = split.parts.copy()
    parts[split.rows("train")[0]] = PARTS.index("test")
    with pytest.raises(RunError, match=f"the {kind} split leaks: 1 (image|participant)s"):
        Split(kind, 0, parts).check(study)


@pytest.mark.parametrize("kind", ["image", "both"])
def test_a_picture_under_two_names_is_in_one_part(kind: SplitKind) -> None:
    study = grid(10, 20)
    plain = make_split(study, kind, 0)
    names = study.images.column("image").to_pylist()
    digests = pa.array([names[row // 2] for row in range(20)])  # each picture has two names
    study.images = study.images.set_column(4, "sha256", digests)
    study.__dict__.pop("pictures")
    split = make_split(study, kind, 0)
    split.check(study)
    used = split.parts != UNUSED
    parts_of = [set(split.parts[used & (study.image_codes // 2 == one)]) for one in range(10)]
    assert all(len(parts) <= 1 for parts in parts_of)
    with pytest.raises(RunError, match=f"the {kind} split leaks: [0-9]+ images are in two parts"):
        plain.check(study)


def test_a_split_of_another_study_is_caught() -> None:
    with pytest.raises(RunError, match="the split is of 100 samples, the study has 90"):
        make_split(grid(10, 10), "random", 0).check(grid(10, 9))


@pytest.mark.parametrize(
    ("kind", "study", "message"),
    [
        ("participant", made_study([Row(None, "i"), Row("ada", "j")]), "some are unknown"),
        ("both", made_study([Row(None, "i"), Row("ada", "j")]), "some are unknown"),
        ("image", grid(10, 1), "needs at least 3 images, this study has 1"),
        ("participant", grid(2, 10), "needs at least 3 participants, this study has 2"),
        ("both", grid(10, 2), "needs at least 3 images, this study has 2"),
        ("random", grid(2, 1), "needs at least 3 samples, this study has 2"),
    ],
)
def test_what_cannot_be_split_is_refused(kind: SplitKind, study: Study, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        make_split(study, kind, 0)


def test_an_empty_part_is_refused() -> None:
    """Each person saw an image of their own, so few fall on the same side as it."""
    study = made_study([Row(f"p{n}", f"i{n}") for n in range(4)])
    with pytest.raises(UnsupportedError, match=r"has an empty (train|validation|test) part"):
        for seed in range(20):
            make_split(study, "both", seed)


def test_unknown_people_can_be_split_by_sample_and_by_image() -> None:
    study = made_study([Row(None, f"i{n}") for n in range(10)])
    for kind in ("random", "image"):
        make_split(study, kind, 0).check(study)


def test_kinds_are_named_once() -> None:
    assert SPLITS == KINDS
