"""Features of a text: its words, the pieces of its words, and how it is written.

Style lives in punctuation, length, hesitations and small words, so nothing is stripped. Words
outside the vocabulary are still known by their pieces; a language without spaces is known by
its pieces alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array, hstack

from beholder.features.bags import Bag, fit_vocabulary, weigh
from beholder.features.encoder import Array, Statistics, evenly, standardise, standardise_fit

# What belongs to the character before it: accents, the vowel signs of Arabic or Hindi, joiners.
_MARKS = frozenset("\u200c\u200d").union(
    filter(lambda sign: unicodedata.category(sign).startswith("M"), map(chr, range(0x300, 0x10000)))
)
_WORD = rf"\w[\w{''.join(sorted(_MARKS))}]*"

# A marker such as <uh>, a word with its inner apostrophes and hyphens, or one sign.
_TOKEN = re.compile(rf"<\w+>|{_WORD}(?:['’-]{_WORD})*|[^\w\s][{''.join(sorted(_MARKS))}]*")


def tokens(text: str) -> list[str]:
    """Return a text's words, markers and signs in order, in lower case."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text).lower())


def word_bag(text: str) -> Bag:
    """Return the counts of a text's tokens and of its pairs of neighbours."""
    words = tokens(text)
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return Counter(words + pairs)


def piece_bag(text: str, shortest: int = 2, longest: int = 5) -> Bag:
    """Return the counts of the character n-grams of each token, its ends marked by spaces.

    A token shorter than a size counts as a whole for that size.
    """
    words = tokens(text)
    return Counter(piece for word in words for piece in _pieces(word, shortest, longest))


@lru_cache(maxsize=20_000)
def _pieces(word: str, shortest: int, longest: int) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(
        padded[start : start + size]
        for size in range(shortest, longest + 1)
        for start in range(max(1, len(padded) - size + 1))
    )


@dataclass(frozen=True)
class Wording:
    """Words, pairs of words and pieces of words as tf-idf, projected on their main directions.

    The projection is a truncated SVD of the training texts (latent semantic analysis,
    Deerwester et al. 1990), its directions scaled by 1 / singular value ** ``whitening``.
    """

    name: ClassVar[str] = "wording"

    dimensions: int = 600
    whitening: float = 0.0
    word_minimum: int = 2  # training texts that must hold a word
    piece_minimum: int = 3
    most_terms: int = 20_000  # of words and of pieces, each
    most_texts: int = 3000  # that the SVD is fitted on, evenly spaced among the training texts

    def fit(self, inputs: Sequence[str]) -> Statistics:
        """Return both vocabularies and the projection, shape (terms, dimensions)."""
        words = fit_vocabulary(map(word_bag, inputs), self.word_minimum, self.most_terms)
        pieces = fit_vocabulary(map(piece_bag, inputs), self.piece_minimum, self.most_terms)
        vocabulary = words.vocabulary + pieces.vocabulary
        arrays = {
            "idf": np.concatenate([words.arrays["idf"], pieces.arrays["idf"]]),
            "words": np.array([len(words.vocabulary)]),
        }
        step = -(-len(inputs) // self.most_texts)
        weighted = self._weigh(inputs[::step], Statistics(arrays, vocabulary))
        arrays["projection"] = _principal_directions(weighted, self.dimensions, self.whitening)
        return Statistics(arrays, vocabulary)

    def encode(self, inputs: Sequence[str], statistics: Statistics) -> Array:
        """Return the projected tf-idf of n texts, shape (n, dimensions)."""
        weighted = self._weigh(inputs, statistics)
        return np.asarray(weighted @ statistics.arrays["projection"], dtype=np.float32)

    def _weigh(self, inputs: Sequence[str], statistics: Statistics) -> csr_array:
        words = int(statistics.arrays["words"][0])
        idf, vocabulary = statistics.arrays["idf"], statistics.vocabulary
        of_words = Statistics({"idf": idf[:words]}, vocabulary[:words])
        of_pieces = Statistics({"idf": idf[words:]}, vocabulary[words:])
        return hstack(
            [
                weigh(map(word_bag, inputs), of_words),
                weigh(map(piece_bag, inputs), of_pieces),
            ],
            format="csr",
        )


def _principal_directions(rows: csr_array, dimensions: int, whitening: float) -> Array:
    """Return the leading right singular vectors, scaled, shape (columns, dimensions kept).

    They come from the eigenvectors of the rows' inner products, a matrix far smaller than
    the vocabulary. The rows are projected to a mean square length of 1.
    """
    inner = (rows @ rows.T).toarray()  # (n, n)
    kept = min(dimensions, len(inner))
    energy, vectors = eigh(inner, subset_by_index=[len(inner) - kept, len(inner) - 1])
    found = energy > 1e-5 * max(energy[-1], 1e-12)
    energy, vectors = energy[found][::-1], vectors[:, found][:, ::-1]
    # A singular value is the root of an energy; X' u / s is its right singular vector.
    length = np.sqrt((energy ** (1 - whitening)).sum() / len(inner))
    scaled = vectors / energy ** ((1 + whitening) / 2) / max(length, 1e-12)
    return np.asarray(rows.T @ scaled, dtype=np.float32)


MANNER = (
    "log_words",
    "log_characters",
    "word_length",
    "distinct_words",  # share of the words that are different
    "commas",
    "full_stops",
    "exclamations",
    "questions",
    "ellipses",
    "other_signs",
    "markers",  # hesitations and corrections such as <uh>
    "capitals",  # share of the characters
    "digits",
    "starts_small",  # whether the first letter is a small one
    "ends_with_sign",
)


def manner(text: str) -> list[float]:
    """Return how a text is written, as named in `MANNER`, counts per word where they are counts."""
    text = unicodedata.normalize("NFC", text)
    words = tokens(text)
    plain = [word for word in words if word[0].isalnum()]
    per_word = 1 / max(len(plain), 1)
    characters = max(len(text), 1)
    known_signs = sum(text.count(sign) for sign in ",.!?…<>")
    signs = sum(map(_is_sign, text))
    stripped = text.strip()
    return [
        np.log1p(len(plain)),
        np.log1p(len(text)),
        sum(map(len, plain)) * per_word,
        len(set(plain)) * per_word,
        text.count(",") * per_word,
        text.count(".") * per_word,
        text.count("!") * per_word,
        text.count("?") * per_word,
        (text.count("…") + text.count("...")) * per_word,
        (signs - known_signs) * per_word,
        sum(word.startswith("<") and len(word) > 1 for word in words) * per_word,
        sum(c.isupper() for c in text) / characters,
        sum(c.isdigit() for c in text) / characters,
        float(stripped[:1].islower()),
        float(bool(stripped) and _is_sign(stripped[-1])),
    ]


def _is_sign(character: str) -> bool:
    return not (character.isalnum() or character.isspace() or character in _MARKS)


@dataclass(frozen=True)
class Manner:
    """How a text is written, whatever it says: length, signs, hesitations, capitals."""

    name: ClassVar[str] = "manner"

    weight: float = 0.2

    def fit(self, inputs: Sequence[str]) -> Statistics:
        """Return the mean and spread of each measure in `MANNER`."""
        return standardise_fit(_manners(inputs[evenly(len(inputs))]))

    def encode(self, inputs: Sequence[str], statistics: Statistics) -> Array:
        """Return z-scores of the measures in `MANNER`, shape (n, measures)."""
        return self.weight * standardise(_manners(inputs), statistics)


def _manners(texts: Sequence[str]) -> Array:
    return np.array([manner(text) for text in texts], dtype=np.float32).reshape(-1, len(MANNER))
