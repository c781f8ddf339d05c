"""Makes the tables of a large study quickly, a block at a time: a crowd that clicks and writes.

Every image shows six things, each with a name and a place. A person has a taste among the names,
clicks near the things of their taste and names those that they clicked most, so that a gaze and
its text belong together. It is far plainer than `beholder simulate`, and some fifty times as quick.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray
from PIL import Image

THINGS = 6  # that an image shows
NAMES = 400
MANNERS = 300  # adjectives, which tell people apart and make most texts differ
SIDE = 64  # pixels of an image
_BLOCK = 25_000  # samples made at once


@dataclass(frozen=True)
class Crowd:
    """How large a study is: people see ``views`` images each and click ``clicks`` times."""

    samples: int
    views: int = 50
    images: int = 3000
    clicks: int = 12

    @property
    def participants(self) -> int:
        return -(-self.samples // self.views)


def write_crowd(crowd: Crowd, folder: Path, seed: int = 0) -> None:
    """Write ``samples.csv``, ``fixations.csv`` and ``images/`` as a lab would export them."""
    generator = np.random.default_rng(seed)
    names = generator.integers(NAMES, size=(crowd.images, THINGS))
    places = generator.uniform(0.1, 0.9, (crowd.images, THINGS, 2))
    _write_images(folder / "images", names, places)
    taste = generator.normal(size=(crowd.participants, NAMES)).astype(np.float32)
    with (
        pacsv.CSVWriter(folder / "samples.csv", _SAMPLES) as samples,
        pacsv.CSVWriter(folder / "fixations.csv", _FIXATIONS) as fixations,
    ):
        for start in range(0, crowd.samples, _BLOCK):
            number = np.arange(start, min(start + _BLOCK, crowd.samples))
            person = number // crowd.views
            # A person's images are neighbours on a ring that everyone enters elsewhere.
            image = (person * 7919 + number % crowd.views) % crowd.images
            clicked = _clicked(taste[person[:, None], names[image]], crowd.clicks, generator)
            who = np.char.add("p", np.char.zfill(person.astype(str), 7))
            what = np.char.add(np.char.zfill(image.astype(str), 6), ".png")
            texts = _texts(names[image], clicked, person, generator)
            samples.write_table(pa.table([who, what, texts], schema=_SAMPLES))
            where = places[image[:, None], clicked]  # (samples, clicks, 2)
            where = np.clip(where + generator.normal(0, 0.03, where.shape), 0, 1) * SIDE
            seconds = np.cumsum(generator.exponential(0.8, clicked.shape), axis=1)
            columns = [
                np.repeat(who, crowd.clicks),
                np.repeat(what, crowd.clicks),
                where[..., 0].round(2).ravel(),
                where[..., 1].round(2).ravel(),
                seconds.round(3).ravel(),
            ]
            fixations.write_table(pa.table(columns, schema=_FIXATIONS))


_SAMPLES = pa.schema([(name, pa.string()) for name in ("participant", "image", "text")])
_FIXATIONS = pa.schema(
    [(name, pa.string()) for name in ("participant", "image")]
    + [(name, pa.float64()) for name in ("x", "y", "t")]
)


def _clicked(
    taste: NDArray[np.float32], clicks: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return which thing each click is on, (samples, clicks): the liked ones more often."""
    chance = np.exp(1.5 * taste)
    edges = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)  # (samples, things)
    drawn = generator.random((len(taste), clicks))
    return np.minimum((drawn[..., None] > edges[:, None, :]).sum(axis=2), THINGS - 1)


def _texts(
    names: NDArray[np.int64],
    clicked: NDArray[np.int64],
    person: NDArray[np.int64],
    generator: np.random.Generator,
) -> list[str]:
    """Name the three things that were clicked most, in each person's adjectives."""
    counts = (clicked[..., None] == np.arange(THINGS)).sum(axis=1)  # (samples, things)
    most = np.argsort(-counts, axis=1, kind="stable")[:, :3]
    things = np.take_along_axis(names, most, axis=1)
    # Half of the adjectives are the person's own five, the others anyone's.
    own = (person[:, None] * 31 + generator.integers(5, size=things.shape) * 7) % MANNERS
    manners = np.where(
        generator.random(things.shape) < 0.5, own, generator.integers(MANNERS, size=things.shape)
    )
    thing, manner = _words(NAMES, 1), _words(MANNERS, 2)
    return [
        f"a {manner[a]} {thing[x]}, a {manner[b]} {thing[y]} and a {manner[c]} {thing[z]}"
        for (a, b, c), (x, y, z) in zip(manners.tolist(), things.tolist(), strict=True)
    ]


def _words(count: int, seed: int) -> list[str]:
    """Return made-up words of two or three syllables, all different."""
    generator = np.random.default_rng(seed)
    words: dict[str, None] = {}
    while len(words) < count:
        parts = generator.integers((18, 5), size=(int(generator.integers(2, 4)), 2))
        words["".join("bcdfghjklmnprstvwz"[c] + "aeiou"[v] for c, v in parts)] = None
    return list(words)


def _write_images(folder: Path, names: NDArray[np.int64], places: NDArray[np.float64]) -> None:
    """Draw every thing as a block whose colour is its name's."""
    folder.mkdir(parents=True)
    colours = np.random.default_rng(3).integers(0, 256, (NAMES, 3), dtype=np.uint8)
    for number, (own, where) in enumerate(zip(names, places, strict=True)):
        pixels = np.full((SIDE, SIDE, 3), 200, dtype=np.uint8)
        for name, (x, y) in zip(own, (where * SIDE).astype(int), strict=True):
            pixels[max(y - 6, 0) : y + 6, max(x - 6, 0) : x + 6] = colours[name]
        Image.fromarray(pixels).save(folder / f"{number:06d}.png")
