"""The commands of retrieval, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from made_stores import Places

from beholder.cli import beholder
from beholder.errors import BeholderError
from beholder.model import Run
from beholder.retrieval import EmbeddedStore
from beholder.study import Study


def run(*words: str | Path) -> str:
    done = CliRunner().invoke(beholder, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(*words: str | Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run(*words, "--json"))
    return result


def refused(*words: str | Path) -> str:
    """Return the sentence with which the command ends."""
    done = CliRunner().invoke(beholder, list(map(str, words)))
    assert done.exit_code != 0
    if isinstance(done.exception, SystemExit):  # a mistake in the words themselves
        return done.output
    assert isinstance(done.exception, BeholderError | OSError), done.exception
    return str(done.exception)


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    file = tmp_path / "clicks.csv"
    file.write_text("x,y\n0.5,0.5\n0.2,0.3\n")
    return file


def test_a_run_is_indexed_searched_and_forgotten(
    tiny_run: Run, tiny_study: Study, clicks: Path, place: str
) -> None:
    store = place
    made = as_json("index", tiny_run.path, store)
    assert (made["samples"], made["participants"], made["images"]) == (192, 12, 16)
    assert "exists already" in refused("index", tiny_run.path, store)
    assert "192 samples" in run("index", tiny_run.path, store, "--overwrite")
    image = tiny_study.image_path(0)
    words = ["search", store, "--gaze", clicks, "--image", image, "--text", "a dog"]
    words += ["--personality", "4,4,1,2,3,4,2,1,5,3", "--weight", "text=2", "--as", "p001"]
    words += ["--only", "split=test", "--only", "openness=1:5", "--top", "3", "--offset", "1"]
    found = as_json(*words)
    assert found["candidates"] > 3
    assert [answer["rank"] for answer in found["answers"]] == [2, 3, 4]
    for answer in found["answers"]:
        assert answer["item"]["part"] == "test"
        assert answer["chance_rank"] == (found["candidates"] + 1) / 2
        assert set(answer["parts"]) == {"base", "content", "style", "popularity"}
        assert set(answer["by_modality"]) == {"gaze", "text", "personality"}
    printed = run(*words)
    assert found["answers"][0]["item"]["participant"] in printed
    assert "by chance an answer stands at" in printed
    for find in ("gaze", "personality", "participants", "images"):
        asked = ("search", store, "--text", "a dog", "--find", find, "--top", "2")
        assert len(as_json(*asked)["answers"]) == 2
        assert f"{find}: 1 to 2 of" in run(*asked)
    assert found["store"] == made["store"]
    receipt = as_json("forget", store, "p001")
    assert receipt["samples"] == 16
    assert receipt["searches"] > 0
    assert "no participant 'p001'" in refused(*words)
    assert "p002 is removed from" in run("forget", store, "p002")
    assert "none of 160" in run("search", store, "--text", "a", "--offset", "5000")


def test_mistakes_are_one_sentence(tiny_store: EmbeddedStore, clicks: Path) -> None:
    store = tiny_store.path
    sentences = {
        "is no store": ("search", clicks.parent, "--text", "a"),
        "a query is": ("search", store),
        "with the image": ("search", store, "--gaze", clicks),
        "no image 'nowhere.png'": ("search", store, "--gaze", clicks, "--image", "nowhere.png"),
        "No such file": ("search", store, "--gaze", clicks.parent / "no", "--image", "a"),
        "no list of whole numbers": ("search", store, "--personality", "1,two"),
        "is not such as text=2": ("search", store, "--text", "a", "--weight", "text"),
        "is not NAME=VALUE": ("search", store, "--text", "a", "--only", "test"),
        "a name is one of": ("search", store, "--text", "a", "--only", "age=3"),
        "no split part 'exam'": ("search", store, "--text", "a", "--only", "split=exam"),
        "no participant 'nobody'": ("forget", store, "nobody"),
    }
    for sentence, words in sentences.items():
        assert sentence in refused(*words), words


def test_the_command_itself_ends_with_status_2(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "beholder", "search", str(tmp_path), "--text", "a"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"beholder: {tmp_path} is no store: it has no store.sqlite\n"


def test_no_password_is_ever_shown(tiny_run: Run, server_places: Places) -> None:
    url = server_places()
    store = url.replace("postgres@", "postgres:hush-7741@")
    outputs = [
        run("index", tiny_run.path, store),
        refused("index", tiny_run.path, store),
        run("search", store, "--text", "a dog", "--json"),
        run("forget", store, "p001"),
        refused("forget", store, "nobody"),
        refused("search", store + "-not-there", "--text", "a"),
        refused("search", f"{store}&colour=red", "--text", "a"),
    ]
    assert not any("hush-7741" in output for output in outputs)
    assert all("schema=" in output for output in outputs)


def test_the_command_says_what_is_wrong_with_a_url() -> None:
    words = [sys.executable, "-m", "beholder", "search"]
    words += ["postgresql://ada:hush-7741@127.0.0.1:1/gaze", "--text", "a"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("beholder: postgresql://ada@127.0.0.1:1/gaze?schema=beholder ")
    assert done.stderr.count("\n") == 1
    assert "hush" not in done.stderr


def test_a_text_without_words_and_an_empty_range_are_refused(tiny_store: EmbeddedStore) -> None:
    assert "no word" in refused("search", tiny_store.path, "--text", " ")
    words = ("search", tiny_store.path, "--text", "a dog", "--only", "openness=5:1")
    assert "nobody is between" in refused(*words)
