"""The spaces and `ours` as methods: a pair at a time, jointly, or with privileged modalities."""

from dataclasses import dataclass, field, replace
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from beholder.errors import UnsupportedError
from beholder.model.configuration import COMBINED, TrainingConfiguration
from beholder.model.configuration import Method as Trained
from beholder.model.correlations import has_correlations
from beholder.model.folder import RunFolder
from beholder.model.methods.method import Method, Setting
from beholder.model.networks import Pair
from beholder.model.planning import linked, plan_training
from beholder.model.ranking import Scorer
from beholder.model.run import Run
from beholder.model.spaces import SPACES, Space, missing_for_space
from beholder.model.training import train
from beholder.study.tasks import MODALITIES, Codes, Task

SpaceName = Literal["base", "content", "style", "added", "ours", "manner", "canonical"]
SPACE_NAMES: tuple[SpaceName, ...] = get_args(SpaceName)


@dataclass(frozen=True)
class RunMatcher:
    """A space of a run, or its combination, as a fitted method."""

    run: Run
    method: str
    _embedded: dict[tuple[Pair, str], tuple[Codes, NDArray[np.float32]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def against(self, task: Task, gallery: Codes) -> Scorer:
        """Return what scores these items by the inner product of their embeddings."""
        items = self.run.embed_samples(task.pair, task.target, gallery, self.method)

        def scores(queries: Codes) -> NDArray[np.float32]:
            return self.asked(task, queries) @ items.T

        return scores

    def asked(self, task: Task, samples: Codes) -> NDArray[np.float32]:
        """Return the embeddings of samples of the test part that ask, embedding all at once."""
        pair, modality = task.pair, task.source
        if (pair, modality) not in self._embedded:
            test = self.run.split.rows("test")
            test = test[self.run.study.has(modality)[test]]
            embedded = self.run.embed_samples(pair, modality, test, self.method)
            self._embedded[pair, modality] = (test, embedded)
        test, embedded = self._embedded[pair, modality]
        return embedded[np.searchsorted(test, samples)]


@dataclass(frozen=True)
class SpaceMethod(Method):
    """A space, or what is made of all of them; ``privileged`` modalities teach the pairs that
    lack them."""

    space: SpaceName
    joint: bool = False
    privileged: tuple[str, ...] = ()

    @property
    def name(self) -> str:  # type: ignore[override]
        """Such as ``ours``, ``ours-joint``, ``ours-privileged`` or ``ours+personality``."""
        return self.space + self._suffix

    @property
    def group(self) -> str:
        """Spaces that are trained alike share a run."""
        return "spaces" + self._suffix

    @property
    def _suffix(self) -> str:
        if self.privileged == tuple(MODALITIES.values()):
            return "-privileged"
        return "-joint" if self.joint else "".join(f"+{name}" for name in self.privileged)

    def missing_for(self, setting: Setting, task: Task) -> str | None:
        """Return what the study lacks for the task, the space or this way to train it."""
        if lack := super().missing_for(setting, task):
            return lack
        if self.space in COMBINED[2:] and not has_correlations(self.space, task.pair):
            lack = f"which {task.name} has not both"
            return f"{self.space} fits how people look to how they write, {lack}"
        if self.privileged and set(self.privileged) <= set(task.pair):
            return f"{task.name} needs {' and '.join(self.privileged)} at the test"
        try:
            plan = plan_training(setting.study, setting.split, self._configuration(setting))
        except UnsupportedError as error:
            return str(error)
        if task not in plan.tasks:
            return f"{task.name} is not among the tasks that can be learnt"
        train = linked(setting.study, setting.split.rows("train"), [task.pair])
        # What adds spaces does without those that cannot be learnt; base always can.
        needed: Space = "base"
        for space in SPACES:
            needed = space if space == self.space else needed
        return missing_for_space(setting.study, needed, train)

    def fit(self, setting: Setting) -> RunMatcher:
        """Train the spaces of all methods that share this run, or take up where it was left."""
        folder = RunFolder(setting.folder / "run")
        configuration = self._configuration(setting)
        begun = not folder.is_empty
        run = train(
            setting.study,
            folder.path,
            configuration,
            resume=begun and folder.configuration() == configuration,
            overwrite=begun and folder.configuration() != configuration,
            cache=setting.cache,
            progress=setting.progress,
            device="cpu",  # whichever machine has the cell, it is the same
        )
        return RunMatcher(run, self.space)

    def _configuration(self, setting: Setting) -> TrainingConfiguration:
        names = {self.space} | {name.removesuffix(self._suffix) for name in setting.methods}
        asked = [name for name in (*SPACES, *COMBINED) if name in names]
        # What is trained for the last of them serves all before it.
        whole = max(("ours", *asked), key=(*SPACES, *COMBINED).index)
        method = self.space if asked == [self.space] and self.space in SPACES else whole
        tasks = setting.tasks
        # What every task needs at its test can be privileged for none.
        privileged = [m for m in self.privileged if not all(m in task.pair for task in tasks)]
        # A run is told no encoder of a modality that it has no use for.
        used = {*privileged, *(modality for task in tasks for modality in task.pair)}
        text, image = setting.pretrained.text, setting.pretrained.image
        return replace(
            setting.configuration,
            method=cast(Trained, method),
            joint=self.joint,
            privileged=",".join(privileged),
            text_encoder=text.model if text is not None and "text" in used else "",
            image_encoder=image.model if image is not None and "gaze" in used else "",
        )
