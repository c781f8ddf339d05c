"""Training a run: features, then every space of every pair, then the combination."""

import contextlib
import fcntl
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beholder import __version__
from beholder.errors import ConfigurationError, RunError, UnsupportedError
from beholder.features import FeatureCache, ModalityEncoder, StudyInputs, default_encoders
from beholder.model.combination import choose_weights
from beholder.model.configuration import TrainingConfiguration
from beholder.model.folder import Provenance, RunFolder
from beholder.model.learning import Features, PairData, State, learn_space
from beholder.model.run import Run
from beholder.model.spaces import Positives, Space, missing_for_space
from beholder.model.towers import embed
from beholder.progress import Progress, silent
from beholder.study.splits import PARTS, Split, make_split
from beholder.study.study import Study
from beholder.study.tasks import Codes, Galleries, Task, item_codes, missing_for

CHECKPOINT_EVERY_S = 10.0
"""A checkpoint costs far less than this; a kill loses at most so much work."""

MOST_VALIDATION = 1000
"""More validation samples than these hardly change when a training stops."""

_LIBRARIES = ("numpy", "pyarrow", "scipy", "torch")


@dataclass(frozen=True)
class _Plan:
    """What can be trained of what was asked, and one sentence on each thing that cannot."""

    tasks: tuple[Task, ...]
    spaces: Mapping[tuple[str, str], tuple[Space, ...]]
    warnings: tuple[str, ...]


def train(
    study: Study | str | Path,
    path: str | Path,
    configuration: TrainingConfiguration | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    cache: FeatureCache | None = None,
    progress: Progress = silent,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
) -> Run:
    """Train a run on a study, or on the one in a folder, and return the run, opened.

    With ``resume`` a run that was interrupted goes on, to the same weights that it would have
    had; without a configuration it goes on with its own. Tasks that the study cannot support
    are left out with a warning in the run's provenance; UnsupportedError if none is left,
    TrainingError if a training fails.
    """
    study = study if isinstance(study, Study) else Study.open(study)
    folder = RunFolder(Path(path))
    if resume and overwrite:
        raise ConfigurationError("a run is either resumed or overwritten, not both")
    if configuration is None:
        begun = resume and not folder.is_empty
        configuration = folder.configuration() if begun else TrainingConfiguration()
    with _claimed(folder, configuration, resume, overwrite) as is_done:
        if is_done:
            return Run(folder, study)
        folder.check_study(study)
        started = time.monotonic()
        split = make_split(study, configuration.split, configuration.seed)
        split.check(study)
        plan = _plan(study, split, configuration)
        folder.write_configuration(configuration)
        folder.write_split(split, study)
        inputs = StudyInputs(study, cache or FeatureCache.default(), progress=progress)
        features = _features(folder, inputs, split, plan)
        for pair, space in ((pair, s) for pair, spaces in plan.spaces.items() for s in spaces):
            if not folder.has_space(pair, space):
                data = _pair_data(study, split, space, pair, features)
                _learn(folder, configuration, data, pair, space, checkpoint_every_s, progress)
        for pair in plan.spaces:
            weights = _weights(folder, configuration, study, split, plan, pair, features)
            folder.write_weights(pair, weights)
        folder.finish(_provenance(study, plan, time.monotonic() - started))
    return Run(folder, study)


@contextlib.contextmanager
def _claimed(
    folder: RunFolder, configuration: TrainingConfiguration, resume: bool, overwrite: bool
) -> Iterator[bool]:
    """Hold a run's folder for one process; give whether it is finished already."""
    if not folder.is_empty:
        if not (resume or overwrite):
            raise RunError(f"{folder.path} exists already; pass --resume or --overwrite")
        begun = folder.configuration()  # RunError if this is no run: nothing else is touched
        if resume and begun != configuration:
            raise RunError(
                f"{folder.path} was begun with another configuration; a resumed run keeps its own"
            )
    elif resume:
        raise RunError(f"{folder.path} holds no run to resume")
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"another process is training {folder.path}") from error
        if overwrite:
            folder.clear()
        try:
            yield folder.is_finished
        finally:
            if folder.is_empty:  # refused before it began
                shutil.rmtree(folder.path)


def _plan(study: Study, split: Split, configuration: TrainingConfiguration) -> _Plan:
    tasks: list[Task] = []
    spaces: dict[tuple[str, str], tuple[Space, ...]] = {}
    warnings: list[str] = []
    for task in configuration.parsed_tasks:
        reason = missing_for(study, task) or _missing_in_parts(study, split, task)
        if reason is not None:
            warnings.append(reason)
            continue
        if task.pair not in spaces:
            rows = _with_both(study, split.rows("train"), task.pair)
            lacks = {space: missing_for_space(study, space, rows) for space in configuration.spaces}
            spaces[task.pair] = tuple(space for space, lack in lacks.items() if lack is None)
            warnings += [f"{'-'.join(task.pair)}: {lack}" for lack in lacks.values() if lack]
        if spaces[task.pair]:
            tasks.append(task)
    if not tasks:
        raise UnsupportedError("; ".join(warnings))
    supported = {pair: possible for pair, possible in spaces.items() if possible}
    return _Plan(tuple(tasks), supported, tuple(warnings))


