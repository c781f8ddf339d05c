"""The files of a run: their names, their forms, and nothing else.

configuration.toml            what was asked
split.parquet                 the part of every sample, and the fingerprint of the study
encoders/<modality>.*         the statistics of the encoders
encoders/pretrained.json      which pretrained encoders they are, if any
spaces/<network>/<space>.*    weights, and the log as CSV; a checkpoint while it is learnt; what
                              it made of the validation part before that taught it
weights/<pair>.json           the combination's weights
weights/<pair>.safetensors    every space's embeddings of training samples, for popularity
correlations/<pair>.*         the correlations of gaze and text, where the method has them
run.json                      what it was made from; written last, so its presence means done
"""

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load_file, save

from beholder import atomic
from beholder.errors import ConfigurationError, RunError
from beholder.features import Pretrained
from beholder.model.configuration import TrainingConfiguration, parse_configuration
from beholder.model.correlations import Correlations
from beholder.model.networks import Network, Pair
from beholder.model.spaces import SPACES
from beholder.model.state import Epoch, State, log_rows
from beholder.model.towers import Tower
from beholder.study.splits import PARTS, UNUSED, Split
from beholder.study.study import Study

_RUN_FILE = "run.json"
_CONFIGURATION_FILE = "configuration.toml"
_SPLIT_FILE = "split.parquet"
_FINGERPRINT = "study"  # the key of the study's fingerprint in the split's metadata


@dataclass(frozen=True)
class Provenance:
    """What a finished run was made from, by which device in the end, and what it had to refuse."""

    study: str
    study_path: str
    fingerprint: str
    tasks: tuple[str, ...]
    warnings: tuple[str, ...]
    versions: Mapping[str, str]
    seconds: float
    device: str = "cpu"


