"""The files of a run: their names, their forms, and nothing else.

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
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from beholder import atomic
from beholder.errors import ConfigurationError, RunError
from beholder.model.configuration import TrainingConfiguration, parse_configuration
from beholder.model.learning import Epoch, State, log_rows
from beholder.model.towers import Tower
from beholder.study.splits import PARTS, UNUSED, Split

Pair = tuple[str, str]

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
        """Whether the training came to its end."""
        return (self.path / _RUN_FILE).is_file()

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

    def write_split(self, split: Split) -> None:
        """Keep the part of every sample."""
        names = np.array([*PARTS, ""])[split.parts]
        table = pa.table({"sample": np.arange(len(names)), "part": names})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        atomic.write_bytes(self.path / "split.parquet", sink.getvalue().to_pybytes())

    def split(self, configuration: TrainingConfiguration) -> Split:
        """Return the split that the run was trained on."""
        try:
            names = pq.read_table(self.path / "split.parquet")["part"].to_pylist()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise RunError(f"the split of {self.path} cannot be read: {error}") from error
        codes = {name: code for code, name in enumerate(PARTS)} | {"": UNUSED}
        parts = np.array([codes[name] for name in names], dtype=np.int8)
        return Split(configuration.split, configuration.seed, parts)

    @property
    def encoders(self) -> Path:
        """The folder of the encoders' statistics."""
        return self.path / "encoders"

    def pair(self, pair: Pair) -> Path:
        """Return the folder of a pair's spaces."""
        return self.path / "spaces" / "-".join(pair)

    def write_checkpoint(self, pair: Pair, space: str, state: State) -> None:
        """Keep a state, so that a killed training goes on from here; the log goes with it."""
        log = {"log": json.dumps(log_rows(state.log))}
        self.pair(pair).mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(self._checkpoint(pair, space), save(state.tensors(), log))

    def checkpoint(
        self, pair: Pair, space: str
    ) -> tuple[dict[str, torch.Tensor], list[Epoch]] | None:
        """Return the tensors and the log of an unfinished space, or None."""
        file = self._checkpoint(pair, space)
        if not file.is_file():
            return None
        with safe_open(file, "pt") as stored:
            log = [Epoch(**line) for line in json.loads(stored.metadata()["log"])]
        return load_file(file), log

    def write_space(self, pair: Pair, space: str, state: State) -> None:
        """Keep a trained space: its weights, then its log; its checkpoint goes."""
        folder = self.pair(pair)
        folder.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.DictWriter(text, [f.name for f in fields(Epoch)])
        writer.writeheader()
        writer.writerows(log_rows(state.log))
        atomic.write_text(folder / f"{space}.log.csv", text.getvalue())
        atomic.write_bytes(folder / f"{space}.safetensors", save(dict(state.best)))
        self._checkpoint(pair, space).unlink(missing_ok=True)

    def has_space(self, pair: Pair, space: str) -> bool:
        """Tell whether a space is trained."""
        return (self.pair(pair) / f"{space}.safetensors").is_file()

    def towers(
        self, pair: Pair, space: str, configuration: TrainingConfiguration
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

    def log(self, pair: Pair, space: str) -> list[Epoch]:
        """Return the log of a trained space."""
        with (self.pair(pair) / f"{space}.log.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            Epoch(int(row.pop("epoch")), **{k: float(value) for k, value in row.items()})
            for row in rows
        ]

    def write_weights(self, pair: Pair, weights: Mapping[str, float]) -> None:
        """Keep the combination's weights."""
        atomic.write_text(self.pair(pair) / "weights.json", json.dumps(weights))

    def weights(self, pair: Pair) -> dict[str, float]:
        """Return the combination's weights by space."""
        weights: dict[str, float] = json.loads((self.pair(pair) / "weights.json").read_text())
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
        data = json.loads((self.path / _RUN_FILE).read_text("utf-8"))
        for name in ("tasks", "warnings"):
            data[name] = tuple(data[name])
        return Provenance(**data)

    def _checkpoint(self, pair: Pair, space: str) -> Path:
        return self.pair(pair) / f"{space}.checkpoint.safetensors"
