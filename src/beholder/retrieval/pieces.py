"""What a text, a gaze or a survey is made of, and the same thing without each of its pieces.

A text is made of the tokens that its encoder sees, a gaze of its points, of the areas that it
hit or of the cells of its map, a survey of its answers. Where there are too many, neighbours
go together.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.features import Surveys, Viewings
from beholder.features.text import tokens
from beholder.retrieval.layout import Vectors
from beholder.study.gaze import Areas, DenseMap, Gaze, Points
from beholder.study.survey import Instrument

MOST_PIECES = 200
"""No more of them: each is a thing to embed."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """Characters ``start`` to ``end`` of a text, or places of points, hits, cells or items."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class InPieces:
    """The pieces of a thing; ``without`` holds it without each of them, as encoders take it.

    The thing as it is comes last: one more than there are pieces.
    """

    pieces: tuple[Piece, ...]
    without: Any


def text_in_pieces(text: str) -> InPieces:
    """Return a text's tokens, and the text without each one and the space that it leaves."""
    spans = grouped(token_spans(text))
    pieces = tuple(Piece(start, end, text[start:end]) for start, end in spans)
    return InPieces(pieces, [*(_text_without(text, *span) for span in spans), text])


def gaze_in_pieces(gaze: Gaze, grid: Vectors, aspect: float) -> InPieces:
    """Return a gaze's points, areas or cells (row by row), and the gaze without each.

    An area goes with all its hits and stands where it was hit first; a fixation without its
    areas stays a fixation, one that hit nothing. ``grid`` and ``aspect`` are of the image.
    """
    unit, labels = _units(gaze)  # (points, hits or cells,)
    first = np.unique(unit, return_index=True)[1]
    pieces, gazes = [], []
    for start, end in grouped([(place, place + 1) for place in range(len(first))]):
        label = ", ".join(dict.fromkeys(labels[start:end]))
        pieces.append(Piece(int(first[start]), int(first[end - 1]) + 1, label))
        gazes.append(_gaze_of(gaze, (unit < start) | (unit >= end)))
    gazes.append(gaze)
    image = np.zeros(len(gazes), np.int64)
    return InPieces(tuple(pieces), Viewings(gazes, image, grid[None], np.array([aspect])))


def survey_in_pieces(
    answers: Sequence[int], typical: NDArray[np.float64], instrument: Instrument
) -> InPieces:
    """Return a survey's items, and the survey with the ``typical`` answer (items,) to each.

    A survey has no gaps. What most people answer says least of a person, while the middle of
    the scale may be a strong word.
    """
    spans = grouped([(place, place + 1) for place in range(len(answers))])
    pieces = tuple(
        Piece(start, end, f"{end}" if end == start + 1 else f"{start + 1}–{end}")
        for start, end in spans
    )
    rows = np.tile(np.asarray(answers, np.float64), (len(spans) + 1, 1))  # (pieces + 1, items)
    for row, (start, end) in zip(rows, spans, strict=False):
        row[start:end] = typical[start:end]
    return InPieces(pieces, Surveys(rows, instrument))


def grouped(spans: Sequence[Span], most: int = MOST_PIECES) -> list[Span]:
    """Return at most so many spans, each from the first to the last of consecutive ones."""
    count = min(most, len(spans))
    edges = [len(spans) * place // count for place in range(count + 1)] if count else [0]
    return [(spans[first][0], spans[last - 1][1]) for first, last in pairwise(edges)]


def token_spans(text: str) -> list[Span]:
    """Return where in a text its tokens are, in order and apart from each other.

    Tokens are found in the normalised text in lower case, which may have more characters or
    fewer. Two tokens in what is written as one character are one.
    """
    written = [  # the span in the text of each character of the normal one in lower case
        (start, end)
        for start, end, normal in _clusters(text)
        for character in normal
        for _ in character.lower()
    ]
    normal = unicodedata.normalize("NFC", text).lower()
    spans: list[Span] = []
    place = 0
    for token in tokens(text):
        place = normal.index(token, place)  # nothing but spaces lies between
        (start, _), (_, end) = written[place], written[place + len(token) - 1]
        place += len(token)
        if spans and start < spans[-1][1]:
            start, end = spans.pop()[0], max(end, start)
        spans.append((start, end))
    return spans


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where the characters that belong together are, and their normal form (NFC)."""
    start, normal = 0, ""
    for place, character in enumerate(text):
        alone = unicodedata.normalize("NFC", character)
        joined = unicodedata.normalize("NFC", text[start : place + 1])
        if unicodedata.combining(character) == 0 and joined == normal + alone:
            if place:
                yield start, place, normal
            start, joined = place, alone
        normal = joined
    if text:
        yield start, len(text), normal


def _text_without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    if not before or before[-1].isspace():
        after = after.lstrip()
    return before + after if after else before.rstrip()


def _units(gaze: Gaze) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return which unit each point, hit or cell belongs to, by first appearance, and labels."""
    match gaze:
        case Points():
            return np.arange(len(gaze)), ()
        case Areas():
            hits = [(label, *box) for label, box in zip(gaze.label, gaze.box.tolist(), strict=True)]
            areas = {area: place for place, area in enumerate(dict.fromkeys(hits))}
            unit = np.array([areas[hit] for hit in hits], np.int64)
            return unit, tuple(label for label, *_ in areas)
        case DenseMap():
            return np.arange(gaze.values.size), ()


def _gaze_of(gaze: Gaze, kept: NDArray[np.bool_]) -> Gaze:
    """Return a gaze of some of its points, hits or cells."""
    match gaze:
        case Points():
            time = None if gaze.time is None else gaze.time[kept]
            duration = None if gaze.duration is None else gaze.duration[kept]
            return Points(gaze.x[kept], gaze.y[kept], time, duration)
        case Areas():
            label = tuple(gaze.label[place] for place in np.flatnonzero(kept))
            return Areas(gaze.fixations, gaze.fixation[kept], label, gaze.box[kept])
        case DenseMap():
            return DenseMap(gaze.values * kept.reshape(gaze.values.shape))
