"""Words of people: the log-odds by a loop over texts, in any language."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beholder.evaluation.distinctness import words as module
from beholder.evaluation.distinctness.words import (
    score_words,
    shares_of_people,
    words_of,
    words_of_texts,
)

VOCABULARY = ("a", "dog", "cat", "tree", ".", "!", "perhaps")


def texts_of(seed: int, count: int = 24) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return texts, of which images and by whom; some images have one writer, or one twice."""
    generator = np.random.default_rng(seed)
    texts = [" ".join(generator.choice(VOCABULARY, generator.integers(0, 6))) for _ in range(count)]
    return texts, generator.integers(0, 7, count) * 3, generator.integers(0, 5, count) + 2


def naive(texts: list[str], images: np.ndarray, people: np.ndarray) -> dict[tuple[int, str], tuple]:
    """Return own share, others' share and z of every word of every person, by the definition."""
    bags = [set(words_of(text)) for text in texts]
    every = [word for bag in bags for word in bag]
    persons = set(people.tolist())
    prior = {word: every.count(word) / len(persons) for word in every}
    size = sum(prior.values())
    found = {}
    for person in persons:
        weights: dict[int, float] = {}
        own: dict[str, float] = {}
        total = 0
        for n in np.flatnonzero(people == person):
            others = np.flatnonzero((images == images[n]) & (people != person))
            if not len(others):
                continue
            for word in bags[n]:
                own[word] = own.get(word, 0) + 1
                total += 1
            for m in others:
                weights[m] = weights.get(m, 0) + 1 / len(others)
        if not weights:
            continue
        scale = sum(weights.values()) / sum(w * w for w in weights.values())
        rest: dict[str, float] = {}
        for m, weight in weights.items():
            for word in bags[m]:
                rest[word] = rest.get(word, 0) + scale * weight
        all_rest = sum(rest.values())
        for word, count in own.items():
            if not all_rest or size <= prior[word]:
                continue
            here, there = count + prior[word], rest.get(word, 0) + prior[word]
            delta = log(here / (total + size - here)) - log(there / (all_rest + size - there))
            z = delta / sqrt(1 / here + 1 / there)
            found[person, word] = count / total, rest.get(word, 0) / all_rest, z
    return found


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([1, 1000]))
def test_scores_are_those_of_a_loop(seed: int, block: int) -> None:
    texts, images, people = texts_of(seed)
    counts, names = words_of_texts(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PEOPLE_AT_ONCE", block)
        found = score_words(counts, images, people)
    expected = naive(texts, images, people)
    keys = [(int(p), names[w]) for p, w in zip(found.people, found.features, strict=True)]
    assert set(keys) == set(expected)
    for row, key in enumerate(keys):
        measured = found.own[row], found.others[row], found.score[row]
        assert measured == pytest.approx(expected[key])


def test_a_word_of_a_person_scores_highest_and_that_of_an_image_does_not() -> None:
    texts, images, people = [], [], []
    for image in range(8):
        for person in range(4):
            # Only person 0 and 1 see the boats of the first images: boats are not personal.
            if image < 4 and person > 1:
                continue
            boat = "boat" if image < 4 else "tree"
            texts.append(f"a {boat}" + (" maybe" if person == 1 else ""))
            images.append(image)
            people.append(person)
    counts, names = words_of_texts(texts)
    found = score_words(counts, np.array(images), np.array(people))
    best = int(found.score.argmax())
    assert (found.people[best], names[found.features[best]]) == (1, "maybe")
    of_boat = found.score[found.features == names.index("boat")]
    assert len(of_boat) == 2
    assert of_boat.max() < 0.5 < 1 < found.score[best]


def test_no_other_writer_gives_no_score() -> None:
    counts, _ = words_of_texts(["a dog", "a cat"])
    found = score_words(counts, np.array([0, 1]), np.array([0, 1]))
    assert len(found.score) == 0
    assert len(score_words(*_empty()).score) == 0


def _empty() -> tuple:
    counts, _ = words_of_texts([])
    return counts, np.zeros(0, np.int64), np.zeros(0, np.int64)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Een jongen, <uh> zo!", ["een", "jongen", ",", "<uh>", "zo", "!"]),
        ("一只狗", ["一只", "只狗"]),
        ("犬が いる", ["犬が", "いる"]),
        ("สุนัข", ["สุ", "ุน", "นั", "ัข"]),
        ("कुत्ता दौड़", ["कुत्ता", "दौड़"]),
        ("개가 뛴다", ["개가", "뛴다"]),
        ("", []),
    ],
)
def test_words_in_any_language(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_word_counts_once_a_text() -> None:
    counts, names = words_of_texts(["no! no! no!", "yes", ""])
    assert names == ("!", "no", "yes")
    assert counts.toarray().tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_shares_are_of_words_that_enough_people_use() -> None:
    texts = ["a dog", "a cat", "a dog !", "!", "", "a cat"]
    counts, names = words_of_texts(texts)
    people = np.array([4, 4, 7, 7, 8, 9])
    codes, kept, shares = shares_of_people(counts, people, minimum_people=2, most=10)
    assert codes.tolist() == [4, 7, 9]
    assert [names[word] for word in kept] == ["a", "cat", "dog"]
    np.testing.assert_allclose(
        shares, [[1 / 2, 1 / 4, 1 / 4], [1 / 4, 0, 1 / 4], [1 / 2, 1 / 2, 0]]
    )
    _, kept, shares = shares_of_people(counts, people, minimum_people=2, most=1)
    assert [names[word] for word in kept] == ["a"]
    assert shares.shape == (3, 1)
    assert len(shares_of_people(counts, people, minimum_people=4, most=5)[1]) == 0
