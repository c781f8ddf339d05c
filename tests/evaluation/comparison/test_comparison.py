"""A comparison: what it writes, what it measures, and that it can be stopped anywhere."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pyarrow.parquet as pq
import pytest
from ir_measures import RR, Success

from beholder.errors import BeholderError, ConfigurationError, RunError
from beholder.evaluation.comparison import Comparison, ComparisonConfiguration, compare
from beholder.evaluation.comparison.folder import ComparisonFolder
from beholder.evaluation.comparison.jobs import jobs_left
from beholder.study import Study
from beholder.work import HERE, Processes, Workers
from made_study import QUICK

CONFIGURATION = ComparisonConfiguration(
    methods=("chance", "base", "content", "style", "ours", "ours-privileged"),
    tasks="g2t,t2g,g2p",
    splits=("random", "participant"),
    seeds=(0, 1),
    curve=(0.5,),
    hyperparameters=QUICK,
)
SMALLEST = replace(
    CONFIGURATION, methods=("chance", "base"), tasks="g2t", splits=("random",), seeds=(0,), curve=()
)


@pytest.fixture(scope="module")
def comparison(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    path = tmp_path_factory.mktemp("comparison") / "all"
    yield compare(tiny_study, path, CONFIGURATION, processes=2)


def rows_of(results: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in results["rows"] if all(row[k] == v for k, v in wanted.items())]


def test_every_cell_is_there_and_the_work_is_gone(comparison: Comparison) -> None:
    results = comparison.results
    cells = {
        (r["method"], r["task"], r["split"], r["seed"]) for r in results["rows"] if r["share"] == 1
    }
    expected = {
        (method, task, split, seed)
        for method in CONFIGURATION.methods
        for task in ("g2t", "t2g", "g2p")
        for split in CONFIGURATION.splits
        for seed in CONFIGURATION.seeds
    }
    assert cells == expected
    shares = {
        (r["split"], r["share_of"], r["share"], r["method"])
        for r in results["rows"]
        if r["share"] != 1
    }
    assert shares == {
        (split, unit, 0.5, method)
        for split, unit in (("random", "samples"), ("participant", "participants"))
        for method in ("base", "ours")
    }
    assert results["missing"] == []
    assert not (comparison.folder.path / "work").exists()
    assert json.loads(comparison.folder.results.read_text()) == results


def test_rows_follow_from_the_ranks_in_the_table(comparison: Comparison) -> None:
    table = pq.read_table(comparison.folder.scores).to_pandas()
    for row in rows_of(comparison.results, share=1.0):
        of = table[
            (table["method"] == row["method"])
            & (table["task"] == row["task"])
            & (table["split"] == row["split"])
            & (table["seed"] == row["seed"])
            & (table["share"] == 1)
            & (table["measure"] == "gallery")
        ]
        assert len(of) == row["queries"]
        if row["method"] == "chance":
            assert of["rank"].isna().all()
            assert row["top3"] == pytest.approx(row["chance_top3"])
        else:
            assert (of["rank"] <= 3).mean() == pytest.approx(row["top3"])
            assert (1 / of["rank"]).mean() == pytest.approx(row["mrr"])


def test_trec_files_say_the_same_to_another_tool(comparison: Comparison) -> None:
    """ir_measures sorts by score alone, so this also checks that ties are written against us."""
    for task in ("g2t", "g2p"):
        folder = comparison.folder.trec / "random-1"
        qrels = list(ir_measures.read_trec_qrels(str(folder / f"{task}.qrels")))
        for method in ("base", "ours", "ours-privileged"):
            run = list(ir_measures.read_trec_run(str(folder / f"{task}.{method}.run")))
            found = ir_measures.calc_aggregate([Success @ 1, Success @ 3, RR @ 10], qrels, run)
            (row,) = rows_of(
                comparison.results, method=method, task=task, split="random", seed=1, share=1.0
            )
            assert found[Success @ 1] == pytest.approx(row["top1"])
            assert found[Success @ 3] == pytest.approx(row["top3"])
            assert found[RR @ 10] <= row["mrr"] + 1e-9
    assert not list(comparison.folder.trec.rglob("*.chance.run"))


def test_the_summary_is_the_mean_of_the_rows(comparison: Comparison) -> None:
    for summary in comparison.results["summary"]:
        names = {name: summary[name] for name in ("method", "task", "split")}
        rows = rows_of(comparison.results, **names, share=1.0)
        top3 = [row["top3"] for row in rows]
        assert summary["seeds"] == len(rows) == 2
        assert summary["top3"] == pytest.approx(np.mean(top3))
        assert summary["spread_top3"] == pytest.approx(np.std(top3, ddof=1))
        low, high = summary["ci95_top3"]
        assert low <= summary["top3"] <= high


def test_each_method_is_tested_against_base_and_ours_against_all(comparison: Comparison) -> None:
    tests = [
        (t["method"], t["against"])
        for t in comparison.results["tests"]
        if (t["split"], t["task"], t["measure"]) == ("random", "g2t", "top3")
    ]
    others = ["chance", "content", "style", "ours-privileged"]
    assert sorted(tests) == sorted(
        [(m, "base") for m in [*others, "ours"]] + [("ours", m) for m in others]
    )
    for test in comparison.results["tests"]:
        assert test["p"] <= test["p_holm"] <= 1
        means = {
            s["method"]: s["top3"]
            for s in comparison.results["summary"]
            if (s["split"], s["task"]) == (test["split"], test["task"])
        }
        if test["measure"] == "top3":  # the splits' parts are of one size here, whatever the seed
            expected = means[test["method"]] - means[test["against"]]
            assert test["difference"] == pytest.approx(expected, abs=0.02)


def test_falls_curves_and_power_are_of_every_method_and_task(comparison: Comparison) -> None:
    results = comparison.results
    falls = {(f["task"], f["method"], f["split"]) for f in results["flattery"]}
    assert falls == {
        (task, method, "participant")
        for task in ("g2t", "t2g", "g2p")
        for method in CONFIGURATION.methods
    }
    curves = {(c["task"], c["method"], c["share_of"]) for c in results["curves"]}
    assert len(curves) == 3 * 2 * 2
    for curve in results["curves"]:
        assert [point["share"] for point in curve["points"]] == [0.5, 1.0]
        for point in curve["points"]:
            at = {"share": point["share"]} | (
                {} if point["share"] == 1 else {"share_of": "samples"}
            )
            if curve["share_of"] == "samples":
                (row,) = rows_of(
                    results, **{k: curve[k] for k in ("task", "method", "split")}, seed=0, **at
                )
                assert point["measured"] == pytest.approx(row["top3"])
    assert {(p["split"], p["task"]) for p in results["power"]} == {
        (split, task) for split in CONFIGURATION.splits for task in ("g2t", "t2g", "g2p")
    }


def test_people_are_described_once(comparison: Comparison) -> None:
    found = comparison.results["distinctness"]
    assert found["of"] == {"split": "random", "seed": 0}
    assert set(found["spaces"]) == {"base", "content", "style"}
    style_map = found["style_map"]["gaze"]
    assert (
        len(style_map["x"]) == len(style_map["participants"]) == len(set(style_map["participants"]))
    )
    assert set(style_map["traits"]) == {
        *("extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness")
    }


def test_tables_say_what_was_measured(comparison: Comparison) -> None:
    markdown = (comparison.folder.tables / "top3.md").read_text()
    latex = (comparison.folder.tables / "top3.tex").read_text()
    for summary in comparison.results["summary"]:
        text = f"{summary['top3']:.3f} ± {summary['spread_top3']:.3f}"
        assert text in markdown
        assert text.replace("±", r"$\pm$") in latex
    assert latex.count(r"\\") == 2 * (2 + len(CONFIGURATION.methods))
    rows = (comparison.folder.tables / "rows.csv").read_text().splitlines()
    assert len(rows) == 1 + len(comparison.results["rows"])


def test_the_number_of_processes_changes_nothing(
    comparison: Comparison, tiny_study: Study, tmp_path: Path
) -> None:
    again = compare(tiny_study, tmp_path / "again", CONFIGURATION, processes=1, trec=False)
    assert again.folder.results.read_bytes() == comparison.folder.results.read_bytes()


def test_what_is_finished_is_not_computed_again(
    comparison: Comparison, tiny_study: Study, tmp_path: Path
) -> None:
    shutil.copytree(comparison.folder.path, tmp_path / "copy")
    folder = ComparisonFolder(tmp_path / "copy")
    before = {file: file.stat().st_mtime_ns for file in (folder.path / "cells").rglob("*.parquet")}
    assert jobs_left(folder, CONFIGURATION) == []
    more = replace(CONFIGURATION, seeds=(0, 1, 2), methods=("chance", "base"), splits=("random",))
    found = compare(tiny_study, folder.path, more, processes=1)
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())
    assert {row["seed"] for row in found.results["rows"]} == {0, 1, 2}
    first = rows_of(found.results, method="base", seed=1, task="g2t")
    assert first == rows_of(
        comparison.results, method="base", seed=1, task="g2t", split="random", share=1.0
    )


COMMAND = """
import json, sys
from pathlib import Path
from beholder.evaluation.comparison import compare
from beholder.evaluation.comparison.configuration import configuration_of
compare(sys.argv[1], sys.argv[2], configuration_of(json.loads(sys.argv[3])), processes=2)
"""


def begun(
    study: Study, path: Path, configuration: ComparisonConfiguration
) -> subprocess.Popen[Any]:
    asked = json.dumps(configuration.as_json())
    command = [sys.executable, "-c", COMMAND, str(study.path), str(path), asked]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def go_on(study: Path, path: Path, workers: Workers) -> None:
    """Compare in a process of its own; one that a server forks has its libraries already."""
    compare(study, path, CONFIGURATION, workers=workers)


def cells_in(path: Path) -> list[Path]:
    return sorted((path / "cells").rglob("*.parquet"))


def test_killed_twenty_times_it_ends_with_the_same_bytes(
    comparison: Comparison, tiny_study: Study, tmp_path: Path
) -> None:
    """Moments are counted in cells, not in seconds: a busy machine would be killed idle."""
    path = tmp_path / "killed"
    moments = random.Random(0)
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload(["beholder.evaluation.comparison"])
    kills = halfway = 0
    while kills < 20:
        workers: Workers = HERE if kills % 4 else Processes(2)
        process = forked.Process(target=go_on, args=(tiny_study.path, path, workers))
        done = len(cells_in(path))
        process.start()
        wanted = done + moments.randrange(4)
        while process.is_alive() and len(cells_in(path)) < wanted:
            time.sleep(0.01)
        process.join(moments.uniform(0, 0.5))
        if process.is_alive():
            process.kill()
            kills += 1
            halfway += len(cells_in(path)) > 0
        process.join()
        if (path / "results.json").exists():  # it came through: begin somewhere in between
            (path / "results.json").unlink()
            for cell in moments.sample(cells_in(path), 16):
                cell.unlink()
    wait_for_its_workers(path)
    assert halfway > 10
    compare(tiny_study, path, CONFIGURATION, processes=2)
    assert (path / "results.json").read_bytes() == comparison.folder.results.read_bytes()


def wait_for_its_workers(path: Path) -> None:
    """Give the workers of what was killed the moment in which they notice."""
    until = time.monotonic() + 30
    for lock in path.rglob("*.lock"):
        with lock.open("r+") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    assert time.monotonic() < until, f"a worker of what was killed holds {lock}"
                    time.sleep(0.1)


def test_a_removal_that_is_cut_short_leaves_no_half_of_a_run(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed file by file, a run whose configuration went first could never be gone on with."""

    def cut_short(place: Path, ignore_errors: bool = False) -> None:
        file = Path(place) / "run" / "configuration.toml"
        if file.exists():
            file.unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", cut_short)
        compare(tiny_study, tmp_path / "out", SMALLEST, workers=HERE)
    more = replace(SMALLEST, methods=("chance", "base", "content"))
    assert compare(tiny_study, tmp_path / "out", more, workers=HERE).results["rows"]
    assert not (tmp_path / "out" / "work").exists()


