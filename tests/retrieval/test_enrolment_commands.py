"""The command that enrols, as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from made_stores import Places
from PIL import Image
from test_retrieval_commands import as_json, refused, run

from beholder.model import Run
from beholder.retrieval import EmbeddedStore, index
from beholder.study import Study

SURVEY = "4,4,1,2,3,4,2,1,5,3"


@pytest.fixture
def store(tiny_store: EmbeddedStore, tmp_path: Path) -> Path:
    shutil.copytree(tiny_store.path, tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def samples(tiny_study: Study, tmp_path: Path) -> Path:
    """A table of three samples, one of a new image in the folder photos."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "photos" / "red.png")
    (tmp_path / "gaze.csv").write_text("x,y\n0.5,0.5\n0.2,0.3\n")
    first, second = tiny_study.images.column("image").to_pylist()[:2]
    file = tmp_path / "samples.csv"
    file.write_text(
        f"image,text,gaze,mood\n{first},a dog on a street,gaze.csv,\n{second},two boats,,glad\n"
        "red.png,something red,gaze.csv,\n"
    )
    return file


def test_a_person_comes_searches_and_goes(store: Path, samples: Path) -> None:
    before = as_json("search", store, "--text", "a dog", "--find", "gaze")
    words = ["enrol", store, "--name", "she", "--samples", samples]
    words += ["--images", samples.parent / "photos", "--survey", SURVEY]
    made = as_json(*words)
    assert (made["participant"], made["samples"], made["has_survey"]) == ("she", 3, True)
    assert [one["modality"] for one in made["certainty"]] == ["gaze", "text"]
    assert made["certainty"][1]["people"] == 13
    assert made["store"] == str(store)
    asked = ["search", store, "--text", "a dog", "--find", "gaze"]
    assert as_json(*asked, "--as", "she")["answers"] != before["answers"]
    assert as_json(*asked, "--only", "split=enrolled")["candidates"] == 2
    assert "she is enrolled already" in refused(*words)
    gone = as_json("enrol", store, "--name", "she", "--undo")
    assert (gone["samples"], gone["images"]) == (3, ["red.png"])
    assert as_json(*asked) == before
    printed = " ".join(run(*words).split())
    assert "she stands in" in printed
    assert "by 3 samples and a survey" in printed
    assert "nearest people" in printed
    assert "columns not used: mood" not in printed  # it is said on standard error
    undone = " ".join(run("enrol", store, "--name", "she", "--undo").split())
    assert "she is gone, with 3 samples and the images red.png" in undone


def test_more_samples_are_added(
    store: Path, samples: Path, tmp_path: Path, tiny_study: Study
) -> None:
    one = tmp_path / "one.jsonl"
    third = tiny_study.images.column("image")[2].as_py()
    one.write_text(json.dumps({"image": third, "text": "a boat"}))
    printed = " ".join(run("enrol", store, "--name", "she", "--samples", one).split())
    assert "by 1 sample and no survey" in printed
    assert "cannot be judged from one sample" in printed
    words = ("enrol", store, "--name", "she", "--samples", samples, "--add")
    assert as_json(*words, "--images", tmp_path / "photos")["samples"] == 4


def test_a_person_of_another_study_comes_with_their_survey(
    store: Path, tiny_study: Study, tmp_path: Path
) -> None:
    assert "p004 is a participant of the study" in refused(
        "enrol", store, "--name", "p004", "--samples", tiny_study.path
    )
    run("forget", store, "p004")
    made = as_json("enrol", store, "--name", "p004", "--samples", tiny_study.path)
    assert (made["samples"], made["has_survey"]) == (16, True)
    run("enrol", store, "--name", "p004", "--undo")
    other = tmp_path / "other"
    shutil.copytree(tiny_study.path, other)
    toml = (other / "instrument.toml").read_text()
    (other / "instrument.toml").write_text(toml.replace("reserved", "shy"))
    assert toml != (other / "instrument.toml").read_text()
    made = as_json("enrol", store, "--name", "p004", "--samples", other)
    assert not made["has_survey"]


def test_a_store_on_a_server_is_named_by_its_url(
    tiny_run: Run, server_places: Places, samples: Path
) -> None:
    url = server_places()
    index(tiny_run, url)
    words = ("enrol", url, "--name", "she", "--samples", samples)
    made = as_json(*words, "--images", samples.parent / "photos")
    assert made["samples"] == 3
    assert as_json("enrol", url, "--name", "she", "--undo")["images"] == ["red.png"]


def test_mistakes_are_one_sentence(store: Path, samples: Path, tmp_path: Path) -> None:
    enrol = ("enrol", store, "--name", "she")
    whole = (*enrol, "--samples", samples, "--images", tmp_path / "photos")
    sentences = {
        "--samples says what there is": enrol,
        "--undo goes with --name alone": (*enrol, "--undo", "--samples", samples),
        "--undo goes with --name": (*enrol, "--undo", "--add"),
        "Missing option '--name'": ("enrol", store, "--samples", samples),
        "'1,two' is no list of whole numbers": (*enrol, "--samples", samples, "--survey", "1,two"),
        "has 10 items, but the answers": (*whole, "--survey", "1,2"),
        "row 4, column image: found 'red.png', expected an image of the store": (
            *enrol,
            "--samples",
            samples,
        ),
        "no participant 'she'": (*enrol, "--undo"),
        "p001 is of the study": ("enrol", store, "--name", "p001", "--undo"),
        "is no store": ("enrol", tmp_path, "--name", "she", "--samples", samples),
    }
    for sentence, words in sentences.items():
        assert sentence in refused(*words), words
    with EmbeddedStore.open(store).read() as snapshot:
        assert snapshot.counts() == {"samples": 192, "participants": 12, "images": 16}