class RunFolder:
    """Reads and writes the files of a run; knows their names and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_finished(self) -> bool:
        """Whether the training came to its end."""
        return (self.path / _RUN_FILE).is_file()

    @property
    def lock(self) -> Path:
        """The file that the process which trains the run holds locked."""
        return self.path / ".lock"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is here but what a training may leave that never began."""
        return not self.path.exists() or (
            self.path.is_dir()
            and all(e == self.lock or e.name.endswith(".partial") for e in self.path.iterdir())
        )

    @property
    def launch(self) -> frozenset[str]:
        """What started the processes that train this run, as the first of them left in the lock."""
        return frozenset(self.lock.read_text().split("\n")) if self.lock.is_file() else frozenset()

    def clear(self) -> None:
        """Remove the run, its end mark first; the lock stays, as it may be held."""
        (self.path / _RUN_FILE).unlink(missing_ok=True)
        # What makes this a run goes last, so that a removal cut short can be begun again.
        kept_longest = self.path / _CONFIGURATION_FILE
        for entry in sorted(self.path.iterdir(), key=lambda entry: entry == kept_longest):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != self.lock:
                entry.unlink()

    def write_configuration(self, configuration: TrainingConfiguration) -> None:
        """Make the folder and keep what was asked."""
        self.path.mkdir(parents=True, exist_ok=True)
        atomic.write_text(self.path / _CONFIGURATION_FILE, configuration.toml())

    def configuration(self) -> TrainingConfiguration:
        """Return what was asked, or raise RunError if this is no run."""
        file = self.path / _CONFIGURATION_FILE
        try:
            return parse_configuration(file.read_text("utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{self.path} is not a run: it has no readable {file.name}") from error
        except ConfigurationError as error:
            raise RunError(f"{self.path} is not a run of this version: {error}") from error

    def write_split(self, split: Split, study: Study) -> None:
        """Keep the part of every sample, and which study they are of."""
        names = np.array([*PARTS, ""])[split.parts]
        table = pa.table(
            {"sample": np.arange(len(names)), "part": names},
            metadata={_FINGERPRINT: study.fingerprint},
        )
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        atomic.write_bytes(self.path / _SPLIT_FILE, sink.getvalue().to_pybytes())

    def split(self, configuration: TrainingConfiguration) -> Split:
        """Return the split that the run was trained on."""
        try:
            names = pq.read_table(self.path / _SPLIT_FILE)["part"].to_pylist()
            codes = {name: code for code, name in enumerate(PARTS)} | {"": UNUSED}
            parts = np.array([codes[name] for name in names], dtype=np.int8)
        except (OSError, pa.ArrowException, KeyError) as error:
            raise RunError(f"the split of {self.path} cannot be read: {error}") from error
        return Split(configuration.split, configuration.seed, parts)

    def check_study(self, study: Study) -> None:
        """Raise RunError if what was begun here was begun on another study."""
        file = self.path / _SPLIT_FILE
        if not file.is_file():
            return
        try:
            metadata = pq.read_schema(file).metadata or {}
        except (OSError, pa.ArrowException) as error:
            raise RunError(f"the split of {self.path} cannot be read: {error}") from error
        if metadata.get(_FINGERPRINT.encode()) != study.fingerprint.encode():
            raise RunError(
                f"{self.path} was begun on another study than {study.path}, or it has changed"
            )

    @property
    def encoders(self) -> Path:
        """The folder of the encoders' statistics."""
        return self.path / "encoders"

    def pretrained(self) -> Pretrained:
        """Return the pretrained encoders that the run was begun with, or RunError."""
        try:
            return Pretrained.load(self.encoders)
        except ConfigurationError as error:
            raise RunError(f"{self.path} is damaged: {error}") from error

    def check_begun_with(self, pretrained: Pretrained) -> None:
        """Raise RunError if the run was begun with other pretrained encoders than these."""
        if self.encoders.is_dir() and self.pretrained() != pretrained:
            raise RunError(
                f"{self.path} was begun with other weights of its pretrained encoders; "
                "--overwrite begins again"
            )

    def write_checkpoint(self, network: str, space: str, state: State) -> None:
        """Keep a state, so that a killed training goes on from here; the log goes with it."""
        log = {"log": json.dumps(log_rows(state.log))}
        file = self._checkpoint(network, space)
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(file, save(state.tensors(), log))

    def checkpoint(
        self, network: str, space: str
    ) -> tuple[dict[str, torch.Tensor], list[Epoch]] | None:
        """Return the tensors and the log of an unfinished space, or None."""
        file = self._checkpoint(network, space)
        if not file.is_file():
            return None
        try:
            with safe_open(file, "pt") as stored:
                log = [Epoch(**line) for line in json.loads(stored.metadata()["log"])]
            return load_file(file), log
        except (OSError, SafetensorError) as error:
            raise RunError(f"the checkpoint {file} cannot be read: {error}") from error

    def write_space(self, network: Network, space: str, state: State) -> None:
        """Keep a trained space: its weights, then its log; its checkpoint goes.

        The towers of privileged modalities are not kept, so no test can use them.
        """
        file = self._space(network.name, space)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.DictWriter(text, [f.name for f in fields(Epoch)])
        writer.writeheader()
        writer.writerows(log_rows(state.log))
        kept = {k: t for k, t in state.best.items() if k.partition(".")[0] in network.kept}
        atomic.write_text(self._log(network.name, space), text.getvalue())
        atomic.write_bytes(file, save(kept))
        self._checkpoint(network.name, space).unlink(missing_ok=True)

    def has_space(self, network: str, space: str) -> bool:
        """Tell whether a space is trained."""
        return self._space(network, space).is_file()

    def towers(
        self, network: str, space: str, configuration: TrainingConfiguration
    ) -> dict[str, Tower]:
        """Return the trained towers of a network by their modalities."""
        file = self._space(network, space)
        try:
            tensors: dict[str, dict[str, torch.Tensor]] = {}
            for key, tensor in load_file(file).items():
                modality, _, name = key.partition(".")
                tensors.setdefault(modality, {})[name] = tensor
            return {modality: _tower(own, configuration) for modality, own in tensors.items()}
        except (OSError, SafetensorError, KeyError, RuntimeError) as error:
            raise RunError(f"the weights {file} cannot be read: {error}") from error

    def log(self, network: str, space: str) -> list[Epoch]:
        """Return the log of a trained space."""
        with self._log(network, space).open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            Epoch(int(row.pop("epoch")), **{k: float(value) for k, value in row.items()})
            for row in rows
        ]

    def write_judged(
        self, network: str, space: str, embeddings: Mapping[str, NDArray[np.float32]]
    ) -> None:
        """Keep what a space made of the validation part, by modality, before that taught it."""
        file = self._judged(network, space)
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(file, save_arrays(dict(embeddings)))

    def judged(self, network: str, space: str, pair: Pair) -> dict[str, NDArray[np.float32]]:
        """Return what `write_judged` kept of a pair."""
        return self._arrays(self._judged(network, space), pair)

    def write_known(
        self, pair: Pair, embeddings: Mapping[str, Mapping[str, NDArray[np.float32]]]
    ) -> None:
        """Keep embeddings of training samples, by modality and space."""
        file = self._known(pair)
        file.parent.mkdir(parents=True, exist_ok=True)
        named = {
            f"{modality}.{space}": vectors
            for modality, own in embeddings.items()
            for space, vectors in own.items()
        }
        atomic.write_bytes(file, save_arrays(named))

    def known(
        self, pair: Pair, modality: str, spaces: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """Return what `write_known` kept of a modality, by space."""
        names = [f"{modality}.{space}" for space in spaces]
        found = self._arrays(self._known(pair), names)
        return dict(zip(spaces, found.values(), strict=True))

    def write_correlations(self, pair: Pair, correlations: Correlations) -> None:
        """Keep the correlations of a pair."""
        file = self.path / correlations_file(pair)
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = {k: np.ascontiguousarray(array) for k, array in correlations.arrays().items()}
        atomic.write_bytes(file, save_arrays(arrays))

    def correlations(self, pair: Pair) -> Correlations:
        """Return what `write_correlations` kept."""
        file = self.path / correlations_file(pair)
        try:
            return Correlations.of_arrays(load_arrays(file))
        except (OSError, SafetensorError, KeyError) as error:
            raise RunError(f"the correlations {file} cannot be read: {error}") from error

    def write_weights(self, pair: Pair, weights: Mapping[str, float]) -> None:
        """Keep the combination's weights."""
        file = self._weights(pair)
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(file, json.dumps(weights))

    def weights(self, pair: Pair) -> dict[str, float]:
        """Return the combination's weights by space."""
        file = self._weights(pair)
        try:
            stored = dict(json.loads(file.read_text("utf-8")))
            weights = {str(space): float(weight) for space, weight in stored.items()}
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"the weights {file} cannot be read: {error}") from error
        if not set(weights) <= set(SPACES) or not all(w >= 0 for w in weights.values()):
            raise RunError(f"the weights {file} are not of spaces, or below 0: {stored}")
        return weights

    def finish(self, provenance: Provenance) -> None:
        """Declare the run done."""
        atomic.write_text(self.path / _RUN_FILE, json.dumps(vars(provenance), indent=1))

    def provenance(self) -> Provenance:
        """Return what the run was made from, or raise RunError if it is unfinished."""
        if not self.is_finished:
            self.configuration()  # says so if this is no run at all
            raise RunError(
                f"{self.path} is unfinished; `beholder train … --resume` goes on with it"
            )
        file = self.path / _RUN_FILE
        try:
            data = json.loads(file.read_text("utf-8"))
            return Provenance(**data | {name: tuple(data[name]) for name in ("tasks", "warnings")})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{file} is not of a run of this version: {error}") from error

    def _arrays(self, file: Path, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        try:
            arrays = load_arrays(file)
            return {name: arrays[name] for name in names}
        except (OSError, SafetensorError, KeyError) as error:
            raise RunError(f"the embeddings {file} cannot be read: {error}") from error

    def _space(self, network: str, space: str) -> Path:
        return self.path / "spaces" / network / f"{space}.safetensors"

    def _log(self, network: str, space: str) -> Path:
        return self._space(network, space).with_name(f"{space}.log.csv")

    def _checkpoint(self, network: str, space: str) -> Path:
        return self._space(network, space).with_name(f"{space}.checkpoint.safetensors")

    def _judged(self, network: str, space: str) -> Path:
        return self._space(network, space).with_name(f"{space}.validation.safetensors")

    def _known(self, pair: Pair) -> Path:
        return self._weights(pair).with_suffix(".safetensors")

    def _weights(self, pair: Pair) -> Path:
        return self.path / "weights" / f"{'-'.join(pair)}.json"


def correlations_file(pair: Pair) -> str:
    """Return where a run keeps a pair's correlations, by its path in the run."""
    return f"correlations/{'-'.join(pair)}.safetensors"


def _tower(tensors: dict[str, torch.Tensor], configuration: TrainingConfiguration) -> Tower:
    width = tensors["linear"].shape[0]
    tower = Tower(width, configuration.hyperparameters, torch.Generator())
    tower.load_state_dict(tensors)
    return tower