def test_a_worker_that_begins_after_its_parent_has_died_ends() -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    worker = subprocess.Popen(
        [sys.executable, "-m", "beholder.work.process", str(gone.pid)],
        stdin=subprocess.PIPE,
    )
    assert worker.wait(timeout=60) == 1  # though its input is still open
    assert worker.stdin is not None
    worker.stdin.close()


def test_workers_end_with_a_killed_parent(tiny_study: Study, tmp_path: Path) -> None:
    process = begun(tiny_study, tmp_path / "killed", CONFIGURATION)
    workers: list[str] = []
    deadline = time.monotonic() + 60
    while not workers and time.monotonic() < deadline:
        time.sleep(0.2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        every = [
            c.read_text().split() for c in Path(f"/proc/{process.pid}/task").glob("*/children")
        ]
        workers = [pid for pids in every for pid in pids]
        assert children.parent.exists()
    process.kill()
    process.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert workers
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_a_comparison_is_not_mixed_with_another(
    comparison: Comparison, tiny_study: Study, tmp_path: Path
) -> None:
    path = comparison.folder.path
    before = comparison.folder.results.read_bytes()
    with pytest.raises(RunError, match="was begun with other tasks: use another folder"):
        compare(tiny_study, path, replace(CONFIGURATION, tasks="g2t"))
    with pytest.raises(RunError, match="was begun with other hyperparameters"):
        compare(tiny_study, path, replace(CONFIGURATION, hyperparameters=replace(QUICK, epochs=1)))
    shutil.copytree(tiny_study.path, tmp_path / "study")
    shutil.copy(tiny_study.path / "participants.parquet", tmp_path / "study" / "other.parquet")
    other = Study.open(tmp_path / "study")
    other.__dict__["fingerprint"] = "another"
    with pytest.raises(RunError, match="was begun on another study"):
        compare(other, path, CONFIGURATION)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="exists already and is no comparison"):
            compare(tiny_study, tmp_path / "precious", CONFIGURATION, overwrite=overwrite)
    assert (tmp_path / "precious" / "thesis.txt").exists()
    with comparison.folder.claimed(), pytest.raises(RunError, match="another process is comparing"):
        compare(tiny_study, path, CONFIGURATION)
    assert comparison.folder.results.read_bytes() == before


