"""`torchrun … -m beholder train`: on one host and on two, undisturbed and with workers killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from beholder.cli import beholder
from beholder.errors import ConfigurationError
from beholder.evaluation import evaluate
from beholder.model import Run, TrainingConfiguration, train
from beholder.model.distributed import LONE
from beholder.study import Study
from made_study import QUICK

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
CONFIGURATION = TrainingConfiguration("ours", "g2t,t2g", hyperparameters=QUICK)
SETTINGS = [
    *("--set", "hidden=32", "--set", "dimensions=16", "--set", "epochs=3"),
    *("--set", "batch=32", "--set", "refit=1"),
]
TIMEOUT_S = 400  # far longer than it takes: a hang ends the test

DYING = """
import os, pathlib, signal, sys
from torch.optim import AdamW
from beholder.model import train
from beholder.model.configuration import parse_configuration
from beholder.model.distributed import joined

study, path, configuration, graves, *deaths = sys.argv[1:]
died = len(list(pathlib.Path(graves).iterdir()))
rank, seen = os.environ["RANK"], {"batch": 0, "checkpoint": 0}

def see(event):
    seen[event] += 1
    if deaths[died : died + 1] == [f"{rank}:{event}:{seen[event]}"]:
        pathlib.Path(graves, str(died)).touch()
        os.kill(os.getpid(), signal.SIGKILL)

step, move = AdamW.step, pathlib.Path.replace

def watched_step(*arguments):
    see("batch")
    return step(*arguments)

def watched_move(file, target):
    if "checkpoint" in str(target):
        see("checkpoint")
    return move(file, target)

AdamW.step, pathlib.Path.replace = watched_step, watched_move
with joined() as group:
    train(
        study,
        path,
        parse_configuration(configuration, "-"),
        overwrite=True,
        checkpoint_every_s=0,
        group=group,
    )
