"""Words that mark a person: those that others do not write of the same images."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, vstack

from beholder.evaluation.distinctness.markers import Scores
from beholder.features.text import tokens
from beholder.study.gaze import Floats
from beholder.study.tasks import Codes

# Thai and Lao, Burmese, Khmer, Japanese and Chinese put no spaces between words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_PEOPLE_AT_ONCE = 1000


def words_of(text: str) -> list[str]:
    """Return a text's words, markers and signs in order.

    Where a script puts no spaces between words, every two neighbouring characters are one.
    """
    return [word for token in tokens(text) for word in _words(token)]


def _words(token: str) -> Iterator[str]:
    if len(token) > 2 and _UNSPACED.search(token):
        yield from (first + second for first, second in pairwise(token))
    else:
        yield token


def words_of_texts(texts: Sequence[str]) -> tuple[csr_array, tuple[str, ...]]:
    """Return which words each text has, 1 in a matrix (texts, words), and the words, sorted.

    A word counts once a text: it comes in bursts, and one text with ten exclamation marks would
    outweigh all that the person wrote of other images.
    """
    bags = [set(words_of(text)) for text in texts]
    vocabulary = tuple(sorted(set().union(*bags)))
    column = {word: number for number, word in enumerate(vocabulary)}
    rows = np.repeat(np.arange(len(bags)), [len(bag) for bag in bags])
    columns = np.array([column[word] for bag in bags for word in bag], dtype=np.int64)
    shape = (len(bags), len(vocabulary))
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape), vocabulary


def score_words(counts: csr_array, images: Codes, people: Codes) -> Scores:
    """Score every word of every person against the others' texts of the same images.

    ``counts`` has shape (texts, words), ``images`` and ``people`` (texts,). The score is the
    log-odds ratio with an informative Dirichlet prior, divided by its standard error (Monroe,
    Colaresi and Quinn 2008, "Fightin' Words", section 3.4). The prior has the words of all
    texts and is worth as many words as a person wrote on average. The others' texts are
    weighted so that each image counts as often as in the person's own, and together as much
    as their effective number. Texts of images that nobody else wrote of count in the prior
    alone. ``own`` and ``others`` are the word's shares of all words.
    """
    prior = np.asarray(counts.sum(axis=0)) / max(len(np.unique(people)), 1)  # (words,)
    compared = _seen_by_others(images, people)
    if not len(compared):
        return Scores(compared, compared, *(np.zeros(0) for _ in range(3)))
    counts, images, people = counts[compared], images[compared], people[compared]
    _, image = np.unique(images, return_inverse=True)
    codes, person = np.unique(people, return_inverse=True)
    weights = _weights_of_others(image, person)  # (people, images)
    by_image = _summed(image, np.ones(len(image)), counts)  # (images, words)
    own = _summed(person, np.ones(len(person)), counts)  # (people, words)
    # What everyone wrote of the person's images, less what the person did.
    everyone = _at_same_places(weights.matrix, by_image, own)
    theirs = np.maximum(everyone - _summed(person, weights.of_text, counts).data, 0)
    words = np.asarray(counts.sum(axis=1))
    total = np.bincount(person, words, minlength=len(codes))
    total_others = weights.matrix @ np.bincount(image, words) - np.bincount(
        person, weights.of_text * words, minlength=len(codes)
    )
    row = np.repeat(np.arange(len(codes)), np.diff(own.indptr))
    word = own.indices.astype(np.int64)
    kept = (total_others[row] > 0) & (prior.sum() > prior[word])
    row, word, mine, theirs = row[kept], word[kept], own.data[kept], theirs[kept]
    here, there = total[row], total_others[row]
    score = _log_odds_score(mine, here, theirs, there, prior[word], prior.sum())
    return Scores(codes[row], word, mine / here, theirs / there, score)


def _seen_by_others(images: Codes, people: Codes) -> Codes:
    """Return which texts are of an image that at least two people wrote of."""
    pairs = np.unique(np.stack([images, people]), axis=1)
    seen, writers = np.unique(pairs[0], return_counts=True)
    return np.flatnonzero(np.isin(images, seen[writers > 1]))


@dataclass(frozen=True)
class _Weights:
    """What another's text weighs for a person: by (people, images), and by a text's writer."""

    matrix: csr_array
    of_text: Floats


def _weights_of_others(image: Codes, person: Codes) -> _Weights:
    """Return the weights of others' texts, (sum w)² / sum w² in total for a person (Kish 1965)."""
    images = int(image.max()) + 1
    pairs, place, own = np.unique(person * images + image, return_inverse=True, return_counts=True)
    who, what = np.divmod(pairs, images)
    others = np.bincount(image)[what] - own  # at least one, as each image has two writers
    weight = own / others
    scale = np.bincount(who, weight * others) / np.bincount(who, weight**2 * others)
    weight = weight * scale[who]
    return _Weights(csr_array((weight, (who, what))), weight[place])


def _summed(group: Codes, weight: Floats, counts: csr_array) -> csr_array:
    """Return each group's weighted sum of counts, shape (groups, words), its words in order."""
    shape = (int(group.max(initial=-1)) + 1, len(group))
    sums = csr_array((weight, (group, np.arange(len(group)))), shape=shape) @ counts
    sums.sort_indices()
    return sums


def _at_same_places(left: csr_array, right: csr_array, places: csr_array) -> Floats:
    """Return the product of two matrices where a third has entries, none of which is 0 there."""
    ones = csr_array((np.ones(places.nnz), places.indices, places.indptr), shape=places.shape)
    parts = [
        (left[start : start + _PEOPLE_AT_ONCE] @ right).multiply(
            ones[start : start + _PEOPLE_AT_ONCE]
        )
        for start in range(0, places.shape[0], _PEOPLE_AT_ONCE)
    ]
    found = csr_array(vstack(parts))
    found.sort_indices()
    return np.asarray(found.data)


def _log_odds_score(
    own: Floats, total: Floats, others: Floats, total_others: Floats, prior: Floats, size: float
) -> Floats:
    def log_odds(count: Floats, of: Floats) -> Floats:
        return np.asarray(np.log((count + prior) / (of + size - count - prior)))

    difference = log_odds(own, total) - log_odds(others, total_others)
    return np.asarray(difference / np.sqrt(1 / (own + prior) + 1 / (others + prior)))


def shares_of_people(
    counts: csr_array, people: Codes, minimum_people: int, most: int
) -> tuple[Codes, Codes, Floats]:
    """Return people, words that many of them use, and the words' shares in theirs, (n, words).

    ``counts`` has shape (texts, words) and ``people`` (texts,). Kept are the ``most`` words
    that most people use, if at least ``minimum_people`` do; people without a word are left out.
    """
    codes, person = np.unique(people, return_inverse=True)
    sums = _summed(person, np.ones(len(person)), counts)
    total = np.asarray(sums.sum(axis=1))
    users = np.bincount(sums.indices, minlength=counts.shape[1])
    often = np.lexsort((np.arange(len(users)), -users))[:most]
    kept = np.sort(often[users[often] >= minimum_people])
    wrote = total > 0
    return codes[wrote], kept, sums[:, kept].toarray()[wrote] / total[wrote, None]
