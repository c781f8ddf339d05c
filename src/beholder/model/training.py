"""Training a run: features, then every space of every network, then the combination."""

import contextlib
import platform
import time
from importlib.metadata import version
from pathlib import Path

from beholder import __version__
from beholder.errors import ConfigurationError
from beholder.features import FeatureCache, Pretrained, StudyInputs
from beholder.model.claiming import check_sight, claimed
from beholder.model.combining import Combining
from beholder.model.configuration import TrainingConfiguration
from beholder.model.devices import Device
from beholder.model.distributed import LONE, Group
from beholder.model.fitting import fit_features
from beholder.model.folder import Provenance, RunFolder
from beholder.model.planning import Plan, plan_training
from beholder.model.published import run_folder
from beholder.model.run import Run
from beholder.model.space_training import SpaceTraining
from beholder.progress import Progress, silent
from beholder.remote import is_remote
from beholder.study.splits import Split, make_split
from beholder.study.study import Study
from beholder.work import HERE, Workers

CHECKPOINT_EVERY_S = 10.0
"""A checkpoint costs far less than this; a kill loses at most so much work."""

_LIBRARIES = ("numpy", "pyarrow", "scipy", "torch")


def train(
    study: Study | str | Path,
    path: RunFolder | str | Path,
    configuration: TrainingConfiguration | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    cache: FeatureCache | None = None,
    progress: Progress = silent,
    checkpoint_every_s: float = CHECKPOINT_EVERY_S,
    group: Group = LONE,
    workers: Workers = HERE,
    device: str = "auto",
    compiled: bool = False,
) -> Run:
    """Train a run on a study, or on the one in a folder or at a URL, and return the run, opened.

    With ``resume`` a run that was interrupted goes on, to the same weights that it would have
    had; without a configuration it goes on with its own. Tasks that the study cannot support
    are left out with a warning in the run's provenance; UnsupportedError if none is left,
    TrainingError if a training fails. ``workers`` describe the study's images.

    ``device`` is ``cpu``, ``cuda``, ``cuda:1``, or ``auto``: CUDA where it is there. It and
    whether the towers are ``compiled`` may differ when a run goes on.

    The processes of a ``group`` (see `beholder.model.distributed.joined`) train one run
    together: each calls this with the same arguments, and the first alone writes. Where
    torchrun starts them again they go on by themselves with what they began.
    """
    study = study if isinstance(study, Study) else Study.open(study)
    if isinstance(path, str) and is_remote(path):
        with run_folder(path, processes=group.size) as working:
            return train(
                study,
                working,
                configuration,
                resume=resume,
                overwrite=overwrite,
                cache=cache,
                progress=progress,
                checkpoint_every_s=checkpoint_every_s,
                group=group,
                workers=workers,
                device=device,
                compiled=compiled,
            )
    folder = path if isinstance(path, RunFolder) else RunFolder(Path(path))
    if resume and overwrite:
        raise ConfigurationError("a run is either resumed or overwritten, not both")
    if configuration is None:
        begun = resume and not folder.is_empty
        configuration = folder.configuration() if begun else TrainingConfiguration()
    _check_agreement(study, configuration, group)
    chosen = Device.chosen(device, compiled=compiled, group=group)
    progress = progress if group.is_first else silent
    with contextlib.ExitStack() as held:
        claim = claimed(folder, configuration, resume, overwrite, group.launch)
        if group.first(lambda: held.enter_context(claim)):
            return Run(folder, study)
        group.first(folder.check_study, study)
        started = time.monotonic()
        split = split_of(study, configuration)
        plan = plan_training(study, split, configuration)
        pretrained = Pretrained.open(configuration.text_encoder, configuration.image_encoder)
        group.first(_begin, folder, configuration, split, study, pretrained)
        group.each(check_sight, folder, configuration)
        cache = cache or FeatureCache.default()
        inputs = StudyInputs(study, cache, pretrained.grid, progress, pretrained.text, workers)
        encoders, features = {}, {}
        for modality in dict.fromkeys(m for network in plan.networks for m in network.modalities):
            encoders[modality], features[modality] = fit_features(
                inputs, split, modality, group=group
            )
            group.first(encoders[modality].save, folder.encoders, modality)
        combining = Combining(folder, configuration, study, split, plan, inputs, encoders, features)
        spaces = SpaceTraining(
            folder,
            configuration,
            study,
            split,
            features,
            checkpoint_every_s,
            progress,
            group,
            chosen,
        )
        held.enter_context(chosen.in_use())
        for network in plan.networks:
            for space in plan.spaces[network.name]:
                spaces.train(network, space)
            for pair in network.pairs:
                group.first(combining.combine, pair)
        seconds = time.monotonic() - started
        group.first(folder.finish, _provenance(study, plan, str(chosen), seconds))
    return Run(folder, study)


def _begin(
    folder: RunFolder,
    configuration: TrainingConfiguration,
    split: Split,
    study: Study,
    pretrained: Pretrained,
) -> None:
    """Write what a run is begun with; RunError if it was begun with other weights."""
    folder.check_begun_with(pretrained)
    folder.write_configuration(configuration)
    folder.write_split(split, study)
    pretrained.save(folder.encoders)


def _check_agreement(study: Study, configuration: TrainingConfiguration, group: Group) -> None:
    """Raise ConfigurationError where processes were asked for different runs."""
    fingerprints, asked = zip(*group.values((study.fingerprint, configuration)), strict=True)
    for what, values in (("study", fingerprints), ("configuration", asked)):
        others = [str(rank) for rank, value in enumerate(values) if value != values[0]]
        if others:
            raise ConfigurationError(
                f"all processes train one run, but process {', '.join(others)} was given "
                f"another {what} than process 0"
            )


def split_of(study: Study, configuration: TrainingConfiguration) -> Split:
    """Return the split that a configuration draws, checked for leaks."""
    split = make_split(study, configuration.split, configuration.seed)
    split.check(study)
    return split.thinned(study, configuration.share, configuration.share_of)


def _provenance(study: Study, plan: Plan, device: str, seconds: float) -> Provenance:
    versions = {"python": platform.python_version(), "beholder": __version__}
    versions |= {library: version(library) for library in _LIBRARIES}
    return Provenance(
        study=study.info.name,
        study_path=study.origin or str(study.path.resolve()),
        fingerprint=study.fingerprint,
        tasks=tuple(task.name for task in plan.tasks),
        warnings=plan.warnings,
        versions=versions,
        seconds=round(seconds, 3),
        device=device,
    )
