"""Doing a job: fit the methods of a group at one key, score them, keep the cells."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from beholder.errors import TrainingError, UnsupportedError
from beholder.evaluation.comparison.cells import Cell, Job
from beholder.evaluation.comparison.configuration import (
    ComparisonConfiguration,
    Key,
    groups_of,
)
from beholder.evaluation.comparison.description import describe
from beholder.evaluation.comparison.folder import ComparisonFolder
from beholder.evaluation.protocol import score_task
from beholder.features import FeatureCache, Pretrained
from beholder.model.methods import Method, Registry, RunMatcher, Setting, SpaceMethod
from beholder.progress import Progress, silent
from beholder.study.splits import PARTS
from beholder.study.study import Study
from beholder.study.tasks import MODALITIES, Galleries, Task

DESCRIBED = "spaces"
"""The group whose spaces are also asked how people differ."""


def jobs_left(folder: ComparisonFolder, configuration: ComparisonConfiguration) -> list[Job]:
    """Return the jobs whose cells are not all there, the longest kinds first."""
    registry = configuration.registry
    jobs = []
    for key in configuration.keys:
        groups = groups_of([registry.named(name) for name in configuration.methods_of(key)])
        for group, methods in groups.items():
            describes = key == configuration.keys[0] and group == DESCRIBED
            done = tuple(method for method in methods if folder.cell(key, method).is_file())
            if done != methods or (describes and not folder.distinctness.is_file()):
                jobs.append(Job(vars(key), group, methods, describes, done))
    return sorted(jobs, key=lambda job: not job.group.startswith(DESCRIBED))


@dataclass(frozen=True)
class JobRunner:
    """Does the jobs of one comparison, in whichever process."""

    study: Study
    folder: ComparisonFolder
    configuration: ComparisonConfiguration
    registry: Registry
    keep_runs: bool = False
    progress: Progress = silent
    pretrained: Pretrained = field(default_factory=Pretrained)

    def run(self, job: Job) -> None:
        """Fit and score the job's methods; those that are done already are not scored again."""
        key = Key(**job.key)
        methods = [self.registry.named(name) for name in job.methods]
        fitted = tuple(
            dict.fromkeys(name for method in methods for name in (*method.builds_on, method.name))
        )
        setting = self._setting(key, fitted, job.group)
        supported = {m.name: _supported(m, setting) for m in methods}
        wanted = [
            task for task in setting.tasks if any(task in tasks for tasks, _ in supported.values())
        ]
        for method in methods:
            # A cell may also have come from this very job, before its process was killed.
            if method.name not in job.done and not self.folder.cell(key, method.name).is_file():
                tasks, missing = supported[method.name]
                cell = self._scored(
                    method, self._setting(key, fitted, job.group, wanted), tasks, missing
                )
                self.folder.write_cell(key, method.name, cell.table(self.study))
        if job.describes:
            self._describe(methods, self._setting(key, fitted, job.group, wanted), wanted)
        if not self.keep_runs:
            self.folder.discard(key, job.group)

    def _setting(
        self, key: Key, methods: tuple[str, ...], group: str, tasks: Sequence[Task] = ()
    ) -> Setting:
        training = self.configuration.training(key)
        if tasks:
            training = replace(training, tasks=",".join(task.name for task in tasks))
        return Setting(
            self.study,
            training,
            self.folder.work(key, group),
            methods,
            FeatureCache.default(),
            self.progress,
            self.pretrained,
        )

    def _scored(
        self, method: Method, setting: Setting, tasks: Sequence[Task], missing: dict[str, str]
    ) -> Cell:
        if not tasks:
            return Cell(method.name, {}, missing)
        sizes: dict[str, int] = {part: len(setting.split.rows(part)) for part in PARTS}
        setting.folder.mkdir(parents=True, exist_ok=True)
        try:
            matcher = method.fit(setting)
        except TrainingError as error:
            failed = {task.name: f"{method.name} failed: {error}" for task in tasks}
            return Cell(method.name, {}, missing | failed, sizes=sizes)
        modalities = [m for m in MODALITIES.values() if any(m in task.pair for task in tasks)]
        galleries = Galleries.of(self.study, tuple(modalities))
        rows = setting.split.rows("test")
        scores = {
            task.name: score_task(
                self.study,
                matcher,
                galleries.retrieval(task, rows),
                galleries.same_image(task, rows),
                self.configuration.depth,
            )
            for task in tasks
        }
        warnings = matcher.run.provenance.warnings if isinstance(matcher, RunMatcher) else ()
        return Cell(method.name, scores, missing, warnings, sizes)

    def _describe(self, methods: Sequence[Method], setting: Setting, tasks: Sequence[Task]) -> None:
        """Ask the spaces how people differ, and keep the answer."""
        values = {"missing": "no task can be learnt, so there are no spaces to ask"}
        try:
            if tasks:
                spaces = [method for method in methods if isinstance(method, SpaceMethod)]
                run = (spaces or [SpaceMethod("ours")])[-1].fit(setting).run
                values = describe(self.study, run)
        except TrainingError as error:
            values = {"missing": str(error)}
        self.folder.write_json(self.folder.distinctness, values)


@dataclass(frozen=True)
class JobWork:
    """Does jobs in some worker and gives the files that they leave, by their paths in the folder.

    With a ``folder``, which the worker shares, the files are written there, each as soon as it
    is done, and none is given.
    """

    study: Study
    configuration: ComparisonConfiguration
    folder: Path | None = None
    keep_runs: bool = False
    pretrained: Pretrained = field(default_factory=Pretrained)

    def __call__(self, job: Job) -> dict[str, bytes]:
        """Do a job."""
        if self.folder is not None:
            self._do(job, self.folder)
            return {}
        with tempfile.TemporaryDirectory(prefix="beholder-") as name:
            self._do(job, Path(name))
            files = [file for file in Path(name).rglob("*") if file.is_file()]
            return {str(file.relative_to(name)): file.read_bytes() for file in files}

    def _do(self, job: Job, path: Path) -> None:
        self.pretrained.check()  # a folder of this name may be another one on another machine
        JobRunner(
            self.study,
            ComparisonFolder(path),
            self.configuration,
            self._registry,
            self.keep_runs,
            pretrained=self.pretrained,
        ).run(job)

    @cached_property
    def _registry(self) -> Registry:
        return self.configuration.registry


def _supported(method: Method, setting: Setting) -> tuple[list[Task], dict[str, str]]:
    """Return the tasks that a method can do there, and by their names why not the others."""
    try:
        lacks = {task: method.missing_for(setting, task) for task in setting.tasks}
    except UnsupportedError as error:  # there is no such split of this study
        return [], {task.name: str(error) for task in setting.tasks}
    missing = {task.name: lack for task, lack in lacks.items() if lack is not None}
    return [task for task, lack in lacks.items() if lack is None], missing
