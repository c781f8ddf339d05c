"""What a method is: something fitted to a split that scores galleries for queries."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from beholder.features import FeatureCache, Pretrained, StudyInputs
from beholder.features.encoder import Encoder
from beholder.model.configuration import TrainingConfiguration
from beholder.model.fitting import fit_features
from beholder.model.planning import missing_for_task
from beholder.model.ranking import Scorer
from beholder.model.state import Features
from beholder.model.training import split_of
from beholder.progress import Progress, silent
from beholder.study.splits import Split
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task


class Matcher(Protocol):
    """A fitted method."""

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores the items of these samples, (g,), for queries of a task.

        Scores that differ by less than 1e-6 count as ties, and ties count against the method.
        Queries and items are given by samples that carry them. Of the query's sample only the
        source modality may be used, of an item's only the target modality.
        """


@dataclass(frozen=True)
class Setting:
    """What a method is fitted to: a study, a split and seed, tasks, and a folder of its own."""

    study: Study
    configuration: TrainingConfiguration
    folder: Path
    methods: tuple[str, ...] = ()  # all that are fitted in this folder, as they may share work
    cache: FeatureCache = field(default_factory=FeatureCache.default)
    progress: Progress = silent
    pretrained: Pretrained = field(default_factory=Pretrained)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks asked for."""
        return self.configuration.parsed_tasks

    @property
    def seed(self) -> int:
        """The seed of all randomness."""
        return self.configuration.seed

    @cached_property
    def split(self) -> Split:
        """The split; a method may learn from its train and validation parts alone."""
        return split_of(self.study, self.configuration)

    @cached_property
    def inputs(self) -> StudyInputs:
        """What encoders take, of every sample."""
        own = self.pretrained
        return StudyInputs(self.study, self.cache, own.grid, self.progress, own.text)

    def features(self, modality: str, *encoders: Encoder[Any]) -> Features:
        """Return every sample's features of a modality, fitted to the training part.

        Without encoders they are those that the spaces use.
        """
        return fit_features(self.inputs, self.split, modality, encoders or None)[1]


class Method(ABC):
    """A method by its name. Methods of one ``group`` are fitted in one folder, one by one."""

    name: str
    builds_on: tuple[str, ...] = ()  # methods of its group that it fits itself

    @property
    def group(self) -> str:
        """What names the work that methods share; by default a method shares none."""
        return self.name

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return one sentence on what a task lacks for this method, or None if it can be done."""
        return missing_for_task(setting.study, setting.split, task)

    @abstractmethod
    def fit(self, setting: Setting) -> Matcher | None:
        """Return the method fitted for the setting's tasks.

        None means that it ranks at random: its scores are then computed exactly as chance.
        """