def _with_both(study: Study, rows: Codes, pair: tuple[str, str]) -> Codes:
    return rows[study.has(pair[0])[rows] & study.has(pair[1])[rows]]


def _missing_in_parts(study: Study, split: Split, task: Task) -> str | None:
    """Return one sentence on what the parts lack for a task, or None if it can be learnt."""
    for part in PARTS:
        if not len(_with_both(study, split.rows(part), task.pair)):
            return f"{task.name} has no sample with both modalities in the {part} part"
    rows = _with_both(study, split.rows("train"), task.pair)
    for modality in task.pair:
        if len(np.unique(item_codes(study, modality)[rows])) < 2:
            return f"{task.name} has a single {modality} in the train part, too few to learn from"
    return None


def _features(
    folder: RunFolder, inputs: StudyInputs, split: Split, plan: _Plan
) -> dict[str, Features]:
    """Fit each modality's encoders to the training part, keep them, and encode every sample."""
    features = {}
    for modality in dict.fromkeys(modality for pair in plan.spaces for modality in pair):
        has = inputs.study.has(modality)
        rows = split.rows("train")
        # An item that many samples carry, such as a survey, counts once.
        items = item_codes(inputs.study, modality)[rows]
        distinct = np.sort(np.unique(items, return_index=True)[1][np.unique(items) >= 0])
        encoder = ModalityEncoder.fit(
            default_encoders(modality, images_are_known=split.keeps_images),
            inputs.of(modality, rows[distinct]),
        )
        encoder.save(folder.encoders, modality)
        row = np.where(has, np.cumsum(has) - 1, -1)
        features[modality] = Features(encoder.encode(inputs.of(modality, np.flatnonzero(has))), row)
    return features


def _pair_data(
    study: Study,
    split: Split,
    space: Space,
    pair: tuple[str, str],
    features: Mapping[str, Features],
) -> PairData:
    rows = _with_both(study, split.rows("train"), pair)
    validation = _with_both(study, split.rows("validation"), pair)
    validation = validation[:: -(-len(validation) // MOST_VALIDATION)]
    return PairData(
        features[pair[0]],
        features[pair[1]],
        rows,
        validation,
        Positives.of(study, space, pair, rows),
        Positives.of(study, space, pair, validation),
        # What two people wrote of one image is alike even where they looked elsewhere.
        alike=pair.index("text") if space == "content" and "text" in pair else None,
    )


def _learn(
    folder: RunFolder,
    configuration: TrainingConfiguration,
    data: PairData,
    pair: tuple[str, str],
    space: Space,
    every_s: float,
    progress: Progress,
) -> None:
    last = time.monotonic()

    def after_epoch(state: State) -> None:
        nonlocal last
        if time.monotonic() - last >= every_s:
            folder.write_checkpoint(pair, space, state)
            last = time.monotonic()

    state = learn_space(
        space,
        pair,
        data,
        configuration.hyperparameters,
        configuration.seed,
        checkpoint=folder.checkpoint(pair, space),
        after_epoch=after_epoch,
        progress=progress,
    )
    folder.write_space(pair, space, state)


def _weights(
    folder: RunFolder,
    configuration: TrainingConfiguration,
    study: Study,
    split: Split,
    plan: _Plan,
    pair: tuple[str, str],
    features: Mapping[str, Features],
) -> dict[str, float]:
    """Choose the weights of a pair's spaces on the validation part."""
    spaces = plan.spaces[pair]
    if len(spaces) == 1:
        return {spaces[0]: 1.0}
    galleries = Galleries.of(study, pair)
    retrievals = [
        galleries.retrieval(task, split.rows("validation"))
        for task in plan.tasks
        if task.pair == pair
    ]
    towers = {space: folder.towers(pair, space, configuration) for space in spaces}

    def embedded(space: Space, modality: str, samples: Codes) -> NDArray[np.float32]:
        return embed(towers[space][pair.index(modality)], features[modality].of(samples))

    return choose_weights(
        retrievals,
        [
            {
                space: (
                    embedded(space, retrieval.task.source, retrieval.queries),
                    embedded(space, retrieval.task.target, retrieval.gallery),
                )
                for space in spaces
            }
            for retrieval in retrievals
        ],
        np.random.default_rng(configuration.seed),
    )


def _provenance(study: Study, plan: _Plan, seconds: float) -> Provenance:
    versions = {"python": platform.python_version(), "beholder": __version__}
    versions |= {library: version(library) for library in _LIBRARIES}
    return Provenance(
        study=study.info.name,
        study_path=str(study.path.resolve()),
        fingerprint=study.fingerprint,
        tasks=tuple(task.name for task in plan.tasks),
        warnings=plan.warnings,
        versions=versions,
        seconds=round(seconds, 3),
    )