OWN = """
from beholder.model.methods import Method

class Own(Method):
    name = "own"

    def fit(self, setting):
        {body}

own = Own()
"""


def test_a_method_of_ones_own_is_compared(tiny_study: Study, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(body="return None"))
    asked = replace(SMALLEST, methods=("chance", "own"), method_files=(str(file),))
    found = compare(tiny_study, tmp_path / "out", asked, processes=1)
    chance, own = found.results["rows"]
    assert chance | {"method": "own"} == own


def test_a_method_that_fails_says_where(tiny_study: Study, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(body="raise ValueError('the moon is full')"))
    asked = replace(SMALLEST, methods=("chance", "own"), method_files=(str(file),))
    with pytest.raises(RuntimeError, match="the moon is full"):
        compare(tiny_study, tmp_path / "out", asked, processes=1)
    file.write_text(OWN.format(body="return None"))  # mended, it goes on
    assert compare(tiny_study, tmp_path / "out", asked, processes=1).results["rows"]


def test_a_training_that_fails_is_told_and_the_others_go_on(
    tiny_study: Study, tmp_path: Path
) -> None:
    wild = replace(QUICK, learning_rate=1e37, warm_up=0.0, objective="hinge-hardest")
    asked = replace(SMALLEST, hyperparameters=wild)
    found = compare(tiny_study, tmp_path / "out", asked, processes=1)
    assert {row["method"] for row in found.results["rows"]} == {"chance"}
    (missing,) = found.results["missing"]
    assert missing["reason"].startswith("base failed: ")
    assert "the base space of gaze and text" in missing["reason"]


