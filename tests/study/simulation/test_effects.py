"""With effects off nothing personal can be found; each effect brings in its own link alone.

Three permutation tests, each given the image: do a sample's gaze and text belong together, are
one person's samples alike, and do they go with that person's survey?
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from beholder.study import Study, attention_map
from beholder.study.scanpath import scanpath_statistics
from beholder.study.simulation import PRESETS, Effects, simulate

DESIGN = replace(PRESETS["small"], width=24, height=18)
PERMUTATIONS = 199
FOUND, ABSENT = 0.01, 0.03
Array = NDArray[np.float64]


def _within_images(values: Array, images: NDArray[np.int64]) -> Array:
    """Scaled features less their mean over the viewers of the image."""
    totals = np.zeros((images.max() + 1, values.shape[1]))
    np.add.at(totals, images, values)
    centred = values - (totals / np.bincount(images)[:, None])[images]
    kept = centred[:, centred.std(axis=0) > 0]
    return np.asarray(kept / kept.std(axis=0))


def _gaze(study: Study) -> Array:
    rows = []
    for sample in study:
        assert sample.gaze is not None
        seen = np.sqrt(attention_map(sample.gaze, 4, 4)).ravel()
        rows.append(np.concatenate([seen, scanpath_statistics(sample.gaze)]))
    return _within_images(np.array(rows), study.image_codes)


def _text(study: Study) -> Array:
    words = [text.replace(".", " .").replace("!", " !").split() for text in study.texts if text]
    counts: dict[str, int] = {}
    for word in (word for text in words for word in set(text)):
        counts[word] = counts.get(word, 0) + 1
    common = {word: n for n, word in enumerate(w for w, c in counts.items() if c >= 20)}
    table = np.zeros((len(words), len(common) + 1))
    for row, text in enumerate(words):
        table[row, -1] = len(text)
        for word in text:
            if word in common:
                table[row, common[word]] += 1
    return _within_images(table, study.image_codes)


def _p_value(statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.int64]) -> float:
    """The share of permutations within groups that do as well as the data's own order."""
    generator = np.random.default_rng(0)
    by_group = np.argsort(groups, kind="stable")
    observed = statistic(np.arange(len(groups)))
    as_good = 1
    for _ in range(PERMUTATIONS):
        order = np.empty(len(groups), dtype=np.int64)
        order[by_group] = np.lexsort((generator.random(len(groups)), groups))
        as_good += statistic(order) >= observed
    return as_good / (PERMUTATIONS + 1)


def _together(study: Study, gaze: Array, text: Array) -> float:
    groups = [np.flatnonzero(study.image_codes == n) for n in np.unique(study.image_codes)]
    alike = [gaze[rows] @ gaze[rows].T for rows in groups]

    def statistic(order: NDArray[np.int64]) -> float:
        mixed = text[order]
        pairs = zip(alike, groups, strict=True)
        return float(sum((k * (mixed[rows] @ mixed[rows].T)).sum() for k, rows in pairs))

    return _p_value(statistic, study.image_codes)


def _alike(study: Study, features: Array) -> float:
    people = study.participant_codes

    def statistic(order: NDArray[np.int64]) -> float:
        sums = np.zeros((people.max() + 1, features.shape[1]))
        np.add.at(sums, people[order], features)
        return float((sums**2).sum())

    return _p_value(statistic, study.image_codes)


def _surveyed(study: Study, features: Array) -> float:
    assert study.instrument is not None
    people = study.participant_codes
    sums = np.zeros((people.max() + 1, features.shape[1]))
    np.add.at(sums, people, features)
    scores = study.instrument.trait_scores(study.answers)
    scores = scores - scores.mean(axis=0)
    return _p_value(
        lambda order: float(((scores[order].T @ sums) ** 2).sum()), np.zeros(len(sums), dtype=int)
    )


# Which of gaze-text, alike in gaze, alike in text, survey-gaze and survey-text is to be found.
LINKS = {
    "none": (Effects.none(), (False, False, False, False, False)),
    "default": (Effects(), (True, True, True, True, True)),
    "sample": (replace(Effects.none(), sample=1.0), (True, False, False, False, False)),
    "gaze": (replace(Effects.none(), gaze=1.0), (False, True, False, False, False)),
    "text and survey": (
        replace(Effects.none(), text=1.0, survey=1.0),
        (False, False, True, False, True),
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_each_effect_brings_its_own_link_alone(name: str, tmp_path: Path) -> None:
    effects, expected = LINKS[name]
    simulate(tmp_path / "study", DESIGN, seed=11, effects=effects)
    study = Study.open(tmp_path / "study")
    gaze, text = _gaze(study), _text(study)
    found = [_together(study, gaze, text), _alike(study, gaze), _alike(study, text)]
    found += [_surveyed(study, gaze), _surveyed(study, text)]
    for p_value, link in zip(found, expected, strict=True):
        assert p_value <= FOUND if link else p_value > ABSENT, found
