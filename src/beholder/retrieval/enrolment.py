"""New people in a store without training: their samples go through the run's own towers.

A person is enrolled if all their samples have the part ``enrolled``; nobody else can be undone.
What is stored of their samples is what an indexing would have stored of the same ones, down to
how popular each item is; nothing of anybody else changes.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from beholder.errors import ConfigurationError, StoreError, StudyError, UnsupportedError
from beholder.features import Grid, ImageGrid, Surveys, Viewings
from beholder.retrieval.embedder import Embedder
from beholder.retrieval.fitted import known_items
from beholder.retrieval.layout import Description, Side, Vectors
from beholder.retrieval.newcomers import NewSample
from beholder.retrieval.pictures import grid_of, thumbnail
from beholder.retrieval.placement import Placement, place
from beholder.retrieval.records import (
    Addition,
    ImageRecord,
    ParticipantRecord,
    SampleRecord,
    gaze_record,
)
from beholder.retrieval.store import Snapshot, Store, Writer
from beholder.study.image_files import verified_size
from beholder.study.survey import parse_instrument

ENROLLED = "enrolled"
"""The part of the samples of enrolled people."""

FIRST_BROUGHT = 1 << 30
"""Images that enrolments bring are numbered from here on: undoing one tells them by that."""

_SAME_IMAGE = 0.03
"""Mean difference of colours (CIE Lab over 100) up to which two files show the same: a photograph
in another size differs by a sixth of it, another photograph by twice as much and more."""


@dataclass(frozen=True)
class Withdrawal:
    """What went with an enrolled person."""

    participant: str
    samples: int
    had_survey: bool
    images: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the withdrawal as what JSON can hold."""
        return {**vars(self), "images": list(self.images)}


def enrol(
    store: Store,
    samples: Sequence[NewSample],
    *,
    name: str,
    answers: tuple[int, ...] | None = None,
    add: bool = False,
) -> Placement:
    """Put a new person into a store, whole or not at all, and return where they stand.

    ``answers`` are a whole survey. With ``add`` the person is enrolled already, and the samples
    go to those that are there. Raises StudyError naming the sample at fault, StoreError where
    the name is taken, UnsupportedError where the run was trained for nothing that is given.
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise ConfigurationError(f"a participant's name is a word or a few, not {name!r}")
    if not samples:
        raise ConfigurationError(f"{name} is enrolled with at least one sample")
    # The writer comes first: while it is held, what is read stays true.
    with store.write() as writer, store.read() as snapshot:
        _check(samples, _held(snapshot, name, add))
        known = {one: snapshot.image(one) for one in _known_images(samples, snapshot)}
        embedder = Embedder(snapshot.model(), snapshot.description)
        brought = _brought(samples, known, embedder.grid, writer)
        first = writer.next_number("samples")
        records = tuple(_record(first + row, name, one) for row, one in enumerate(samples))
        number = snapshot.participant(name).number if add else writer.next_number("participants")
        person = _person(number, name, answers, snapshot.description)
        inputs: dict[str, Inputs] = _inputs(first, samples, known | brought)
        if answers is not None:
            inputs["personality"] = [number], _survey(answers, snapshot.description)
        writer.add(
            Addition(
                () if add and answers is None else (person,),
                tuple(brought.values()),
                records,
                _vectors(snapshot, embedder, inputs),
            )
        )
    with store.read() as snapshot:
        return place(snapshot, name)


def withdraw_enrolled(store: Store, name: str) -> Withdrawal:
    """Remove exactly what enrolling a person added: them, their samples, images they brought.

    Raises StoreError for a person of the study, and if nobody is called so.
    """
    with store.write() as writer, store.read() as before:
        samples = _enrolled(before, name)
        unseen = [before.image(image) for image in writer.remove_participant(name)]
        of_study = tuple(image for image in unseen if image.number < FIRST_BROUGHT)
        writer.add(Addition(images=of_study))  # nobody else saw them, but they were there
        return Withdrawal(
            name,
            len(samples),
            before.participant(name).answers is not None,
            tuple(image.name for image in unseen if image.number >= FIRST_BROUGHT),
        )


def _enrolled(snapshot: Snapshot, name: str) -> list[SampleRecord]:
    """Return the samples of an enrolled person; StoreError if they are of the study."""
    snapshot.participant(name)  # says so if nobody is called so
    samples = snapshot.samples_of(name)
    if not samples or any(sample.part != ENROLLED for sample in samples):
        raise StoreError(
            f"{name} is of the study {snapshot.description.study} and was not enrolled: nothing "
            "is added to them or undone (`beholder forget` removes a person for good)"
        )
    return samples


def _held(snapshot: Snapshot, name: str, add: bool) -> list[SampleRecord]:
    """Return the samples that a person has; StoreError where the name is not as it should be."""
    if add:
        return _enrolled(snapshot, name)
    people = {person.name for person in snapshot.catalogue().participants}
    if name not in people:
        return []
    samples = snapshot.samples_of(name)
    if samples and all(sample.part == ENROLLED for sample in samples):
        raise StoreError(
            f"{name} is enrolled already: `--add` gives them more samples, `--undo` removes them"
        )
    raise StoreError(
        f"{name} is a participant of the study {snapshot.description.study}: choose another name"
    )


def _check(samples: Sequence[NewSample], held: Sequence[SampleRecord]) -> None:
    """Raise StudyError for a sample of nothing, and for a second one of an image and task."""
    seen = {(sample.image, sample.task) for sample in held}
    for sample in samples:
        if sample.text is None and sample.gaze is None:
            raise StudyError(f"{sample.where} has neither text nor gaze, expected one or both")
        if (sample.image, sample.task) in seen:
            raise StudyError(
                f"{sample.where}, column image: found {sample.image!r} again, expected one "
                "sample for each image and task"
            )
        seen.add((sample.image, sample.task))


def _known_images(samples: Sequence[NewSample], snapshot: Snapshot) -> list[str]:
    names = set(snapshot.catalogue().images.values())
    return [one for one in dict.fromkeys(sample.image for sample in samples) if one in names]


def _brought(
    samples: Sequence[NewSample], known: Mapping[str, ImageRecord], grid: Grid, writer: Writer
) -> dict[str, ImageRecord]:
    """Return the records of new images; StudyError where a file is missing or is another one."""
    brought: dict[str, ImageRecord] = {}
    number = max(writer.next_number("images"), FIRST_BROUGHT)
    for sample in samples:
        if sample.image in known:
            _check_same(sample, known[sample.image])
        elif sample.image not in brought:
            if sample.file is None or not sample.file.is_file():
                raise StudyError(
                    f"{sample.where}, column image: found {sample.image!r}, expected an image "
                    f"of the store, or a file{f' (there is no {sample.file})' * bool(sample.file)}"
                )
            width, height = verified_size(sample.file)
            brought[sample.image] = ImageRecord(
                number + len(brought),
                sample.image,
                width,
                height,
                thumbnail(sample.file),
                grid_of(sample.file, grid)[0],
            )
    return brought


def _check_same(sample: NewSample, held: ImageRecord) -> None:
    """Raise StudyError where a file shows something else than the store's image of its name."""
    if sample.file is None or not sample.file.is_file():
        return
    if np.abs(_colours(sample.file) - _colours(io.BytesIO(held.thumbnail))).mean() > _SAME_IMAGE:
        raise StudyError(
            f"{sample.where}, column image: {sample.file} is another image than the store's "
            f"{held.name!r}, expected the same one or another name"
        )


