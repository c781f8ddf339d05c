"""Pieces are what the encoders see, and leaving one out leaves the rest as it was."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.features.text import tokens
from beholder.retrieval.pieces import (
    MOST_PIECES,
    gaze_in_pieces,
    grouped,
    survey_in_pieces,
    text_in_pieces,
    token_spans,
)
from beholder.study import Areas, Points, load_instrument

# Letters that change when they are normalised or made small, marks, signs, markers and spaces.
ODD = "aZé\u0301\u0323\u0327ŞİΣς\u1100\u1161\u11a8한ﬁ\u0958'’-<uh>.,\u200d\U0001d165\u0334 \n\u00a0"


def alike(words: list[str]) -> str:
    # A small sigma is written by what follows it, beyond the word's end.
    return "".join(words).replace("ς", "σ")


@given(st.text(st.sampled_from(ODD), max_size=12) | st.text(max_size=12))
def test_spans_are_the_tokens_and_nothing_but_spaces_is_left(text: str) -> None:
    spans = token_spans(text)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)
    outside = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    assert "".join(outside).strip() == ""
    found = [token for start, end in spans for token in tokens(text[start:end])]
    assert alike(found) == alike(tokens(text))
    if unicodedata.is_normalized("NFC", text) and not any(map(unicodedata.combining, text)):
        assert len(spans) == len(tokens(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A dog's ball, <uh> two!", ["A", "dog's", "ball", ",", "<uh>", "two", "!"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("İki at", ["İki", "at"]),
        ("\u1112\u1161\u11ab \u1100", ["\u1112\u1161\u11ab", "\u1100"]),
        ("a\u0334\u0301 b", ["a\u0334\u0301", "b"]),
        ("q\u0323\u0334\u0301!", ["q\u0323\u0334\u0301", "!"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_as_they_are_written(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in token_spans(text)] == words
    assert [piece.label for piece in text_in_pieces(text).pieces] == words


def test_a_text_without_a_word_is_written_as_if_it_had_never_been() -> None:
    given_ = text_in_pieces("A dog, a cat!")
    assert given_.without == [
        "dog, a cat!",
        "A , a cat!",
        "A dog a cat!",
        "A dog, cat!",
        "A dog, a !",
        "A dog, a cat",
        "A dog, a cat!",
    ]
    assert text_in_pieces("a dog ").without == ["dog ", "a", "a dog "]
    assert text_in_pieces("dog").without == ["", "dog"]


@given(st.integers(0, 1000), st.integers(1, 300))
def test_groups_follow_each_other_and_are_alike_in_size(count: int, most: int) -> None:
    groups = grouped([(place, place + 1) for place in range(count)], most)
    assert len(groups) == min(count, most)
    assert [place for start, end in groups for place in range(start, end)] == list(range(count))
    sizes = {end - start for start, end in groups}
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_points_keep_their_times_and_durations() -> None:
    x = np.arange(500) / 500
    gaze = Points(x, x + 1, x + 2, x + 3)
    given_ = gaze_in_pieces(gaze, np.zeros((2, 2, 3), np.float32), 1.5)
    viewings = given_.without
    assert len(viewings) == MOST_PIECES + 1
    assert viewings.gazes[-1] is gaze
    assert viewings.aspects.tolist() == [1.5]
    for piece, without in zip(given_.pieces, viewings.gazes, strict=False):
        expected = np.delete(x, slice(piece.start, piece.end))
        for place, name in enumerate(("x", "y", "time", "duration")):
            np.testing.assert_array_equal(getattr(without, name), expected + place)
    bare = gaze_in_pieces(Points(x[:2], x[:2]), np.zeros((2, 2, 3), np.float32), 1.0)
    assert [(len(one), one.time, one.duration) for one in bare.without.gazes] == [
        (1, None, None),
        (1, None, None),
        (2, None, None),
    ]


def test_an_area_goes_with_all_its_hits_and_its_fixations_stay() -> None:
    box = np.array([[0, 0, 0.5, 0.5], [0.1, 0, 0.5, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5]])
    gaze = Areas(9, np.array([0, 2, 3, 3]), ("dog", "dog", "dog", "cat"), box)
    given_ = gaze_in_pieces(gaze, np.zeros((2, 2, 3), np.float32), 1.0)
    assert [(one.start, one.end, one.label) for one in given_.pieces] == [
        (0, 1, "dog"),
        (1, 2, "dog"),
        (3, 4, "cat"),
    ]
    kept = [[1, 3], [0, 2, 3], [0, 1, 2], [0, 1, 2, 3]]
    for without, rows in zip(given_.without.gazes, kept, strict=True):
        assert without.fixations == 9
        assert without.fixation.tolist() == gaze.fixation[rows].tolist()
        assert without.label == tuple(gaze.label[row] for row in rows)
        np.testing.assert_array_equal(without.box, box[rows])
    none = gaze_in_pieces(
        Areas(3, np.zeros(0, int), (), np.zeros((0, 4))), np.zeros((2, 2, 3), np.float32), 1.0
    )
    assert (none.pieces, len(none.without)) == ((), 1)


def test_a_surveys_items_are_replaced_one_at_a_time() -> None:
    instrument = load_instrument("bfi-10")
    typical = np.arange(10) / 10
    given_ = survey_in_pieces((5,) * 10, typical, instrument)
    assert [one.label for one in given_.pieces] == [str(item) for item in range(1, 11)]
    expected = np.full((11, 10), 5.0)
    np.fill_diagonal(expected, typical)
    np.testing.assert_array_equal(given_.without.answers, expected)
    assert given_.without.instrument is instrument
