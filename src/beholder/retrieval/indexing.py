"""Puts every sample, participant and image of a run's study into a store."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from beholder.features import FeatureCache, StudyInputs, Surveys
from beholder.model import Run
from beholder.model.networks import Pair
from beholder.progress import Progress, silent
from beholder.retrieval.embedder import Embedder, model_files
from beholder.retrieval.layout import Description, PairLayout, Side
from beholder.retrieval.opening import create_store, open_store
from beholder.retrieval.pictures import thumbnail
from beholder.retrieval.records import (
    Addition,
    ImageRecord,
    ParticipantRecord,
    SampleRecord,
    gaze_record,
)
from beholder.retrieval.store import Store, Writer
from beholder.study.splits import PARTS
from beholder.study.study import Study
from beholder.study.survey import instrument_toml
from beholder.study.tasks import Codes

_SAMPLES_AT_ONCE = 4096


def index(
    run: Run, where: str | Path, *, overwrite: bool = False, progress: Progress = silent
) -> Store:
    """Make a store of a run's study, whole or not at all, and return it.

    ``where`` is a folder or a PostgreSQL URL, as for `open_store`. Raises RunError where the
    study has changed since the training, FileExistsError where a store is there and must not
    be overwritten, StoreError where something else is.
    """
    study = run.study
    with create_store(where, overwrite=overwrite) as writer:
        fill(writer, run, study, progress)
    return open_store(where)


def describe(run: Run, files: Mapping[str, bytes]) -> Description:
    """Return what the vectors of a run's store mean."""
    configuration = run.configuration
    dimensions = configuration.hyperparameters.dimensions
    instrument = run.study.instrument
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(hashlib.sha256(files[name]).digest())
    return Description(
        study=run.provenance.study,
        run=run.path.name,
        method=configuration.method,
        split=configuration.split,
        seed=configuration.seed,
        tasks=tuple(task.name for task in run.tasks),
        pairs=tuple(
            PairLayout(pair, run.weights(pair, configuration.method), dimensions)
            for pair in _pairs(run)
        ),
        model=digest.hexdigest(),
        instrument=None if instrument is None else instrument_toml(instrument),
    )


def _pairs(run: Run) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys(task.pair for task in run.tasks))


def fill(writer: Writer, run: Run, study: Study, progress: Progress = silent) -> None:
    """Put a study into a store, in place of all that it held."""
    files = model_files(run.folder, _pairs(run))
    description = describe(run, files)
    writer.clear(description, files)
    embedder = Embedder(files, description)
    inputs = StudyInputs(study, FeatureCache.default(), embedder.grid, progress)
    writer.add(Addition(participants=_participants(study)))
    for image in progress(_images(study, inputs), "keeping images", study.images.num_rows):
        writer.add(Addition(images=(image,)))
    starts = range(0, len(study), _SAMPLES_AT_ONCE)
    for start in progress(starts, "embedding samples", len(starts)):
        rows = np.arange(start, min(start + _SAMPLES_AT_ONCE, len(study)))
        writer.add(Addition(samples=_samples(study, run, rows)))
        for modality in description.modalities:
            if modality != "personality":
                own = rows[study.has(modality)[rows]]
                _add_vectors(writer, run, embedder, modality, own, inputs.of(modality, own))
    if "personality" in description.modalities and study.instrument is not None:
        people = np.flatnonzero(~np.isnan(study.answers).any(axis=1))
        surveys = Surveys(study.answers[people], study.instrument)
        _add_vectors(writer, run, embedder, "personality", people, surveys)


def _add_vectors(
    writer: Writer, run: Run, embedder: Embedder, modality: str, numbers: Codes, inputs: object
) -> None:
    if not len(numbers):
        return
    features = embedder.encode(modality, inputs)
    vectors = {}
    for layout in embedder.description.pairs:
        if modality in layout.pair:
            side = Side(layout.pair, modality)
            known = None
            if run.configuration.method == "ours":
                other = next(one for one in layout.pair if one != modality)
                known = run.folder.known(layout.pair)[other]
            vectors[side] = (numbers, embedder.rows(side, features, known))
    writer.add(Addition(vectors=vectors))


def _participants(study: Study) -> tuple[ParticipantRecord, ...]:
    records = []
    for number, name in enumerate(study.participants.column("participant").to_pylist()):
        answers = study.answers[number : number + 1]
        if study.instrument is None or np.isnan(answers).any() or not answers.size:
            records.append(ParticipantRecord(number, name))
            continue
        scores = study.instrument.trait_scores(answers)[0].tolist()
        traits = dict(zip(study.instrument.traits, scores, strict=True))
        own = tuple(int(answer) for answer in answers[0])
        records.append(ParticipantRecord(number, name, own, traits))
    return tuple(records)


def _images(study: Study, inputs: StudyInputs) -> Iterator[ImageRecord]:
    for number, row in enumerate(study.images.to_pylist()):
        yield ImageRecord(
            number,
            row["image"],
            row["width"],
            row["height"],
            thumbnail(study.image_path(number)),
            inputs.grids[number],
        )


def _samples(study: Study, run: Run, rows: Codes) -> tuple[SampleRecord, ...]:
    records = []
    for number in rows.tolist():
        sample = study[number]
        part = int(run.split.parts[number])
        records.append(
            SampleRecord(
                number,
                sample.participant,
                sample.image,
                sample.task,
                PARTS[part] if part < len(PARTS) else None,
                sample.text,
                None if sample.gaze is None else gaze_record(sample.gaze),
            )
        )
    return tuple(records)