def _colours(image: Path | BinaryIO) -> Vectors:
    """Return the mean colour of each cell of an image, (cells, cells, 3), in CIE Lab over 100."""
    return ImageGrid().describe(image)[..., :3]


def _record(number: int, name: str, sample: NewSample) -> SampleRecord:
    gaze = None if sample.gaze is None else gaze_record(sample.gaze)
    return SampleRecord(number, name, sample.image, sample.task, ENROLLED, sample.text, gaze)


def _person(
    number: int, name: str, answers: tuple[int, ...] | None, description: Description
) -> ParticipantRecord:
    if answers is None:
        return ParticipantRecord(number, name)
    survey = _survey(answers, description)
    scores = survey.instrument.trait_scores(survey.answers)[0].tolist()
    traits = dict(zip(survey.instrument.traits, scores, strict=True))
    return ParticipantRecord(number, name, tuple(map(int, survey.answers[0])), traits)


def _survey(answers: tuple[int, ...], description: Description) -> Surveys:
    if description.instrument is None:
        raise UnsupportedError(f"the study {description.study} has no survey instrument")
    instrument = parse_instrument(description.instrument)
    return Surveys(instrument.validate([answers]).astype(float), instrument)


Inputs = tuple[list[int], Any]
"""Numbers of items, and what the encoders of their modality take."""


def _inputs(
    first: int, samples: Sequence[NewSample], images: Mapping[str, ImageRecord]
) -> dict[str, Inputs]:
    """Return what the encoders take of samples numbered from ``first`` on, by modality."""
    inputs: dict[str, Inputs] = {}
    texts = {first + row: one.text for row, one in enumerate(samples) if one.text is not None}
    if texts:
        inputs["text"] = list(texts), list(texts.values())
    looked = {first + row: one for row, one in enumerate(samples) if one.gaze is not None}
    if looked:
        names = list(dict.fromkeys(one.image for one in looked.values()))
        inputs["gaze"] = (
            list(looked),
            Viewings(
                [one.gaze for one in looked.values() if one.gaze is not None],
                np.array([names.index(one.image) for one in looked.values()]),
                np.stack([images[name].grid for name in names]),
                np.array([images[name].width / images[name].height for name in names]),
            ),
        )
    return inputs


def _vectors(
    snapshot: Snapshot, embedder: Embedder, inputs: Mapping[str, Inputs]
) -> dict[Side, tuple[Any, Vectors]]:
    description = snapshot.description
    vectors: dict[Side, tuple[Any, Vectors]] = {}
    for modality in description.modalities:
        if modality in inputs:
            numbers, given = inputs[modality]
            features = embedder.encode(modality, given)
            for layout in description.pairs:
                if modality in layout.pair:
                    known = known_items(snapshot, layout, modality)
                    rows = embedder.rows(layout.side(modality), features, known)
                    vectors[layout.side(modality)] = np.array(numbers), rows
    if not vectors:
        raise UnsupportedError(
            f"the run {description.run} was not trained for {' or '.join(inputs)}, only for "
            f"{', '.join(description.tasks)}"
        )
    return vectors
