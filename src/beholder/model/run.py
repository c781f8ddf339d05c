"""A run: a folder with one training's configuration, split, encoders, weights, log and scores.

configuration.toml            what was asked
split.parquet                 the part of every sample
encoders/<modality>.*         the statistics of the encoders
spaces/<pair>/<space>.*       weights, and the log as CSV; a checkpoint while it is learnt
spaces/<pair>/weights.json    the combination's weights
run.json                      what it was made from; written last, so its presence means done
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from beholder import atomic
from beholder.errors import ConfigurationError, RunError, StudyError, UnsupportedError
from beholder.features import FeatureCache, ModalityEncoder, StudyInputs, Surveys, Viewings
from beholder.features.image import ImageGrid
from beholder.model.combination import combine
from beholder.model.configuration import TrainingConfiguration, parse_configuration
from beholder.model.spaces import Space
from beholder.model.towers import Tower, embed
from beholder.model.training import Epoch, State, log_rows
from beholder.study.gaze import Gaze
from beholder.study.splits import PARTS, UNUSED, Split
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task

_RUN_FILE = "run.json"
_CONFIGURATION_FILE = "configuration.toml"


@dataclass(frozen=True)
class Provenance:
    """What a finished run was made from, and what it had to refuse."""

    study: str
    study_path: str
    fingerprint: str
    tasks: tuple[str, ...]
    warnings: tuple[str, ...]
    versions: Mapping[str, str]
    seconds: float


class RunFolder:
    """Reads and writes the files of a run; knows their names and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_finished(self) -> bool:
        return (self.path / _RUN_FILE).is_file()

    def write_configuration(self, configuration: TrainingConfiguration) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        atomic.write_text(self.path / _CONFIGURATION_FILE, configuration.toml())

    def configuration(self) -> TrainingConfiguration:
        file = self.path / _CONFIGURATION_FILE
        try:
            return parse_configuration(file.read_text("utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{self.path} is not a run: it has no readable {file.name}") from error

    def write_split(self, split: Split) -> None:
        names = np.array([*PARTS, ""])[split.parts]
        table = pa.table({"sample": np.arange(len(names)), "part": names})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        atomic.write_bytes(self.path / "split.parquet", sink.getvalue().to_pybytes())

    def split(self, configuration: TrainingConfiguration) -> Split:
        try:
            names = pq.read_table(self.path / "split.parquet")["part"].to_pylist()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise RunError(f"the split of {self.path} cannot be read: {error}") from error
        codes = {name: code for code, name in enumerate(PARTS)} | {"": UNUSED}
        parts = np.array([codes[name] for name in names], dtype=np.int8)
        return Split(configuration.split, configuration.seed, parts)

    @property
    def encoders(self) -> Path:
        return self.path / "encoders"

    def pair(self, pair: tuple[str, str]) -> Path:
        return self.path / "spaces" / "-".join(pair)

    def write_checkpoint(self, pair: tuple[str, str], space: Space, state: State) -> None:
        """Keep a state, so that a killed training goes on from here; the log goes with it."""
        log = {"log": json.dumps(log_rows(state.log))}
        self.pair(pair).mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(self._checkpoint(pair, space), save(state.tensors(), log))

    def checkpoint(
        self, pair: tuple[str, str], space: Space
    ) -> tuple[dict[str, torch.Tensor], list[Epoch]] | None:
        file = self._checkpoint(pair, space)
        if not file.is_file():
            return None
        with safe_open(file, "pt") as stored:
            log = [Epoch(**line) for line in json.loads(stored.metadata()["log"])]
        return load_file(file), log

    def write_space(self, pair: tuple[str, str], space: Space, state: State) -> None:
        """Keep a trained space: its weights, then its log; its checkpoint goes."""
        folder = self.pair(pair)
        folder.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(Epoch.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(log_rows(state.log))
        atomic.write_text(folder / f"{space}.log.csv", text.getvalue())
        atomic.write_bytes(folder / f"{space}.safetensors", save(dict(state.best)))
        self._checkpoint(pair, space).unlink(missing_ok=True)

    def has_space(self, pair: tuple[str, str], space: Space) -> bool:
        return (self.pair(pair) / f"{space}.safetensors").is_file()

    def towers(
        self, pair: tuple[str, str], space: Space, configuration: TrainingConfiguration
    ) -> tuple[Tower, Tower]:
        """Return the trained towers of a pair's first and second modality."""
        file = self.pair(pair) / f"{space}.safetensors"
        try:
            tensors = load_file(file)
        except (OSError, SafetensorError) as error:
            raise RunError(f"the weights {file} cannot be read: {error}") from error
        towers = []
        for number in ("0", "1"):
            own = {k[2:]: t for k, t in tensors.items() if k.startswith(f"{number}.")}
            width = own["linear"].shape[0]
            tower = Tower(width, configuration.hyperparameters, torch.Generator())
            tower.load_state_dict(own)
            towers.append(tower)
        return towers[0], towers[1]

    def log(self, pair: tuple[str, str], space: Space) -> list[Epoch]:
        """Return the log of a trained space."""
        with (self.pair(pair) / f"{space}.log.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            Epoch(int(row.pop("epoch")), **{k: float(value) for k, value in row.items()})
            for row in rows
        ]

    def write_weights(self, pair: tuple[str, str], weights: Mapping[str, float]) -> None:
        atomic.write_text(self.pair(pair) / "weights.json", json.dumps(weights))

    def weights(self, pair: tuple[str, str]) -> dict[str, float]:
        weights: dict[str, float] = json.loads((self.pair(pair) / "weights.json").read_text())
        return weights

    def finish(self, provenance: Provenance) -> None:
        atomic.write_text(self.path / _RUN_FILE, json.dumps(vars(provenance), indent=1))

    def provenance(self) -> Provenance:
        if not self.is_finished:
            self.configuration()  # says so if this is no run at all
            raise RunError(
                f"{self.path} is unfinished; `beholder train … --resume` goes on with it"
            )
        data = json.loads((self.path / _RUN_FILE).read_text("utf-8"))
        for name in ("tasks", "warnings"):
            data[name] = tuple(data[name])
        return Provenance(**data)

    def _checkpoint(self, pair: tuple[str, str], space: Space) -> Path:
        return self.pair(pair) / f"{space}.checkpoint.safetensors"


class Run:
    """A finished run, opened: embeds samples of its study, and items it has never seen."""

    def __init__(self, folder: RunFolder, study: Study | None = None) -> None:
        self.folder = folder
        self.configuration = folder.configuration()
        self.provenance = folder.provenance()
        self.split = folder.split(self.configuration)
        self._study = study

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Open a finished run, or raise RunError saying what is wrong with the folder."""
        return cls(RunFolder(Path(path)))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {self.configuration.method}, {self.configuration.split})"

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that the run was trained for, without those that the study cannot support."""
        by_name = {task.name: task for task in self.configuration.parsed_tasks}
        return tuple(by_name[name] for name in self.provenance.tasks)

    @cached_property
    def study(self) -> Study:
        """The study that the run was trained on; RunError if it is gone or has changed."""
        study = self._study
        try:
            study = study or Study.open(self.provenance.study_path)
        except StudyError as error:
            raise RunError(f"the study of {self.path} cannot be opened: {error}") from error
        if study.fingerprint != self.provenance.fingerprint:
            raise RunError(
                f"the study {study.path} has changed since {self.path} was trained on it"
            )
        self.split.check(study)
        return study

    def methods(self, task: Task) -> tuple[str, ...]:
        """Return what can be evaluated for a task: each space, and `ours` where there are several."""
        spaces = tuple(self.folder.weights(task.pair))
        return (*spaces, "ours") if self.configuration.method == "ours" else spaces

    def weights(self, pair: tuple[str, str], method: str) -> dict[str, float]:
        """Return the weights of the spaces that make up a method for a pair."""
        return self.folder.weights(pair) if method == "ours" else {method: 1.0}

    def embed_samples(
        self, pair: tuple[str, str], modality: str, samples: Codes, method: str | None = None
    ) -> NDArray[np.float32]:
        """Return the embeddings of samples of the study, shape (n, d), each of length one."""
        return self._embed(pair, modality, self._features(modality, samples), method)

    def embed(
        self,
        *,
        gaze: Sequence[Gaze] | None = None,
        images: Sequence[str | Path] | None = None,
        text: Sequence[str] | None = None,
        personality: Sequence[Sequence[int]] | None = None,
        task: str | None = None,
        method: str | None = None,
    ) -> NDArray[np.float32]:
        """Return the embeddings of items of one modality, shape (n, d), each of length one.

        Give one of ``gaze`` (with the image file of each), ``text`` or ``personality`` (whole
        surveys). ``task`` chooses the network where the run has several for the modality.
        """
        given = {"gaze": gaze, "text": text, "personality": personality}
        named = [modality for modality, items in given.items() if items is not None]
        if len(named) != 1:
            raise ConfigurationError("embed takes one of gaze, text and personality")
        modality = named[0]
        inputs: Any = text
        if gaze is not None:
            if images is None or len(images) != len(gaze):
                raise ConfigurationError("a gaze is embedded with the image file that it is of")
            inputs = _viewings(gaze, [Path(image) for image in images])
        elif personality is not None:
            if self.study.instrument is None:
                raise UnsupportedError("the study of this run has no survey instrument")
            answers = self.study.instrument.validate(personality).astype(float)
            inputs = Surveys(answers, self.study.instrument)
        pair = self._pair_with(modality, task)
        return self._embed(pair, modality, self.encoder(modality).encode(inputs), method)

    def encoder(self, modality: str) -> ModalityEncoder:
        """Return the encoder of a modality as fitted to the training part."""
        if modality not in self._encoders:
            self._encoders[modality] = ModalityEncoder.load(self.folder.encoders, modality)
        return self._encoders[modality]

    @cached_property
    def _encoders(self) -> dict[str, ModalityEncoder]:
        return {}

    @cached_property
    def _towers(self) -> dict[tuple[tuple[str, str], Space], tuple[Tower, Tower]]:
        return {}

    @cached_property
    def _inputs(self) -> StudyInputs:
        return StudyInputs(self.study, FeatureCache.default())

    @cached_property
    def _known(self) -> dict[str, tuple[Codes, NDArray[np.float32]]]:
        """Features of the last samples asked for, by modality: spaces share them."""
        return {}

    def _features(self, modality: str, samples: Codes) -> NDArray[np.float32]:
        known = self._known.get(modality)
        if known is None or not np.isin(samples, known[0]).all():
            wanted = np.unique(samples)
            features = self.encoder(modality).encode(self._inputs.of(modality, wanted))
            known = self._known[modality] = (wanted, features)
        return known[1][np.searchsorted(known[0], samples)]

    def _embed(
        self,
        pair: tuple[str, str],
        modality: str,
        features: NDArray[np.float32],
        method: str | None,
    ) -> NDArray[np.float32]:
        weights = self.weights(pair, method or self.configuration.method)
        side = pair.index(modality)
        spaces = {}
        for space in weights:
            key = (pair, space)
            if key not in self._towers:
                self._towers[key] = self.folder.towers(pair, space, self.configuration)
            spaces[space] = embed(self._towers[key][side], features)
        return combine(spaces, weights)

    def _pair_with(self, modality: str, task: str | None) -> tuple[str, str]:
        pairs = {
            t.pair for t in self.tasks if modality in t.pair and (task is None or t.name == task)
        }
        if not pairs:
            trained = ", ".join(t.name for t in self.tasks)
            wanted = f"{modality} in {task}" if task else modality
            raise UnsupportedError(f"{self.path} was not trained for {wanted}, only for {trained}")
        if len(pairs) > 1:
            raise ConfigurationError(f"{modality} has several networks here: name a task")
        return pairs.pop()


def _viewings(gazes: Sequence[Gaze], images: Sequence[Path]) -> Viewings:
    from PIL import Image

    distinct = list(dict.fromkeys(images))
    aspects = []
    for file in distinct:
        try:
            with Image.open(file) as image:
                aspects.append(image.width / image.height)
        except OSError as error:
            raise StudyError(f"image {file} cannot be read: {error}") from error
    grids = np.stack([ImageGrid().describe(file) for file in distinct])
    rows = np.array([distinct.index(image) for image in images])
    return Viewings(gazes, rows, grids, np.array(aspects))
