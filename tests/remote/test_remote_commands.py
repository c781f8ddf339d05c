"""The command from end to end, with studies and runs that lie on object storage."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beholder.cli import beholder as group
from beholder.errors import RunError, StudyError
from beholder.model import Run
from beholder.remote import publish
from beholder.study import Study

SMALL = ("--set", "hidden=16", "--set", "dimensions=8", "--set", "epochs=2", "--set", "refit=1")
MADE = ("--participants", "4", "--images", "20")


def beheld(*words: str | Path) -> Result:
    result = CliRunner().invoke(group, [str(word) for word in words], catch_exceptions=True)
    assert "Traceback" not in result.output
    return result


def done(*words: str | Path) -> str:
    result = beheld(*words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.stdout


def forget_everything(cache: Path) -> None:
    """Be another machine: what is cached here is unknown there."""
    cache.rename(cache.with_name(f"cache-{time.monotonic_ns()}"))


@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_the_whole_path_on_object_storage(protocol: str, tmp_path: Path, cache: Path) -> None:
    where = f"file://{tmp_path}/storage" if protocol == "file" else "memory://bucket"
    study, run = f"{where}/study", f"{where}/run"
    done("simulate", study, *MADE)
    assert isinstance(beheld("simulate", study, *MADE).exception, StudyError)
    forget_everything(cache)
    assert json.loads(done("inspect", study, "--json"))["counts"]["samples"] == 80
    trained = json.loads(done("train", study, run, *SMALL, "--tasks", "g2t", "--json"))
    assert trained["run"] == run
    assert trained["study_path"] == study
    forget_everything(cache)
    scores = json.loads(done("evaluate", run, "--json", "--report", tmp_path / "report.html"))
    assert list(scores["tasks"]) == ["g2t"]
    forget_everything(cache)
    opened = Run.open(run)
    kept = json.loads((opened.path / "evaluation.json").read_text())
    assert kept == scores, "the scores went back to where the run is"
    assert opened.study.origin == study
    assert opened.embed(text=["a dog"]).shape[0] == 1
    made = json.loads(done("index", run, tmp_path / "store", "--json"))
    assert (made["run"], made["samples"]) == (run, 80)
    found = json.loads(done("search", tmp_path / "store", "--text", "a dog", "--json"))
    assert found["answers"]
    if protocol == "file":  # the workers are other processes
        few = ("--tasks", "g2t", "--methods", "chance", "--splits", "random", "--seeds", "0")
        words = ("--curve", "", "--processes", "1", "--no-examples", "--no-trec")
        results = json.loads(done("compare", study, tmp_path / "out", *few, *words, "--json"))
        assert {row["method"] for row in results["rows"]} == {"chance"}


def test_a_study_is_read_to_storage_and_is_the_same_study(source: Path, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/storage/pilot"
    done("read", "tables", source, url)
    done("read", "tables", source, tmp_path / "pilot")
    there, here = Study.open(url), Study.open(tmp_path / "pilot")
    assert there.fingerprint == here.fingerprint
    assert there.info == here.info, "it is named by its address"
    assert there.image_path(0).read_bytes() == here.image_path(0).read_bytes()
    assert there.path.is_relative_to(tmp_path / "cache")
    (source / "samples.csv").write_text("participant,image,text\np0,absent.png,x\n")
    refused = beheld("read", "tables", source, url, "--overwrite")
    assert isinstance(refused.exception, StudyError)
    assert Study.open(url).fingerprint == here.fingerprint, "the old one is there, whole"


def test_a_published_study_is_opened_as_it_was(tiny_study: Study) -> None:
    publish(tiny_study.path, "memory://bucket/tiny", "study")
    opened = Study.open("memory://bucket/tiny")
    assert opened.fingerprint == tiny_study.fingerprint
    assert opened.origin == "memory://bucket/tiny"
    assert tiny_study.origin is None
    with pytest.raises(RunError, match="memory://bucket/tiny is a study, not a run"):
        Run.open("memory://bucket/tiny")
    with pytest.raises(StudyError, match="memory://bucket/none is not a study"):
        Study.open("memory://bucket/none")


def test_what_a_mirror_lacks_is_told_in_the_words_of_the_address(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.toml").write_text("schema_version = 7")
    publish(tmp_path / "study", "memory://bucket/old", "study")
    with pytest.raises(StudyError, match=r"^memory://bucket/old/study\.toml has schema version 7"):
        Study.open("memory://bucket/old")


def test_where_a_folder_is_meant_an_address_is_refused(tmp_path: Path) -> None:
    for words in (
        ("compare", tmp_path, "s3://bucket/comparison"),
        ("read", "tables", "https://user:SECRET@host/export?sig=SECRET", tmp_path / "study"),
        ("inspect", tmp_path, "--coverage", "s3://bucket/c.csv"),
    ):
        result = beheld(*words)
        assert result.exit_code == 2
        assert "is no path on this machine" in result.output
        assert "SECRET" not in result.output


def test_a_finished_run_is_kept_unless_overwritten(tiny_study: Study) -> None:
    words = ("train", tiny_study.path, "memory://bucket/run", *SMALL, "--tasks", "g2t")
    words = (*words, "--method", "base")
    done(*words)
    refused = beheld(*words)
    assert str(refused.exception) == (
        "memory://bucket/run exists already; pass --resume or --overwrite"
    )
    done(*words, "--resume")
    done(*words, "--overwrite", "--seed", "1")
    assert Run.open("memory://bucket/run").configuration.seed == 1
    nothing = beheld("train", tiny_study.path, "memory://bucket/absent", "--resume")
    assert str(nothing.exception) == "memory://bucket/absent holds no run to resume"
    assert isinstance(beheld("evaluate", "memory://bucket/absent").exception, RunError)