def test_a_split_that_the_study_has_not_is_told(tiny_study: Study, tmp_path: Path) -> None:
    strangers = tmp_path / "study"
    shutil.copytree(tiny_study.path, strangers)
    samples = pq.read_table(strangers / "samples.parquet")
    place = samples.schema.get_field_index("participant")
    field = samples.schema.field(place)
    nobody = np.full(samples.num_rows, None)
    import pyarrow as pa

    pq.write_table(
        samples.set_column(place, field, pa.array(nobody, field.type)),
        strangers / "samples.parquet",
    )
    asked = replace(SMALLEST, splits=("random", "participant"), methods=("chance", "style", "base"))
    found = compare(strangers, tmp_path / "out", asked, processes=1)
    assert {(row["method"], row["split"]) for row in found.results["rows"]} == {
        ("chance", "random"),
        ("base", "random"),
    }
    reasons = {(m["method"], m["split"]): m["reason"] for m in found.results["missing"]}
    assert "needs to know who made each sample" in reasons["chance", "participant"]
    assert "needs to know who made each sample" in reasons["style", "random"]
    assert found.results["distinctness"]["absent"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ()}, "at least one of methods"),
        ({"methods": ("base", "base")}, "names something twice"),
        ({"splits": ("random", "odd")}, "unknown split 'odd'"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (-1,)}, "a seed is a whole number from 0"),
        ({"curve": (1.0,)}, "holds the whole training part anyway"),
        ({"curve": (0.0,)}, "a share is above 0"),
        ({"depth": 2}, "depth is a whole number from 3"),
        ({"tasks": "g2x"}, "unknown task"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        replace(SMALLEST, **{"curve_seeds": 1} | options)


def test_an_unknown_method_is_refused_before_anything_is_written(
    tiny_study: Study, tmp_path: Path
) -> None:
    with pytest.raises(BeholderError, match="unknown method 'hours'"):
        compare(tiny_study, tmp_path / "out", replace(SMALLEST, methods=("hours",)))
    assert not (tmp_path / "out").exists()
