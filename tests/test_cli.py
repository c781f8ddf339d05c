"""The command from end to end, as a user types it, each step in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import beholder
from beholder.cli import beholder as group

PEOPLE = 6
SMALL = ("--set", "hidden=16", "--set", "dimensions=8", "--set", "epochs=2")

MEASURES = {
    *("top1", "top3", "top5", "top10", "mrr", "median_rank", "chance_top3", "gallery", "queries"),
    *("ci95_top3", "same_image"),
}


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHOLDER_KEY_FILE", str(tmp_path / "keys" / "key"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "beholder", *map(str, arguments)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True)


def as_json(*arguments: str | Path) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def refused(*arguments: str | Path) -> str:
    """Return the one sentence with which the command refuses a user's mistake."""
    done = run(*arguments)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_version_and_help() -> None:
    assert beholder.__version__ in run("--version").stdout
    for name in group.commands:
        done = run(name, "--help")
        assert done.returncode == 0
        assert done.stdout.startswith("Usage:")


@pytest.mark.parametrize("groups", [(), ("collect",)])
def test_a_group_alone_tells_its_commands_each_in_a_whole_sentence(groups: tuple[str, ...]) -> None:
    done = run(*groups)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Usage:")
    listed = done.stderr.partition("Commands:\n")[2].splitlines()
    assert len(listed) > 5
    assert all(line.endswith(".") and not line.endswith("...") for line in listed), listed
    assert run(*groups, "--help").stdout.strip() == done.stderr.strip()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    assert "_BEHOLDER_COMPLETE" in run("completion", shell).stdout


def test_the_whole_path_from_tables_to_scores(source: Path, tmp_path: Path) -> None:
    study, trained = tmp_path / "study", tmp_path / "run"
    report = as_json("read", "tables", source, study)
    assert (report["samples"], report["participants"], report["images"]) == (48, 6, 8)

    inspection = as_json("inspect", study, "--coverage", tmp_path / "coverage.csv")
    assert inspection["counts"]["samples"] == 48
    assert inspection["tasks"] == dict.fromkeys(["g2t", "t2g", "g2p", "p2g", "t2p", "p2t"])
    assert len((tmp_path / "coverage.csv").read_text().splitlines()) == 1 + PEOPLE

    as_json("train", study, trained, "--tasks", "g2t,t2g,t2p", *SMALL)
    page = tmp_path / "report.html"
    result = as_json("evaluate", trained, "--report", page)
    assert {key: result[key] for key in ("study", "split", "method", "seed")} == {
        "study": "study",
        "split": "random",
        "method": "ours",
        "seed": 0,
    }
    assert list(result["tasks"]) == ["g2t", "t2g", "t2p"]
    for measures in result["tasks"].values():
        assert set(measures) == MEASURES
        assert {"top1", "top3", "chance_top3"} <= set(measures["same_image"])
    assert list(result["methods"]) == ["base", "content", "style", "added", "ours"]
    assert page.read_text().startswith("<!doctype html>")

    table = run("evaluate", trained)
    assert table.returncode == 0
    assert "ours" in table.stdout and "chance" in table.stdout


def test_the_same_seed_prints_the_same_scores(source: Path, tmp_path: Path) -> None:
    as_json("read", "tables", source, tmp_path / "study")
    results = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        as_json("train", tmp_path / "study", tmp_path / name, "--seed", str(seed), *SMALL)
        results.append(as_json("evaluate", tmp_path / name)["methods"])
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_a_simulated_study_comes_back_through_crossmod(tmp_path: Path) -> None:
    made = tmp_path / "made"
    exported = tmp_path / "exported"
    simulated = as_json(
        *("simulate", made, "--participants", "4", "--images", "20", "--crossmod", exported)
    )
    read = as_json("read", "crossmod", exported, tmp_path / "back")
    assert read["samples"] == simulated["samples"]
    assert "items 5 and 10" in " ".join(read["notes"])


