"""Puts every sample, participant and image of a run's study into a store."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from beholder.features import FeatureCache, StudyInputs, Surveys
from beholder.model import Run
from beholder.model.configuration import COMBINED
from beholder.model.correlations import CANONICAL, MANNER_WIDTH, has_correlations
from beholder.model.networks import Pair
from beholder.progress import Progress, silent
from beholder.retrieval.embedder import model_files
from beholder.retrieval.embedding import Embedding, Items
from beholder.retrieval.layout import MANNER, Description, PairLayout, Side, Vectors
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
from beholder.work import HERE, Piece, Workers, in_order, pieces

_SAMPLES_AT_ONCE = 4096


def index(
    run: Run,
    where: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
    workers: Workers = HERE,
) -> Store:
    """Make a store of a run's study, whole or not at all, and return it.

    ``where`` is a folder or a PostgreSQL URL, as for `open_store`. Raises RunError where the
    study has changed since the training, FileExistsError where a store is there and must not
    be overwritten, StoreError where something else is. ``workers`` describe the images and
    embed; the store is the same whatever they are.
    """
    study = run.study
    with create_store(where, overwrite=overwrite) as writer:
        fill(writer, run, study, progress, workers)
    return open_store(where)


def describe(run: Run, files: Mapping[str, bytes]) -> Description:
    """Return what the vectors of a run's store mean."""
    configuration = run.configuration
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
        pairs=tuple(_layout(run, pair) for pair in _pairs(run)),
        model=digest.hexdigest(),
        instrument=None if instrument is None else instrument_toml(instrument),
    )


def _layout(run: Run, pair: Pair) -> PairLayout:
    """Return how a pair's vectors are laid out: the spaces of the run's method, and its manner."""
    method = run.method_for(pair)
    weights = run.weights(pair, method)
    widths = dict.fromkeys(weights, run.configuration.hyperparameters.dimensions)
    if CANONICAL in weights:
        widths[CANONICAL] = run.correlations(pair).dimensions
    if has_correlations(method, pair):
        widths[MANNER] = MANNER_WIDTH
    return PairLayout(pair, weights, widths)


def _pairs(run: Run) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys(task.pair for task in run.tasks))


def fill(
    writer: Writer,
    run: Run,
    study: Study,
    progress: Progress = silent,
    workers: Workers = HERE,
) -> None:
    """Put a study into a store, in place of all that it held."""
    files = model_files(run.folder, _pairs(run))
    description = describe(run, files)
    writer.clear(description, files)
    embedding = Embedding(files, description, _known(run))
    inputs = StudyInputs(study, FeatureCache.default(), run.grid, progress, workers=workers)
    writer.add(Addition(participants=_participants(study)))
    for image in progress(_images(study, inputs), "keeping images", study.images.num_rows):
        writer.add(Addition(images=(image,)))
    parts = pieces(len(study), _SAMPLES_AT_ONCE)
    tasks = (_items(inputs, description, piece) for piece in parts)
    found = zip(parts, in_order(workers, embedding, tasks), strict=True)
    for piece, embedded in progress(found, "embedding samples", len(parts)):
        rows = np.arange(piece.start, piece.stop)
        writer.add(Addition(samples=_samples(study, run, rows)))
        for vectors in embedded:
            writer.add(Addition(vectors=vectors))
    if "personality" in description.modalities and study.instrument is not None:
        people = np.flatnonzero(~np.isnan(study.answers).any(axis=1))
        surveys = Surveys(study.answers[people], study.instrument)
        for vectors in embedding([Items("personality", people, surveys)]):
            writer.add(Addition(vectors=vectors))


def _items(inputs: StudyInputs, description: Description, piece: Piece) -> list[Items]:
    """Return what the samples of a piece hold of each modality."""
    rows = np.arange(piece.start, piece.stop)
    found = []
    for modality in description.modalities:
        if modality != "personality":
            own = rows[inputs.study.has(modality)[rows]]
            found.append(Items(modality, own, inputs.of(modality, own)))
    return found


def _known(run: Run) -> dict[Side, Vectors]:
    """Return, for each side, what popularity is measured against."""
    if run.configuration.method not in COMBINED:
        return {}
    known: dict[Side, Vectors] = {}
    for pair in _pairs(run):
        (first, second), method = pair, run.method_for(pair)
        known[Side(pair, first)] = run.known(pair, second, method)
        known[Side(pair, second)] = run.known(pair, first, method)
    return known


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
