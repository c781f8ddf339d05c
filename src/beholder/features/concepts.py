"""Concepts: the labels of the areas that an image shows, and of those that a gaze dwelt on."""

from collections import Counter

from beholder.features.bags import Bag
from beholder.study.gaze import Areas, Gaze
from beholder.study.study import Study


def shown_concepts(study: Study) -> list[Bag]:
    """Return how many areas of each label every image shows: all that anyone's gaze met.

    The areas are the image's content, known like its pixels: who met one, and how often, does
    not count. Empty for an image without areas.
    """
    areas: list[set[tuple[str, ...]]] = [set() for _ in range(study.images.num_rows)]
    for number, form in enumerate(study.gaze_forms):
        gaze = study.gaze(number) if form == "areas" else None
        if isinstance(gaze, Areas):
            boxes = map(tuple, gaze.box.tolist())
            areas[study.image_codes[number]].update(zip(gaze.label, boxes, strict=True))
    return [Counter(label for label, _ in own) for own in areas]


def concept_bag(gaze: Gaze, shown: Bag) -> Bag:
    """Return what an image shows, and for how many fixations a gaze dwelt on each label."""
    bag = Counter(shown)
    if isinstance(gaze, Areas):
        for label, share in zip(gaze.label, gaze.shares(), strict=True):
            bag[f"{label} met"] += share
    return bag
