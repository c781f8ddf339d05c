"""A Ray cluster of two nodes on this machine: the same results, whatever is killed.

The tests share one cluster, which takes some seconds to begin; the last one kills a node.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import labours
import numpy as np
import pytest

from beholder.errors import BeholderError, ConfigurationError, RunError, StudyError
from beholder.evaluation.comparison import ComparisonConfiguration, compare
from beholder.features import FeatureCache, StudyInputs, image
from beholder.model import Run
from beholder.retrieval import index, indexing
from beholder.study import Study
from beholder.work import Cluster, Processes
from made_study import QUICK

pytest.importorskip("ray", reason="Ray is absent")

NODES = ("127.0.0.2", "127.0.0.3")
OWN = """
import os, signal, uuid
from pathlib import Path
from beholder.model.methods import Method

class Own(Method):
    name = "own"

    def fit(self, setting):
        notes = Path({notes!r})
        (notes / f"{{setting.seed}}-{{uuid.uuid4()}}").touch()
        if setting.seed == 1 and len(list(notes.glob("1-*"))) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

own = Own()
"""


class TwoNodes:
    """A cluster with one processor on each of two nodes."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Nodes

        options = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
        self._nodes = Nodes()
        self._nodes.add_node(node_ip_address=NODES[0], **options)
        self._other = self._nodes.add_node(node_ip_address=NODES[1], **options)
        self.workers = Cluster(self._nodes.address)

    def kill_the_other(self) -> None:
        self._nodes.remove_node(self._other, allow_graceful=False)

    def end(self) -> None:
        self._nodes.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    import ray

    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{here}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.delenv("OMP_NUM_THREADS", raising=False)  # Ray itself gives a worker one thread
        nodes = TwoNodes()
        try:
            yield nodes
        finally:
            ray.shutdown()
            nodes.end()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_comparison_is_the_same_though_a_worker_was_killed(
    nodes: TwoNodes, tiny_study: Study, tmp_path: Path, notes: Path
) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(notes=str(notes)))
    asked = ComparisonConfiguration(
        methods=("chance", "base", "own"),
        tasks="g2t",
        splits=("random",),
        seeds=(0, 1),
        curve=(),
        method_files=(str(file),),
        hyperparameters=QUICK,
    )
    fewer = replace(asked, methods=("chance",), seeds=(0,))
    compare(tiny_study, tmp_path / "ray", fewer, workers=nodes.workers)
    done = next((tmp_path / "ray" / "cells").rglob("chance.parquet"))
    before = done.stat().st_mtime_ns
    found = compare(tiny_study, tmp_path / "ray", asked, workers=nodes.workers)
    assert Counter(note.name[0] for note in notes.iterdir()) == {"0": 1, "1": 2}
    assert done.stat().st_mtime_ns == before
    assert {row["method"] for row in found.results["rows"]} == {"chance", "base", "own"}
    compare(tiny_study, tmp_path / "local", asked, workers=Processes(2))
    assert files(tmp_path / "ray") == files(tmp_path / "local")


def test_a_store_is_the_same(
    nodes: TwoNodes, tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_SAMPLES_AT_ONCE", 50)
    monkeypatch.setattr(image, "IMAGES_AT_ONCE", 7)
    monkeypatch.setenv("BEHOLDER_CACHE", str(tmp_path / "cache"))
    index(tiny_run, tmp_path / "ray", workers=nodes.workers)
    monkeypatch.setenv("BEHOLDER_CACHE", str(tmp_path / "another cache"))
    index(tiny_run, tmp_path / "local", workers=Processes(2))
    rows = {}
    for name in ("ray", "local"):
        connection = sqlite3.connect(tmp_path / name / "store.sqlite")
        rows[name] = [row for row in connection.iterdump() if "'generation'" not in row]
        connection.close()
    assert rows["ray"] == rows["local"]
    assert len(rows["ray"]) > 500


def test_images_are_described_the_same(
    nodes: TwoNodes, tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "IMAGES_AT_ONCE", 3)
    nothing = FeatureCache(None)
    spread = StudyInputs(tiny_study, nothing, workers=nodes.workers).grids
    np.testing.assert_array_equal(spread, StudyInputs(tiny_study, nothing).grids)


def test_what_a_task_raises_is_raised(nodes: TwoNodes, tiny_study: Study, tmp_path: Path) -> None:
    workers = nodes.workers
    with pytest.raises(StudyError, match=r"^on .*: row 3 is bad \(every machine must have the st"):
        list(workers.run(labours.fail, ["study"]))
    with pytest.raises(BeholderError, match=r"^row 4 is bad$"):
        list(workers.run(labours.fail, ["own"]))
    with pytest.raises(RuntimeError, match=r"labours\.py(.|\n)*the moon is full"):
        list(workers.run(labours.fail, ["moon"]))
    shutil.copytree(tiny_study.path, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    assert study.fingerprint
    (tmp_path / "study").rename(tmp_path / "on another disk")
    with pytest.raises(StudyError, match=r"study is not a study: it has no study\.toml \(every ma"):
        list(workers.run(labours.Named(study), [0]))


def test_a_worker_has_one_thread_and_a_killed_one_is_named(nodes: TwoNodes, notes: Path) -> None:
    for one in dict(nodes.workers.run(labours.about, range(2))).values():
        assert one["torch"] == 1
        assert one["process"] != os.getpid()
    work = labours.Squares(notes, killed_at=(1,), always=True)
    with pytest.raises(RunError, match=r"that did 1 was killed 4 times, perhaps for want of mem"):
        list(nodes.workers.run(work, [1]))
    assert work.begun() == {1: 4}


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1: "),
        ("ray://10.0.0.1:10001", "run this on a machine of the cluster"),
        ("nowhere", "nowhere is no address of a Ray cluster, such as 10.0.0.1:6379"),
    ],
)
def test_where_no_cluster_answers_is_said_at_once(
    address: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ConfigurationError, match=message):
        list(Cluster(address).run(str, [1]))


def test_a_cluster_that_is_too_slow_to_begin_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import ray

    def slow(*_: object, **__: object) -> None:
        raise Exception("The current node timed out during startup.")  # noqa: TRY002 - as Ray does

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", slow)
    with pytest.raises(ConfigurationError, match=r"cannot be begun: The current node timed out"):
        list(Cluster(None).run(str, [1]))


def test_the_command_begins_a_cluster_and_ends_it(tiny_study: Study, tmp_path: Path) -> None:
    words = ["compare", str(tiny_study.path), str(tmp_path / "out"), "--methods", "chance"]
    words += ["--tasks", "g2t", "--splits", "random", "--seeds", "0", "--curve", "", "--json"]
    command = [sys.executable, "-m", "beholder", *words, "--on", "ray", "--processes", "1"]
    environment = os.environ | {"RAY_AUTH_MODE": "disabled"}
    environment.pop("RAY_ADDRESS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert [row["method"] for row in json.loads(done.stdout)["rows"]] == ["chance"]


def test_a_killed_node_costs_what_it_was_doing(nodes: TwoNodes, notes: Path) -> None:
    work = labours.Squares(notes, hangs_on=NODES[1])
    running = nodes.workers.run(work, range(8))
    found = dict([next(running)])
    until = time.monotonic() + 60
    while not work.begun_on(NODES[1]) and time.monotonic() < until:
        time.sleep(0.05)
    (hung,) = work.begun_on(NODES[1])
    nodes.kill_the_other()
    found.update(running)
    assert found == {number: number**2 for number in range(8)}
    assert work.begun() == {number: 2 if number == hung else 1 for number in range(8)}
