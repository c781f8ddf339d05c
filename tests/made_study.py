"""Studies made in memory, with no file behind them, and the smallest useful training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from beholder.model import Hyperparameters
from beholder.study import Areas, Points, Study, StudyInfo, load_instrument, samples_table
from beholder.study.schema import IMAGES, PARTICIPANTS

ALL_TASKS = "g2t,t2g,g2p,p2g,t2p,p2t"
QUICK = Hyperparameters(hidden=32, dimensions=16, epochs=3, batch=32, refit=1)
"""Towers and a training small enough for a test."""


class Row(NamedTuple):
    """A sample in short: the gaze is a number, equal numbers are equal gazes."""

    person: str | None
    image: str
    text: str | None = None
    gaze: int | None = None


def made_study(
    rows: Sequence[Row],
    surveys: Mapping[str, int | None] | None = None,
    *,
    with_instrument: bool = True,
) -> Study:
    """Return a study of these samples; ``surveys`` numbers each person's, equal if alike."""
    surveys = surveys or {}
    people = sorted({row.person for row in rows if row.person is not None} | set(surveys))
    images = sorted({row.image for row in rows})
    instrument = load_instrument("bfi-10") if with_instrument else None
    study = Study(Path("nowhere"), StudyInfo("made", "a test"), instrument)
    answers = [_answers(surveys.get(person)) for person in people]
    pictures = [[name, f"{name}.png", 40, 30, name] for name in images]
    columns = list(zip(*pictures, strict=True)) or [()] * 5
    study.__dict__.update(
        participants=pa.table({"participant": people, "items": answers}, PARTICIPANTS),
        images=pa.table(dict(zip(IMAGES.names, columns, strict=True)), IMAGES),
        samples=samples_table(
            participants=[row.person for row in rows],
            images=[row.image for row in rows],
            texts=[row.text for row in rows],
            gazes=[None if row.gaze is None else gaze_number(row.gaze) for row in rows],
        ),
        fingerprint=f"{len(rows)} rows",
    )
    return study


def gaze_number(number: int) -> Points:
    """Return a gaze that is the same for the same number."""
    return Points(x=np.array([0.5, number / 16]), y=np.array([0.25, 0.5]))


def with_areas(study: Study) -> Study:
    """Return a study whose points fell on areas, a label for each quarter of the image."""
    gazes = []
    for number in range(len(study)):
        gaze = study.gaze(number)
        assert gaze is None or isinstance(gaze, Points)
        gazes.append(None if gaze is None else _on_quarters(gaze))
    own = Study(study.path, study.info, study.instrument)
    own.__dict__.update(
        participants=study.participants,
        images=study.images,
        samples=samples_table(
            participants=study.samples.column("participant").to_pylist(),
            images=study.samples.column("image").to_pylist(),
            texts=study.texts,
            gazes=gazes,
        ),
        fingerprint=f"{study.fingerprint} on areas",
    )
    return own


def _on_quarters(gaze: Points) -> Areas:
    corner = np.stack([gaze.x >= 0.5, gaze.y >= 0.5], axis=1) / 2
    labels = tuple(f"{'right' if x else 'left'} {'bottom' if y else 'top'}" for x, y in corner)
    box = np.concatenate([corner, np.full((len(gaze), 2), 0.5)], axis=1)
    return Areas(len(gaze), np.arange(len(gaze)), labels, box)


def _answers(number: int | None) -> list[int] | None:
    if number is None:
        return None
    return [int(answer) for answer in np.random.default_rng(number).integers(1, 6, 10)]


PEOPLE = ("ada", "bo", "cy", "di")

studies = st.builds(
    made_study,
    st.lists(
        st.builds(
            Row,
            st.sampled_from(PEOPLE),
            st.sampled_from(("i", "j", "k")),
            st.sampled_from((None, "", "red", "blue", "a dog", "two cats")),
            st.sampled_from((None, 0, 1, 2)),
        ),
        min_size=1,
        max_size=14,
    ),
    st.fixed_dictionaries({person: st.sampled_from((None, 1, 2, 3)) for person in PEOPLE}),
)
"""Studies with all there is to trip over: twins, gaps, equal words, images seen twice."""