os.write(1, f"process {rank}: {seen['batch']} batches\\n".encode())  # whole, not in two parts
"""
"""Trains, and kills itself where the words rank:event:number say, one in each attempt."""


def torchrun(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Start torchrun, and end all that it started if it hangs."""
    command = [*TORCHRUN, *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as agent:
        try:
            out, err = agent.communicate(timeout=TIMEOUT_S)
        finally:
            if agent.poll() is None:
                agent.terminate()
    return subprocess.CompletedProcess(command, agent.returncode, out, err)


def on_one_host(processes: int, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return torchrun("--standalone", "--nproc-per-node", str(processes), *words)


def assert_same_to_rounding(run: Run, other: Run) -> None:
    pair = run.tasks[0].pair
    network = run.network(pair)
    assert run.folder.weights(pair).keys() == other.folder.weights(pair).keys()
    for space in run.folder.weights(pair):
        log, own = (one.folder.log(network, space) for one in (run, other))
        assert len(log) == len(own)
        for name, rtol in (("loss", 1e-5), ("validation", 1e-2), ("spread", 1e-4)):
            values = [[getattr(line, name) for line in lines] for lines in (log, own)]
            np.testing.assert_allclose(values[1], values[0], rtol=rtol)
        arrays, others = (
            load_file(one.path / "spaces" / network / f"{space}.safetensors")
            for one in (run, other)
        )
        assert arrays.keys() == others.keys()
        for name, array in arrays.items():
            np.testing.assert_allclose(others[name], array, rtol=1e-3, atol=1e-4)


def files_of(run: Run) -> dict[str, bytes]:
    """Return what a run learnt: its files but for logs and provenance, which tell the time."""
    files = [run.path / "configuration.toml", run.path / "split.parquet"]
    for folder, pattern in (("encoders", "*"), ("spaces", "*/*.safetensors"), ("weights", "*")):
        files += sorted((run.path / folder).glob(pattern))
    return {str(file.relative_to(run.path)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def alone(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tiny_study, tmp_path_factory.mktemp("alone") / "run", CONFIGURATION)


@pytest.fixture(scope="module")
def by_two(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A run that two processes trained as the page says, and what they printed."""
    path = tmp_path_factory.mktemp("two") / "run"
    (line,) = re.findall(r"^torchrun (--standalone .*)$", PAGE.read_text(), re.MULTILINE)
    names = {"STUDY": tiny_study.path, "RUN": path}
    done = torchrun(*(names.get(word, word) for word in line.split()), *SETTINGS, "--json")
    assert done.returncode == 0, done.stderr
    return Run.open(path), done.stdout


def test_two_processes_train_the_run_that_one_does(alone: Run, by_two: tuple[Run, str]) -> None:
    run, printed = by_two
    assert json.loads(printed)["run"] == str(run.path)  # one object, of one process
    assert_same_to_rounding(alone, run)
    assert run.provenance.tasks == alone.provenance.tasks
    scores, own = (evaluate(one).as_json()["tasks"]["g2t"] for one in (alone, run))
    assert own["queries"] == scores["queries"]
    np.testing.assert_allclose(own["mrr"], scores["mrr"], atol=0.02)


def test_killed_workers_start_again_and_end_with_the_same_run(
    by_two: tuple[Run, str], tiny_study: Study, tmp_path: Path
) -> None:
    """The first dies while it writes its first checkpoint, the second within a later epoch."""
    script, graves, path = tmp_path / "dying.py", tmp_path / "graves", tmp_path / "run"
    script.write_text(DYING)
    graves.mkdir()
    # What stood there is overwritten once, not at every start.
    shutil.copytree(by_two[0].path, path)
    replaced = replace(CONFIGURATION, seed=7).toml()
    (path / "configuration.toml").write_text(replaced)
    done = on_one_host(
        2,
        *("--max-restarts", "2", script, tiny_study.path, path, CONFIGURATION.toml(), graves),
        *("0:checkpoint:1", "1:batch:12"),
    )
    assert done.returncode == 0, done.stderr
    run = Run.open(path)
    assert files_of(run) == files_of(by_two[0])
    assert_same_to_rounding(by_two[0], run)
    batches = {line.split(": ")[0]: int(line.split()[-2]) for line in done.stdout.splitlines()}
    assert len(list(graves.iterdir())) == 2
    assert set(batches) == {"process 0", "process 1"}
    whole, begun = 3 * (3 * 5 + 5), 2 * 5  # three spaces; the first had two epochs behind it
    assert set(batches.values()) == {whole - begun}


def test_the_example_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("beholder.model.train", lambda *given, **named: asked.update(named))
    training = PAGE.read_text().partition("## Comparing")[0]
    (example,) = re.findall(r"```python\n(.*?)```", training, re.DOTALL)
    exec(example, {})
    assert asked == {"group": LONE}


def test_only_training_is_distributed(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = CliRunner().invoke(beholder, ["evaluate", str(alone.path)])
    assert isinstance(result.exception, ConfigurationError)
    assert str(result.exception) == (
        "evaluate runs in one process, not in 2: of all commands only train is to be started by "
        "torchrun"
    )
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert CliRunner().invoke(beholder, ["evaluate", str(alone.path)]).exit_code == 0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """Two hosts: network namespaces joined by a wire, at 10.83.0.1 and 10.83.0.2."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the command ip")
    names = (f"one{os.getpid()}", f"two{os.getpid()}")
    try:
        try:
            for name in names:
                ip("netns", "add", name)
            one, two = (("netns", name) for name in names)
            ip("link", "add", "wire", *one, "type", "veth", "peer", "name", "wire", *two)
            for number, name in enumerate(names, start=1):
                ip("-n", name, "address", "add", f"10.83.0.{number}/24", "dev", "wire")
                for device in ("lo", "wire"):
                    ip("-n", name, "link", "set", device, "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield names
    finally:
        for name in names:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", name)


def test_two_hosts_train_one_run_and_go_on_when_one_loses_its_worker(
    alone: Run, tiny_study: Study, tmp_path: Path, hosts: tuple[str, str]
) -> None:
    script, graves, path = tmp_path / "dying.py", tmp_path / "graves", tmp_path / "run"
    script.write_text(DYING)
    graves.mkdir()
    environment: dict[str, Any] = os.environ | {"GLOO_SOCKET_IFNAME": "wire"}
    with contextlib.ExitStack() as stack:
        agents = []
        for number, name in enumerate(hosts, start=1):
            command = [
                *("ip", "netns", "exec", name, *TORCHRUN, "--nnodes", "2", "--nproc-per-node", "1"),
                *("--rdzv-backend", "c10d", "--rdzv-id", "test"),
                *("--rdzv-endpoint", "10.83.0.1:29400"),
                *("--rdzv-conf", f"is_host={'true' if number == 1 else 'false'}"),
                *("--local-addr", f"10.83.0.{number}", "--max-restarts", "2"),
                *(str(script), str(tiny_study.path), str(path), CONFIGURATION.toml()),
                *(str(graves), "1:batch:22"),
            ]
            agent = subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            stack.enter_context(agent)
            stack.callback(lambda agent=agent: agent.poll() is None and agent.terminate())
            agents.append(agent)
        printed = [agent.communicate(timeout=TIMEOUT_S)[0] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], printed
    assert len(list(graves.iterdir())) == 1
    assert sum(" batches" in text for text in printed) == 2
    assert_same_to_rounding(alone, Run.open(path))
