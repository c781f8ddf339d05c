"""What a comparison is told, as a frozen data class, and its form in the folder's JSON file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from beholder.errors import ConfigurationError
from beholder.model.configuration import Hyperparameters, TrainingConfiguration
from beholder.model.methods import Method, Registry
from beholder.study.splits import SPLITS, Unit
from beholder.study.tasks import TASKS, parse_tasks

DEFAULT_METHODS = (
    *("chance", "image-only", "factorised", "base", "content", "style", "added"),
    *("ours", "manner", "canonical", "concepts", "ours-joint", "ours-privileged"),
)
CURVE_METHODS = ("base", "ours")


@dataclass(frozen=True)
class ComparisonConfiguration:
    """Every method on every task, split and seed.

    ``curve`` lists the shares of the training part at which learning curves are measured, each
    as samples and as whole participants, on the first ``curve_seeds`` seeds. ``depth`` is how
    many items of each ranking are kept. ``method_files`` define methods of the user's own.
    ``text_encoder`` and ``image_encoder`` are pretrained models that all methods have, by name
    or folder; empty is none.
    """

    methods: tuple[str, ...] = DEFAULT_METHODS
    tasks: str = ",".join(TASKS)
    splits: tuple[str, ...] = SPLITS
    seeds: tuple[int, ...] = (0, 1, 2)
    curve: tuple[float, ...] = (0.25, 0.5)
    curve_seeds: int = 1
    depth: int = 10
    method_files: tuple[str, ...] = ()
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    text_encoder: str = ""
    image_encoder: str = ""

    def __post_init__(self) -> None:
        for name, values in (("methods", self.methods), ("splits", self.splits)):
            if not values:
                raise ConfigurationError(f"a comparison needs at least one of {name}")
        if not self.seeds:
            raise ConfigurationError("a comparison needs at least one seed")
        for name in ("methods", "splits", "seeds", "curve"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ConfigurationError(f"{name} names something twice: {values}")
        if not 3 <= self.depth <= 1000:
            raise ConfigurationError("depth is a whole number from 3 to 1000")
        if not 0 <= self.curve_seeds <= len(self.seeds):
            raise ConfigurationError("curve_seeds is at most the number of seeds")
        parse_tasks(self.tasks)
        for key in self.keys:  # each is checked as a training's configuration
            self.training(key)
        for share in self.curve:
            if share == 1:
                raise ConfigurationError("a learning curve holds the whole training part anyway")

    @property
    def registry(self) -> Registry:
        """The methods that can be named."""
        return Registry.of([Path(file) for file in self.method_files])

    @property
    def keys(self) -> tuple["Key", ...]:
        """Return every split and seed, then the smaller training parts of the curves."""
        keys = [Key(split, seed) for split in self.splits for seed in self.seeds]
        for seed in self.seeds[: self.curve_seeds]:
            for unit in ("samples", "participants"):
                split = self.curve_split(unit)
                keys += [Key(split, seed, share, unit) for share in sorted(self.curve)]
        return tuple(keys)

    def curve_split(self, unit: Unit) -> str:
        """Return on which split a curve is measured: one that its unit matters for."""
        wanted = "participant" if unit == "participants" else "random"
        return wanted if wanted in self.splits else self.splits[0]

    def methods_of(self, key: "Key") -> tuple[str, ...]:
        """Return the methods that are fitted there."""
        if key.is_whole:
            return self.methods
        return tuple(method for method in CURVE_METHODS if method in self.methods)

    def training(self, key: "Key") -> TrainingConfiguration:
        """Return what a training there is told; the method is the methods' own matter."""
        return TrainingConfiguration(
            tasks=self.tasks,
            split=key.split,  # type: ignore[arg-type]  # checked there
            seed=key.seed,
            share=key.share,
            share_of=key.share_of,
            hyperparameters=self.hyperparameters,
        )

    def as_json(self) -> dict[str, Any]:
        """Return a plain form that `configuration_of` reads."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


@dataclass(frozen=True)
class Key:
    """Where methods are compared: a split and seed, and how much of the training part is used."""

    split: str
    seed: int
    share: float = 1.0
    share_of: Unit = "samples"

    @property
    def is_whole(self) -> bool:
        """Whether the whole training part is used."""
        return self.share == 1

    @property
    def name(self) -> str:
        """A name for files, such as ``random-0`` or ``random-0-samples-0.25``."""
        whole = f"{self.split}-{self.seed}"
        return whole if self.is_whole else f"{whole}-{self.share_of}-{self.share:g}"


def configuration_of(values: dict[str, Any]) -> ComparisonConfiguration:
    """Return the configuration of its plain form; ConfigurationError if it is of no use."""
    try:
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        hyperparameters = Hyperparameters(**plain.pop("hyperparameters"))
        return ComparisonConfiguration(**plain, hyperparameters=hyperparameters)
    except (TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"not the configuration of a comparison: {error}") from error


def groups_of(methods: Sequence[Method]) -> dict[str, tuple[str, ...]]:
    """Return the names of the methods that share their work, by the name of the group."""
    groups: dict[str, list[str]] = {}
    for method in methods:
        groups.setdefault(method.group, []).append(method.name)
    return {group: tuple(names) for group, names in groups.items()}
