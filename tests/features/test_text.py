"""Tokens, pieces, the projection of wording, and manner, by hand and against NumPy's SVD."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from beholder.features.bags import fit_vocabulary, weigh
from beholder.features.text import (
    MANNER,
    Manner,
    Wording,
    manner,
    piece_bag,
    tokens,
    word_bag,
)

TEXTS = [
    "A man rides a red horse.",
    "the man, the horse and <uh> the hat!",
    "a woman with a hat rides a horse",
    "two dogs play; the man looks on",
    "Two dogs and a red ball",
    "a red car, a blue car and a man",
    "the woman plays with the dogs",
]
SMALL = Wording(dimensions=50, word_minimum=1, piece_minimum=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nou, <uh> da's zo'n hond!", ["nou", ",", "<uh>", "da's", "zo'n", "hond", "!"]),
        ("’s avonds … wél", ["’", "s", "avonds", "…", "wél"]),
        ("Die STRAßE; Über-Mut?", ["die", "straße", ";", "über-mut", "?"]),
        ("I don’t know...", ["i", "don’t", "know", ".", ".", "."]),
        ("رجل، وكلب؟", ["رجل", "،", "وكلب", "؟"]),
        ("مُحَمَّد هنا", ["مُحَمَّد", "هنا"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("一个男人。", ["一个男人", "。"]),
        ("nice 👍🎉!", ["nice", "👍", "🎉", "!"]),
        ("❤\ufe0f", ["❤\ufe0f"]),
        ("a <b c> 3.5", ["a", "<", "b", "c", ">", "3", ".", "5"]),
        ("  \n\t", []),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == [unicodedata.normalize("NFC", token) for token in expected]


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_no_character_is_lost_but_spaces(text: str) -> None:
    normal = unicodedata.normalize("NFC", text).lower()
    assert "".join(tokens(text)) == "".join(normal.split())


@pytest.mark.parametrize("text", ["Één café", "für Ü-Ei, naïef", "Ångström", "한국어 말", "ậ ố"])
def test_composed_and_decomposed_texts_are_equal(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert word_bag(composed) == word_bag(decomposed)
    assert piece_bag(composed) == piece_bag(decomposed)
    assert manner(composed) == manner(decomposed)


def test_words_and_their_pairs_are_counted() -> None:
    assert word_bag("a dog, a dog") == {
        **{"a": 2, "dog": 2, ",": 1},
        **{"a dog": 2, "dog ,": 1, ", a": 1},
    }


def test_pieces_mark_the_ends_of_words() -> None:
    assert piece_bag("dogs", 2, 3) == Counter(
        [" d", "do", "og", "gs", "s ", " do", "dog", "ogs", "gs "]
    )
    assert piece_bag("ab ab", 5, 5) == {" ab ": 2}  # shorter than the size: whole


def test_wording_is_the_svd_of_the_weighted_words_and_pieces() -> None:
    bags = [[bag(text) for text in TEXTS] for bag in (word_bag, piece_bag)]
    blocks = [weigh(one, fit_vocabulary(one, 1, 20_000)).toarray() for one in bags]
    weighted = np.concatenate(blocks, axis=1).astype(float)  # (texts, terms)
    u, s, _ = np.linalg.svd(weighted, full_matrices=False)
    for whitening, dimensions in [(0.0, 50), (0.0, 3), (1.0, 3), (0.5, 4)]:
        wording = Wording(dimensions, whitening, word_minimum=1, piece_minimum=1)
        found = wording.encode(TEXTS, wording.fit(TEXTS))
        kept = min(dimensions, len(TEXTS))
        expected = u[:, :kept] * s[:kept] ** (1 - whitening)
        expected /= math.sqrt((expected**2).sum(axis=1).mean())
        assert found.shape == (len(TEXTS), kept)
        assert_allclose(found @ found.T, expected @ expected.T, atol=2e-5)


def test_new_texts_are_projected_on_the_training_directions() -> None:
    statistics = SMALL.fit(TEXTS[:5])
    whole = SMALL.encode(TEXTS, statistics)
    assert_allclose(whole[:5], SMALL.encode(TEXTS[:5], statistics), atol=1e-6)
    words = int(statistics.arrays["words"][0])
    rows = []
    for text in TEXTS[5:]:
        row = np.zeros(len(statistics.vocabulary))
        for bag, part in ((word_bag(text), slice(0, words)), (piece_bag(text), slice(words, None))):
            terms, idf = statistics.vocabulary[part], statistics.arrays["idf"][part]
            weights = np.array([math.log1p(bag.get(term, 0)) for term in terms]) * idf
            row[part] = weights / np.linalg.norm(weights)
        rows.append(row @ statistics.arrays["projection"])
    assert_allclose(whole[5:], rows, atol=1e-5)


def test_words_never_seen_are_known_by_their_pieces() -> None:
    statistics = SMALL.fit(TEXTS)
    dog, cat, signs = SMALL.encode(["doggies", "ball-dogs", "ÿÿÿ"], statistics)
    assert np.linalg.norm(dog) > 0.01 and np.linalg.norm(cat) > 0.01
    assert not signs.any()  # it shares no piece with any training text


def test_the_fit_takes_texts_evenly_where_there_are_many() -> None:
    few = Wording(50, word_minimum=1, piece_minimum=1, most_texts=4)
    vocabulary = SMALL.fit(TEXTS).vocabulary
    assert few.fit(TEXTS).vocabulary == vocabulary  # which counts every text
    assert few.fit(TEXTS).arrays["projection"].shape == (len(vocabulary), 4)
    lengths = np.linalg.norm(few.encode(TEXTS, few.fit(TEXTS)), axis=1)
    assert_allclose((lengths[::2] ** 2).mean(), 1, rtol=1e-5)  # as of those it was fitted on
    assert (lengths[1::2] < lengths[::2].min()).all()


@pytest.mark.parametrize("train", [["one text alone"], ["same words here"] * 5, [""], ["", "a"]])
@pytest.mark.parametrize("wording", [Wording(), SMALL, Wording(whitening=1.0, piece_minimum=1)])
def test_scant_texts_give_finite_numbers(train: list[str], wording: Wording) -> None:
    statistics = wording.fit(train)
    found = wording.encode([*train, "", "new words"], statistics)
    assert len(found) == len(train) + 2
    assert np.isfinite(found).all()
    assert not found[len(train)].any()
    style = Manner().encode([*train, "", "new words"], Manner().fit(train))
    assert np.isfinite(style).all()


def test_equal_texts_are_encoded_alike() -> None:
    train = ["same words here"] * 5
    found = SMALL.encode(train, SMALL.fit(train))
    assert found.shape == (5, 1)  # only one direction
    assert_allclose(np.abs(found), 1, rtol=1e-5)


def test_no_text_gives_no_rows() -> None:
    assert SMALL.encode([], SMALL.fit(TEXTS)).shape == (0, len(TEXTS))
    assert Manner().encode([], Manner().fit(TEXTS)).shape == (0, len(MANNER))


def _manner(text: str) -> dict[str, float]:
    return dict(zip(MANNER, manner(text), strict=True))


def test_manner_by_hand() -> None:
    text = "Well, <uh> a dog... (A dog!) 12"
    found = _manner(text)
    words = 6  # well a dog a dog 12
    expected = {
        "log_words": math.log(1 + words),
        "log_characters": math.log(1 + 31),
        "word_length": (4 + 1 + 3 + 1 + 3 + 2) / words,
        "distinct_words": 4 / words,
        "commas": 1 / words,
        "full_stops": 3 / words,
        "exclamations": 1 / words,
        "questions": 0,
        "ellipses": 1 / words,
        "other_signs": 2 / words,  # the brackets; not those of the marker
        "markers": 1 / words,
        "capitals": 2 / 31,
        "digits": 2 / 31,
        "starts_small": 0,
        "ends_with_sign": 0,
    }
    assert found == pytest.approx(expected)


def test_manner_of_a_small_question() -> None:
    found = _manner(" is it — … ? ")
    assert found["starts_small"] == found["ends_with_sign"] == 1
    assert found["questions"] == found["ellipses"] == found["other_signs"] == 0.5


def test_manner_of_nothing() -> None:
    assert not any(manner(""))
    assert math.isfinite(sum(manner(" \n ")))
    assert not _manner("<uh>")["log_words"]
    assert _manner("<uh>")["markers"] == 1


def test_a_vowel_sign_is_no_punctuation() -> None:
    found = _manner("यह हिन्दी")
    assert found["other_signs"] == found["ends_with_sign"] == 0
    assert found["log_words"] == pytest.approx(math.log(3))


def test_manner_is_scored_against_the_training_texts() -> None:
    train = ["a, b", "a b!", "A b c d"]
    statistics = Manner(weight=0.5).fit(train)
    values = np.array([manner(text) for text in [*train, "new, one!"]])
    spread = values[:3].std(axis=0)
    scores = (values - values[:3].mean(axis=0)) / np.where(spread > 1e-6, spread, 1)
    expected = 0.5 * np.clip(scores, -3, 3) / math.sqrt(len(MANNER))
    assert_allclose(
        Manner(weight=0.5).encode([*train, "new, one!"], statistics), expected, atol=1e-6
    )


def test_encoding_says_the_same_each_time() -> None:
    first, second = SMALL.fit(TEXTS), SMALL.fit(list(TEXTS))
    assert first.vocabulary == second.vocabulary
    assert_array_equal(first.arrays["projection"], second.arrays["projection"])
    assert_array_equal(SMALL.encode(TEXTS, first), SMALL.encode(TEXTS, second))
