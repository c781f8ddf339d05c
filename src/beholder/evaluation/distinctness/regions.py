"""Regions that mark a person: those on which others dwell less on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.distinctness.markers import Scores
from beholder.study.gaze import Areas, Floats, Gaze, attention_map
from beholder.study.tasks import Codes

CELLS = 8


@dataclass(frozen=True)
class Dwell:
    """How much of each gaze fell on each region: a row a gaze and region of its image.

    ``gaze`` numbers the gazes, ``region`` the regions, ``share`` lies in [0, 1]; each has the
    shape (rows,). All gazes of an image have rows for the same regions.
    """

    gaze: Codes
    region: Codes
    share: Floats


def dwell_on_labels(gazes: Sequence[Areas], images: Codes) -> tuple[Dwell, tuple[str, ...]]:
    """Return the share of each gaze's fixations on each label, and the labels, sorted.

    The labels of an image (``images`` has shape (n,)) are those that any of its gazes met. A
    fixation in nested areas is shared between them; one that hit nothing counts for none.
    """
    labels = tuple(sorted({label for gaze in gazes for label in gaze.label}))
    number = {label: place for place, label in enumerate(labels)}
    met = [np.array([number[label] for label in gaze.label], dtype=np.int64) for gaze in gazes]
    parts: list[tuple[Codes, Codes, Floats]] = []
    order = np.argsort(images, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(images[order])) + 1):
        regions = np.unique(np.concatenate([met[place] for place in group]))
        for place in group:
            gaze = gazes[place]
            sums = np.bincount(met[place], gaze.shares(), minlength=len(labels))[regions]
            parts.append((np.full(len(regions), place), regions, sums / max(gaze.fixations, 1)))
    return Dwell(*(np.concatenate(column) for column in zip(*parts, strict=True))), labels


def dwell_on_cells(
    gazes: Sequence[Gaze], aspects: Floats, cells: int = CELLS
) -> tuple[Dwell, tuple[str, ...]]:
    """Return the share of each gaze's attention in each cell of a grid, and the cells' names.

    ``aspects`` are the images' widths divided by their heights, shape (n,). A name is the row
    from the top and the column from the left, from 1.
    """
    maps = [
        attention_map(gaze, cells, cells, aspect=float(aspect)).ravel()
        for gaze, aspect in zip(gazes, aspects, strict=True)
    ]
    region = np.arange(cells * cells)
    dwell = Dwell(
        np.repeat(np.arange(len(gazes)), len(region)),
        np.tile(region, len(gazes)),
        np.concatenate(maps),
    )
    return dwell, tuple(f"row {cell // cells + 1}, column {cell % cells + 1}" for cell in region)


@dataclass(frozen=True)
class Excess:
    """How far each gaze is above the other viewers of its image, by region, as in `Dwell`.

    ``others`` is the others' mean share, ``excess`` the gaze's share less it, ``variance`` that
    of the excess were all viewers alike, from the region's spread within images and that of a
    typical region. Images with one viewer are left out.
    """

    gaze: Codes
    region: Codes
    others: Floats
    excess: Floats
    variance: Floats


def excess_over_others(dwell: Dwell, images: Codes) -> Excess:
    """Return the excess of every gaze; ``images`` says what each gaze is of, shape (n,).

    The median variance of a region is added to that of each, or a region that hardly anyone
    meets would mark whoever met it once (Tusher, Tibshirani and Chu 2001).
    """
    regions = int(dwell.region.max(initial=-1)) + 1
    _, place = np.unique(images[dwell.gaze] * regions + dwell.region, return_inverse=True)
    viewers = np.bincount(place)[place]
    mean = (np.bincount(place, dwell.share) / np.bincount(place))[place]
    share = np.where(viewers > 1, viewers / np.maximum(viewers - 1, 1), 1.0)
    squares = np.bincount(dwell.region, (dwell.share - mean) ** 2, minlength=regions)
    freedom = np.bincount(dwell.region, 1 / share * (viewers > 1), minlength=regions)
    variance = squares / np.maximum(freedom, 1)
    variance += np.median(variance[freedom > 0]) if freedom.any() else 0
    kept = viewers > 1
    # The rest's mean varies by variance / (viewers - 1), the gaze's own share by the variance.
    above = share * (dwell.share - mean)
    return Excess(
        dwell.gaze[kept],
        dwell.region[kept],
        (dwell.share - above)[kept],
        above[kept],
        (variance[dwell.region] * share)[kept],
    )


def score_regions(excess: Excess, people: Codes, minimum_images: int = 3) -> Scores:
    """Score each region of each person: the mean excess over images, as a z-score.

    ``people`` says whose each gaze is, shape (n,). The images are independent, so the
    variances add; a person counts in a region that at least ``minimum_images`` of theirs have.
    ``own`` and ``others`` are mean shares of dwell.
    """
    regions = int(excess.region.max(initial=-1)) + 1
    who = people[excess.gaze]
    keys, place, count = np.unique(
        who * max(regions, 1) + excess.region, return_inverse=True, return_counts=True
    )
    total = np.bincount(place, excess.excess)
    variance = np.bincount(place, excess.variance)
    others = np.bincount(place, excess.others) / count
    kept = count >= minimum_images
    scores = Scores(
        keys // max(regions, 1),
        keys % max(regions, 1),
        others + total / count,
        others,
        total / np.sqrt(np.where(variance > 0, variance, 1.0)),
    )
    return scores.taken(kept)


def person_excess(
    excess: Excess, people: Codes, regions: int
) -> tuple[Codes, Floats, NDArray[np.bool_]]:
    """Return the codes of people, their mean excess in each region, and whether it is known.

    Both have shape (n, regions). The excess is 0, as the crowd's, where it is not known, as
    the person shared no image with the region.
    """
    codes, person = np.unique(people[excess.gaze], return_inverse=True)
    place = person * regions + excess.region
    total = np.bincount(place, excess.excess, minlength=len(codes) * regions)
    count = np.bincount(place, minlength=len(codes) * regions).reshape(-1, regions)
    return codes, total.reshape(-1, regions) / np.maximum(count, 1), count > 0
