"""The files of a comparison: their names, their forms, and nothing else.

comparison.json          what was asked, and of which study
cells/<key>/<method>.*   the scores of a method at one split and seed, per query, in Parquet
work/<key>/<group>/      what is being fitted; gone when its cells are there
distinctness.json        how people differ, in each space
results.json             everything measured, by the contract
scores.parquet           all cells in one table
tables/ trec/ figures/   for papers, for other tools, for slides
report.html              all of it, to read
"""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beholder import atomic
from beholder.errors import ConfigurationError, RunError
from beholder.evaluation.comparison.cells import Job
from beholder.evaluation.comparison.configuration import (
    ComparisonConfiguration,
    Key,
    configuration_of,
)
from beholder.features import Pretrained
from beholder.study.study import Study

_REMOVED = ".removed-"

MUST_STAY = ("tasks", "hyperparameters", "depth", "method_files")
"""What cells hang on: a comparison that goes on can only ask for more of the other things."""


class ComparisonFolder:
    """Reads and writes the files of a comparison; knows their names and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.distinctness = path / "distinctness.json"
        self.results = path / "results.json"
        self.scores = path / "scores.parquet"
        self.report = path / "report.html"
        self.tables = path / "tables"
        self.trec = path / "trec"
        self.figures = path / "figures"
        self._about = path / "comparison.json"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder for one process; RunError if another holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = self.path / ".lock"
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunError(f"another process is comparing in {self.path}") from error
            yield

    def begin(
        self,
        study: Study,
        configuration: ComparisonConfiguration,
        pretrained: Pretrained,
        *,
        overwrite: bool,
    ) -> None:
        """Keep what was asked; RunError if the folder holds something that it cannot go on with."""
        entries = [entry for entry in self.path.iterdir() if entry.name != ".lock"]
        if entries and not self._about.is_file():
            raise RunError(f"{self.path} exists already and is no comparison")
        if entries and overwrite:
            self._clear()
        elif entries:
            self._check(study, configuration, pretrained)
        about = {
            "study": study.fingerprint,
            "configuration": configuration.as_json(),
            "pretrained": asdict(pretrained),
        }
        atomic.write_text(self._about, json.dumps(about, indent=1) + "\n")

    def _check(
        self, study: Study, configuration: ComparisonConfiguration, pretrained: Pretrained
    ) -> None:
        try:
            about = json.loads(self._about.read_text("utf-8"))
            begun = configuration_of(about["configuration"])
            fingerprint = about["study"]
            encoders = about.get("pretrained", asdict(Pretrained()))
        except (OSError, ValueError, KeyError, TypeError, ConfigurationError) as error:
            raise RunError(f"{self._about} is not of a comparison of this version") from error
        advice = "use another folder, or --overwrite"
        if fingerprint != study.fingerprint:
            raise RunError(
                f"{self.path} was begun on another study than {study.path}, or it has changed: "
                f"{advice}"
            )
        for name in MUST_STAY:
            if getattr(begun, name) != getattr(configuration, name):
                raise RunError(
                    f"{self.path} was begun with other {name.replace('_', ' ')}: {advice}"
                )
        if encoders != asdict(pretrained):
            named = (configuration.text_encoder, configuration.image_encoder)
            is_named_alike = (begun.text_encoder, begun.image_encoder) == named
            what = "weights of its pretrained encoders" if is_named_alike else "pretrained encoders"
            raise RunError(f"{self.path} was begun with other {what}: {advice}")

    def _clear(self) -> None:
        """Remove the comparison; what makes it one goes last."""
        for entry in sorted(self.path.iterdir(), key=lambda entry: entry == self._about):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != ".lock":
                entry.unlink()

    def configuration(self) -> ComparisonConfiguration:
        """Return what was asked."""
        return configuration_of(json.loads(self._about.read_text("utf-8"))["configuration"])

    def work(self, key: Key, group: str) -> Path:
        """Return the folder in which a group is fitted."""
        return self.path / "work" / key.name / group

    def cell(self, key: Key, method: str) -> Path:
        """Return the file of a cell."""
        return self.path / "cells" / key.name / f"{method}.parquet"

    def write_cell(self, key: Key, method: str, table: pa.Table) -> None:
        """Keep a cell, whole or not at all: that the file is there means that it is done."""
        file = self.cell(key, method)
        file.parent.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        atomic.write_bytes(file, sink.getvalue().to_pybytes())

    def keep(self, job: Job, files: Mapping[str, bytes], *, keep_runs: bool) -> None:
        """Keep what a job left on another machine, its cells last: they say that it is done."""
        for name in sorted(files, key=lambda name: (name.startswith("cells"), name)):
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(self.path / name, files[name])
        if not keep_runs:  # what an earlier comparison began here
            self.discard(Key(**job.key), job.group)

    def discard(self, key: Key, group: str) -> None:
        """Remove what was fitted: at once for all who look, so that no half of a run is left.

        A removal that was cut short is finished by the next one, or by `tidy`.
        """
        fitted = self.work(key, group)
        removed = fitted.with_name(f"{_REMOVED}{group}")
        shutil.rmtree(removed, ignore_errors=True)
        with contextlib.suppress(OSError):
            fitted.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)

    def tidy(self) -> None:
        """Remove the folders of work that are empty now; runs that somebody kept stay."""
        for removed in self.path.glob(f"work/*/{_REMOVED}*"):
            shutil.rmtree(removed, ignore_errors=True)
        for place in (*self.path.glob("work/*"), self.path / "work"):
            with contextlib.suppress(OSError):
                place.rmdir()

    def read_cell(self, key: Key, method: str) -> pa.Table:
        """Return a cell's table, or raise RunError."""
        file = self.cell(key, method)
        try:
            return pq.read_table(file)
        except (OSError, pa.ArrowException) as error:
            raise RunError(f"the scores {file} cannot be read: {error}") from error

    def write_json(self, file: Path, values: dict[str, Any]) -> None:
        """Keep values as JSON; numbers that are none are null."""
        atomic.write_text(file, json.dumps(values, indent=1, ensure_ascii=False) + "\n")

    def read_json(self, file: Path) -> dict[str, Any]:
        """Return what `write_json` kept, or raise RunError."""
        try:
            values: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{file} cannot be read: {error}") from error
        return values
