"""The designs of simulated studies: how many people see which images in which task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from beholder.errors import ConfigurationError

Prompt = Literal["describe", "should"]


@dataclass(frozen=True)
class Preset:
    """A study's design: ``sets`` of images, each shown as a task to ``viewers`` people.

    ``images`` counts the ``validation_images`` too, which every task shows besides those of
    its set; a task shows ``task_images`` in all. Images are ``width`` by ``height`` pixels.
    """

    name: str
    images: int
    validation_images: int
    participants: int
    sets: int
    viewers: int
    task_images: int
    prompt: Prompt
    width: int = 320
    height: int = 240

    def __post_init__(self) -> None:
        set_images = self.task_images - self.validation_images
        if self.images - self.validation_images < set_images or set_images < 1:
            raise ConfigurationError(
                f"{self.images} images are too few for tasks of {self.task_images} images, of "
                f"which {self.validation_images} are in every task"
            )
        if not 0 < self.participants <= self.tasks:
            raise ConfigurationError(
                f"{self.tasks} tasks cannot be shared among {self.participants} participants"
            )

    @property
    def tasks(self) -> int:
        """How many tasks were done; a participant can have done several."""
        return self.sets * self.viewers

    @property
    def samples(self) -> int:
        """How many samples the study holds: one an image of a task."""
        return self.tasks * self.task_images

    def resized(self, participants: int | None, images: int | None) -> "Preset":
        """Return the design for other numbers of people and images.

        As many people view a set and as many tasks fall to a person as before, so that the
        number of sets follows that of the participants.
        """
        participants = self.participants if participants is None else participants
        viewers = max(1, min(self.viewers, participants))
        return replace(
            self,
            participants=participants,
            images=self.images if images is None else images,
            sets=ceil(self.tasks * participants / self.participants / viewers),
            viewers=viewers,
        )


def _presets(*presets: Preset) -> Mapping[str, Preset]:
    return MappingProxyType({preset.name: preset for preset in presets})


# Each task shows the 3 validation images and 12 of the others. COCO: 30 sets × 12 = 360 images,
# × 3 viewers = 90 tasks, × 15 = 1,350 annotations. Ads: 60 sets × 12 = 720 places for 540
# images, so 180 of them come twice; × 3 viewers = 180 tasks, × 15 = 2,700 annotations.
PRESETS: Final[Mapping[str, Preset]] = _presets(
    Preset("ads", 543, 3, 139, sets=60, viewers=3, task_images=15, prompt="should"),
    Preset("coco", 363, 3, 79, sets=30, viewers=3, task_images=15, prompt="describe"),
    Preset("small", 60, 0, 42, sets=6, viewers=14, task_images=10, prompt="describe"),
)


@dataclass(frozen=True)
class Task:
    """One task: who did it and which images it showed, in order, all by number from 0."""

    number: int
    participant: int
    images: tuple[int, ...]


def assign_tasks(preset: Preset, generator: np.random.Generator) -> list[Task]:
    """Share a design's tasks out among its participants.

    Images 0 to ``validation_images - 1`` are in every task. Nobody sees another image twice,
    and the numbers of tasks a person differ by as little as that allows. Raises
    ConfigurationError where it allows none.
    """
    shared = tuple(range(preset.validation_images))
    others = preset.validation_images + generator.permutation(preset.images - len(shared))
    size = preset.task_images - len(shared)
    load = np.zeros(preset.participants)
    seen = np.zeros((preset.participants, preset.images), dtype=bool)
    tasks = []
    for number in range(preset.tasks):
        places = (number % preset.sets) * size + np.arange(size)
        images = others[places % len(others)]
        cost = load + generator.random(len(load))
        cost[seen[:, images].any(axis=1)] = np.inf
        person = int(cost.argmin())
        if np.isinf(cost[person]):
            raise ConfigurationError(
                f"{preset.images} images are too few for {preset.tasks} tasks of "
                f"{preset.participants} participants, as nobody sees an image twice"
            )
        load[person] += 1
        seen[person, images] = True
        shown = generator.permutation(np.concatenate([shared, images]).astype(int))
        tasks.append(Task(number, person, tuple(shown.tolist())))
    return tasks