def test_tasks_that_a_study_cannot_support_are_refused_and_the_others_run(
    source: Path, tmp_path: Path
) -> None:
    (source / "participants.csv").unlink()
    as_json("read", "tables", source, tmp_path / "study")
    done = run("train", tmp_path / "study", tmp_path / "run", "--tasks", "g2p,g2t", *SMALL)
    assert done.returncode == 0
    assert "g2p needs personality, and the study has no survey" in done.stderr
    result = as_json("evaluate", tmp_path / "run")
    assert list(result["tasks"]) == ["g2t"]
    assert len(result["warnings"]) == 1

    sentence = refused("train", tmp_path / "study", tmp_path / "none", "--tasks", "g2p,p2t")
    assert "no survey" in sentence
    assert not (tmp_path / "none" / "run.json").exists()


def test_mistakes_end_with_one_sentence(source: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert "not a folder" in refused("read", "tables", tmp_path / "absent", study)
    as_json("read", "tables", source, study)
    assert "exists already" in refused("read", "tables", source, study)
    assert "is not a study" in refused("inspect", source)
    assert "is not a run" in refused("evaluate", study)
    assert "unknown task 'x2y'" in refused("train", study, tmp_path / "r", "--tasks", "x2y")
    assert "no run to resume" in refused("train", study, tmp_path / "r", "--resume")
    assert "epochs must be a whole number from 1" in refused(
        "train", study, tmp_path / "r", "--set", "epochs=0"
    )
    (tmp_path / "file").write_text("")
    assert "file" in refused("read", "tables", source, tmp_path / "file" / "study")
    assert "file" in refused("train", study, tmp_path / "file" / "run", *SMALL)


def test_a_bad_row_is_named_and_can_be_skipped(source: Path, tmp_path: Path) -> None:
    rows = (source / "fixations.csv").read_text().splitlines()
    rows[4] = "p1,0.png,nan,3,0"
    (source / "fixations.csv").write_text("\n".join(rows))
    sentence = refused("read", "tables", source, tmp_path / "study")
    assert "fixations.csv, row 5, column x: found 'nan'" in sentence
    assert not (tmp_path / "study").exists()
    report = as_json("read", "tables", source, tmp_path / "study", "--skip-bad")
    assert report["skipped_rows"] == 1
    assert "nan" in (tmp_path / "study" / "skipped.csv").read_text()


def interrupt(arguments: list[str], until: Path, how: signal.Signals) -> tuple[int, str]:
    """Start a command, signal it once a path is there, and return its status and errors."""
    process = subprocess.Popen(
        command(*arguments),
        stderr=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background may have told them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not any(until.parent.glob(until.name)) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(how)
    _, errors = process.communicate()
    return process.returncode, errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("what", ["read", "simulate"])
def test_a_writing_that_is_stopped_leaves_nothing(
    source: Path, tmp_path: Path, what: str, how: signal.Signals
) -> None:
    target = tmp_path / "studies" / "made"
    target.parent.mkdir()
    arguments = ["simulate", str(target), "--images", "200"]
    if what == "read":
        add_images(source, 3000)
        arguments = ["read", "tables", str(source), str(target)]
    status, errors = interrupt(arguments, target.parent / ".made.*", how)
    assert not target.exists()
    if how == signal.SIGINT:
        assert status == 130
        assert errors.strip().endswith("interrupted; nothing was left half-written")
        assert list(target.parent.iterdir()) == []
    as_json("simulate", target, "--participants", "4", "--images", "20")
    assert [path.name for path in target.parent.iterdir()] == ["made"]


def add_images(source: Path, count: int) -> None:
    """Add samples of many images, so that a reading takes long enough to be stopped."""
    picture = (source / "images" / "0.png").read_bytes()
    with (source / "samples.csv").open("a") as samples:
        for number in range(count):
            (source / "images" / f"more{number}.png").write_bytes(picture)
            samples.write(f"p0,more{number}.png,one of many\n")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_training_that_is_stopped_goes_on_to_the_same_scores(
    source: Path, tmp_path: Path, how: signal.Signals
) -> None:
    study = tmp_path / "study"
    as_json("read", "tables", source, study)
    settings = (*SMALL[:-1], "epochs=40")
    as_json("train", study, tmp_path / "whole", *settings)
    arguments = ["train", str(study), str(tmp_path / "stopped"), *settings]
    status, _ = interrupt(arguments, tmp_path / "stopped/spaces/gaze-text/base.safetensors", how)
    assert status in (130, -signal.SIGKILL)
    assert "unfinished" in refused("evaluate", tmp_path / "stopped")
    assert "--resume" in refused("train", study, tmp_path / "stopped", *settings)
    as_json("train", study, tmp_path / "stopped", *settings, "--resume")
    whole, resumed = (as_json("evaluate", tmp_path / name) for name in ("whole", "stopped"))
    assert whole == resumed


def test_names_with_brackets_are_printed_as_they_are(source: Path, tmp_path: Path) -> None:
    study = tmp_path / "pilot [1] [red]"
    name = "[bold]a [/nope] study"
    read = run("read", "tables", source, study, "--name", name)
    assert read.returncode == 0
    assert "pilot [1] [red]" in read.stdout.replace("\n", "")
    assert name in run("inspect", study).stdout
    as_json("train", study, tmp_path / "run", *SMALL)
    assert name in run("evaluate", tmp_path / "run").stdout


def test_what_cannot_be_written_is_said_before_the_work(source: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    as_json("read", "tables", source, study)
    as_json("train", study, tmp_path / "run", *SMALL)
    assert "cannot be a file" in refused("evaluate", tmp_path / "run", "--report", study)
    assert not (tmp_path / "run" / "scores.parquet").exists()
    sentence = refused("inspect", study, "--coverage", tmp_path / "absent" / "coverage.csv")
    assert "absent/coverage.csv: No such file or directory" in sentence
    (tmp_path / "file").write_text("")
    sentence = refused("inspect", study, "--coverage", tmp_path / "file" / "coverage.csv")
    assert "file/coverage.csv: Not a directory" in sentence
    sentence = refused("simulate", tmp_path / "made", "--crossmod", study)
    assert "study exists already" in sentence
    assert not (tmp_path / "made").exists()
    assert "effect gaze is a size" in refused("simulate", tmp_path / "made", "--effect-gaze", "inf")
    assert "No such command" in refused("reed")
    assert "hidden must be a whole number" in refused(
        "train", study, tmp_path / "huge", "--set", "hidden=2000000000"
    )
    assert not (tmp_path / "huge").exists()


def test_a_resumed_run_keeps_its_own_configuration(source: Path, tmp_path: Path) -> None:
    study, trained = tmp_path / "study", tmp_path / "run"
    as_json("read", "tables", source, study)
    as_json("train", study, trained, "--seed", "3", *SMALL)
    before = (trained / "configuration.toml").read_text()
    as_json("train", study, trained, "--resume")
    as_json("train", study, trained, "--resume", "--seed", "3", "--set", "epochs=2")
    assert (trained / "configuration.toml").read_text() == before
    sentence = refused("train", study, trained, "--resume", "--set", "epochs=3")
    assert "another configuration" in sentence


def test_a_changed_or_missing_image_is_found(source: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    as_json("read", "tables", source, study)
    (study / "images" / "0.png").unlink()
    (study / "images" / "1.png").write_bytes(b"something else")
    warnings = as_json("inspect", study)["warnings"]
    assert "1 image file is missing, such as 0.png" in warnings
    assert "1 image file is not what was read, such as 1.png" in warnings


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_target_is_one_sentence(source: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert "Permission denied" in refused("read", "tables", source, locked / "study")
