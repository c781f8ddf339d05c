"""What a training is told, as frozen data classes, and their form in a run's TOML file."""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from beholder.errors import ConfigurationError
from beholder.model.networks import in_order
from beholder.model.objectives import OBJECTIVES
from beholder.model.spaces import SPACES, Space
from beholder.study.splits import SPLITS, UNITS, SplitKind, Unit
from beholder.study.survey import quoted
from beholder.study.tasks import MODALITIES, Task, parse_tasks

Method = Literal["base", "content", "style", "ours", "manner", "canonical"]
METHODS: tuple[Method, ...] = get_args(Method)

COMBINED = ("added", "ours", "manner", "canonical")
"""What is made of all spaces, each with what those before it have.

Their similarities added; less popularity; with the agreement of how people look and write; with
the canonical space. The last two are of gaze and text, and `ours` for any other pair.
"""

PRECISIONS = ("float32", "bfloat16")

LARGEST = 16384
"""No size, number of epochs or batch is larger: beyond it, a mistake is likelier than a wish."""


@dataclass(frozen=True)
class Hyperparameters:
    """How one space of one pair of modalities is learnt; the defaults suit thousands of samples.

    ``temperature`` is of the contrastive and sigmoid objectives, ``margin`` of the hinges, in
    units of cosine. Dropout shares are of the inputs and of the hidden units.
    ``per_group`` samples of an image (of a person, in the style space) share a batch.
    ``alike`` weighs a second term of the content space: the texts of one image lie together.
    ``refit`` epochs go on with the chosen weights on training and validation part together.
    ``precision`` is of the towers' products in training; all else is worked out in float32.
    """

    objective: str = "contrastive"
    temperature: float = 0.1
    margin: float = 0.2
    alike: float = 0.5
    hidden: int = 512
    dimensions: int = 256
    input_dropout: float = 0.2
    hidden_dropout: float = 0.3
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.1  # share of the steps
    batch: int = 512
    per_group: int = 2
    epochs: int = 24
    patience: int = 12  # epochs without a better validation score before stopping early
    refit: int = 6
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise ConfigurationError(
                f"unknown objective {self.objective!r}, expected one of {', '.join(OBJECTIVES)}"
            )
        if self.precision not in PRECISIONS:
            raise ConfigurationError(
                f"unknown precision {self.precision!r}, expected one of {', '.join(PRECISIONS)}"
            )
        for name in ("input_dropout", "hidden_dropout", "warm_up"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"{name} is a share from 0 to below 1")
        for name in ("temperature", "margin", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above 0")
        for name in ("hidden", "dimensions", "batch", "per_group", "epochs", "patience"):
            least, value = 2 if name == "batch" else 1, getattr(self, name)
            if not isinstance(value, int) or not least <= value <= LARGEST:
                raise ConfigurationError(f"{name} must be a whole number from {least} to {LARGEST}")
        if not isinstance(self.refit, int) or not 0 <= self.refit <= LARGEST:
            raise ConfigurationError(f"refit must be a whole number from 0 to {LARGEST}")
        for name in ("weight_decay", "alike"):
            if not getattr(self, name) >= 0:
                raise ConfigurationError(f"{name} must be 0 or more")


@dataclass(frozen=True)
class TrainingConfiguration:
    """What to train: a method, its tasks, the split and the seed of all randomness.

    ``joint`` shares one tower a modality among all tasks. ``privileged`` names modalities, such
    as ``personality``, that teach and are absent at the test. ``share`` keeps only so much of
    the training part, in samples or in whole participants (``share_of``), as learning curves do.
    ``text_encoder`` and ``image_encoder`` are pretrained models, by name or folder; empty is none.
    """

    method: Method = "ours"
    tasks: str = "g2t,t2g"
    split: SplitKind = "random"
    seed: int = 0
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    joint: bool = False
    privileged: str = ""
    share: float = 1.0
    share_of: Unit = "samples"
    text_encoder: str = ""
    image_encoder: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError(
                f"unknown method {self.method!r}, expected one of {', '.join(METHODS)}"
            )
        if self.split not in SPLITS:
            raise ConfigurationError(
                f"unknown split {self.split!r}, expected one of {', '.join(SPLITS)}"
            )
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ConfigurationError(f"a seed is a whole number from 0, not {self.seed}")
        parse_tasks(self.tasks)
        if not 0 < self.share <= 1:
            raise ConfigurationError(f"a share is above 0 and at most 1, not {self.share}")
        if self.share_of not in UNITS:
            raise ConfigurationError(f"a share is of {' or '.join(UNITS)}, not {self.share_of!r}")
        self._check_privileged()
        for name, modality in (("text_encoder", "text"), ("image_encoder", "gaze")):
            self._check_encoder(name, modality)

    def _check_encoder(self, name: str, modality: str) -> None:
        encoder = getattr(self, name)
        if not isinstance(encoder, str):
            raise ConfigurationError(f"{name} is a name or a folder, not {encoder!r}")
        used = {*self.privileged_modalities, *(m for task in self.parsed_tasks for m in task.pair)}
        if encoder and modality not in used:
            raise ConfigurationError(f"{name} is of no use where {self.tasks} needs no {modality}")

    def _check_privileged(self) -> None:
        named = list(filter(None, map(str.strip, self.privileged.split(","))))
        for modality in named:
            if modality not in MODALITIES.values():
                raise ConfigurationError(
                    f"unknown modality {modality!r}, expected some of "
                    f"{', '.join(MODALITIES.values())}"
                )
            pairs = [task.pair for task in self.parsed_tasks]
            if all(modality in pair for pair in pairs) or (
                self.joint and any(modality in pair for pair in pairs)
            ):
                raise ConfigurationError(
                    f"{modality} cannot be privileged where {self.tasks} needs it at the test"
                )

    @property
    def privileged_modalities(self) -> tuple[str, ...]:
        """The modalities that teach and are absent at the test, in their usual order."""
        return in_order([name.strip() for name in self.privileged.split(",")])

    @property
    def parsed_tasks(self) -> tuple[Task, ...]:
        """The tasks as objects, each once."""
        return parse_tasks(self.tasks)

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The spaces that the method needs."""
        return tuple(space for space in SPACES if self.method in (space, *COMBINED))

    def toml(self) -> str:
        """Return the configuration as TOML text."""
        values = asdict(self)
        hyperparameters = values.pop("hyperparameters")
        lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
        lines += ["", "[hyperparameters]"]
        lines += [f"{key} = {_toml(value)}" for key, value in hyperparameters.items()]
        return "\n".join(lines) + "\n"


def parse_configuration(text: str, where: str) -> TrainingConfiguration:
    """Return the configuration in a TOML text; an unknown key is an error."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{where} is not valid TOML: {error}") from error
    hyperparameters = data.pop("hyperparameters", {})
    try:
        _check_keys(data, TrainingConfiguration, where)
        _check_keys(hyperparameters, Hyperparameters, f"{where}, [hyperparameters]")
        return TrainingConfiguration(**data, hyperparameters=Hyperparameters(**hyperparameters))
    except (TypeError, AttributeError) as error:
        raise ConfigurationError(f"{where} holds a value of the wrong kind: {error}") from error


def _check_keys(data: dict[str, Any], kind: type, where: str) -> None:
    known = [f.name for f in fields(kind)]
    for key in data:
        if key not in known:
            raise ConfigurationError(
                f"{where} has an unknown key {key!r}, expected some of {', '.join(known)}"
            )


def _toml(value: str | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else repr(value)
