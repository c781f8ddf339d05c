"""Simulated people take part in the real server, which is killed on the way."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from beholder.collect.commands import collect
from beholder.collect.database.models import RecordingRow, TrialRow
from beholder.collect.definition import Area
from beholder.collect.export import export_study
from beholder.collect.images import ImageCache
from beholder.collect.loading import load_definition
from beholder.collect.simulation import (
    SCENES_FILE,
    CrowdReport,
    Patience,
    Rates,
    Scenery,
    Truth,
    World,
    faults,
    read_truth,
    simulate_crowd,
    write_scenes,
)
from beholder.collect.simulation.people import draw_participant
from beholder.collect.store import Store, open_store
from beholder.errors import ConfigurationError, StudyError
from beholder.study import Study
from beholder.study.gaze import Points
from beholder.study.simulation import Scene, compose_scene, draw_scene

PEOPLE = 20

DEFINITION = """
schema_version = 1
name = "crowd"
title = "Pictures"
languages = ["en"]
consent = { version = "1", text = "Do you agree?" }
images = { folder = "images", viewers = 12, set_size = 3 }
practice = [{ image = "practice.jpg" }]
validation = [{ image = "check.jpg", areas = [@AREA@] }]
survey = { instrument = "ipip-10" }
platforms = { allowed = ["prolific"] }
completion = { codes = { complete = "C0DE" } }

[[tasks]]
name = "look"
kind = "bubbles"
blur = "4%"
bubble_radius = "6%"
minimum_clicks = 4
maximum_clicks = 40

[[tasks]]
name = "describe"
kind = "caption"
prompt = "Describe it."
minimum_characters = 20
"""


def write_study(folder: Path) -> None:
    """Write a study whose scenes are known."""
    images = folder / "images"
    images.mkdir()
    generator = np.random.default_rng(5)
    scenes: dict[str, Scene] = {}
    for name in (*"123456", "practice", "check"):
        scene = scenes[f"{name}.jpg"] = compose_scene(generator)
        draw_scene(scene, 160, 120, generator).save(images / f"{name}.jpg", quality=90)
    write_scenes(images / SCENES_FILE, scenes)
    item = scenes["check.jpg"].objects[0]
    box = {"x": item.x, "y": item.y, "width": item.width, "height": item.height}
    area = ", ".join(f"{key} = {value:.4f}" for key, value in box.items())
    text = DEFINITION.replace("@AREA@", f"{{ {area} }}")
    (folder / "definition.toml").write_text(text, "utf-8")


class Server:
    """`beholder collect serve` on one port, however often it is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "beholder", "collect", "serve", "definition.toml"]
        command += ["--port", str(self.port), "--data", "data", "--key-file", "key"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("ready on "), (
            self.folder / "log"
        ).read_text()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def open_store(self) -> Store:
        definition = load_definition(self.folder / "definition.toml")
        return open_store(f"sqlite:///{self.folder / 'data' / 'collect.sqlite'}", definition)


class Crowd:
    """What a crowd did: its report, the truth, and the server's folder."""

    def __init__(self, folder: Path) -> None:
        write_study(folder)
        self.server = server = Server(folder)
        self.definition = load_definition(folder / "definition.toml")
        self.file = folder / "truth.jsonl"
        reports: list[CrowdReport] = []
        rates = Rates(reload=0.1, double_send=0.2, abandon=0.1, leave=0.1)

        def take_part(truth: Truth) -> None:
            world = World(Scenery(self.definition), truth, rates, "prolific")
            patience = Patience(first_s=0.05, longest_s=0.5, give_up_s=60)
            numbers = {"participants": PEOPLE, "concurrency": 10, "seed": 1}
            reports.append(simulate_crowd(server.url, world, patience=patience, **numbers))

        try:
            with Truth(self.file) as truth:
                crowd = threading.Thread(target=take_part, args=(truth,))
                crowd.start()
                self._kill_amid(server)
                crowd.join(120)
        finally:
            server.kill()
        [self.report] = reports
        self.truth = read_truth(self.file)

    def _kill_amid(self, server: Server) -> None:
        deadline = time.monotonic() + 60
        while '"acknowledged": true' not in self.file.read_text("utf-8"):
            assert time.monotonic() < deadline, "nobody was acknowledged"
            time.sleep(0.02)
        time.sleep(0.3)
        server.kill()
        server.start()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    return Crowd(tmp_path_factory.mktemp("crowd"))


@pytest.fixture
def store(crowd: Crowd) -> Iterator[Store]:
    opened = crowd.server.open_store()
    yield opened
    opened.close()


def test_all_that_was_acknowledged_is_there_once(crowd: Crowd, store: Store) -> None:
    assert list(faults(store, crowd.truth)) == []
    with store.database.reading() as db:
        planned = db.query(TrialRow.session_id, TrialRow.position).all()
        assert len(set(planned)) == len(planned)
        recorded = db.query(RecordingRow.trial_id).all()
    acknowledged = {one["trial"] for one in crowd.truth["trial"] if one["acknowledged"]}
    assert acknowledged <= {trial for (trial,) in recorded}
    assert crowd.report.double_sends > 0 and crowd.report.reloads > 0
    assert crowd.report.retried_saves > 0  # the server was away for some of them


def test_everybody_came_to_an_end_that_their_whims_allow(crowd: Crowd) -> None:
    ends = {one["participant"]: one["outcome"] for one in crowd.truth["end"]}
    assert len(ends) == PEOPLE == crowd.report.participants
    assert set(ends.values()) <= {"complete", "left", "abandoned", "full"}
    assert crowd.report.outcomes["complete"] >= PEOPLE / 2
    codes = {one["code"] for one in crowd.truth["end"] if one["outcome"] == "complete"}
    assert codes == {"C0DE"}


def test_the_exported_study_is_what_people_did(crowd: Crowd, store: Store, tmp_path: Path) -> None:
    export_study(store, ImageCache(crowd.definition, tmp_path / "cache"), tmp_path / "study")
    study = Study.open(tmp_path / "study")
    people = {one["participant"]: one for one in crowd.truth["participant"]}
    done = {one["participant"] for one in crowd.truth["end"] if one["outcome"] == "complete"}
    names = {row.session: row.participant for row in store.participants()}
    shown = {"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"}
    expected = {}
    for one in crowd.truth["trial"]:
        if one["participant"] in done and not one["acknowledged"] and one["image"] in shown:
            who = names[people[one["participant"]]["session"]]
            looked, wrote = one["record"]["tasks"]
            expected[who, one["image"]] = (looked["clicks"], wrote["text"])
    assert len(study) == len(expected) == 3 * len(done)
    for sample in study:
        clicks, text = expected.pop((sample.participant, sample.image))
        assert sample.text == text and isinstance(sample.gaze, Points)
        for axis in ("x", "y"):
            sent = np.array([click[axis] for click in clicks], dtype=np.float32)
            np.testing.assert_array_equal(getattr(sample.gaze, axis), sent)
    surveys = {
        names[people[one["participant"]]["session"]]: one["record"]["answers"]
        for one in crowd.truth["survey"]
        if not one["acknowledged"]
    }
    assert study.instrument is not None
    for participant, answers in zip(
        study.participants.column("participant").to_pylist(), study.answers, strict=True
    ):
        sent = [surveys[participant][item.key] for item in study.instrument.items]
        np.testing.assert_array_equal(answers, sent)


def test_nobody_is_known_by_a_platforms_id(crowd: Crowd) -> None:
    data = b"".join(
        f.read_bytes() for f in (crowd.server.folder / "data").rglob("*") if f.is_file()
    )
    data += (crowd.server.folder / "log").read_bytes()
    for one in crowd.truth["participant"]:
        for identity in one["entry"].values():
            assert set(identity) == {"0"} or identity.encode() not in data


def test_traits_are_known_and_follow_the_seed(crowd: Crowd) -> None:
    for one in crowd.truth["participant"]:
        person = draw_participant(one["participant"], 1, Rates())
        assert one["traits"] == person.traits.tolist() and one["worker"] == person.worker
    assert len({one["worker"] for one in crowd.truth["participant"]}) == PEOPLE


def test_every_fault_is_found(crowd: Crowd, store: Store) -> None:
    def broken(change: Any) -> str:
        truth = copy.deepcopy(crowd.truth)
        change(truth)
        return " / ".join(faults(store, truth))

    def forget(truth: Any) -> None:
        truth["participant"].pop()

    def more(truth: Any) -> None:
        sent = next(one for one in truth["trial"] if not one["acknowledged"])
        truth["trial"] += [sent | {"trial": "new"}, {"trial": "new", "acknowledged": True}]

    def other(truth: Any) -> None:
        sent = next(one for one in truth["trial"] if not one["acknowledged"])
        sent["record"]["tasks"][0]["clicks"][0]["x"] += 1e-12

    def answers(truth: Any) -> None:
        truth["survey"][0]["record"]["answers"]["party"] = 9

    assert "belongs to nobody" in broken(forget)
    assert "trial new was acknowledged and is not there" in broken(more)
    assert "is not what participant" in broken(other)
    assert "the survey of participant" in broken(answers)


def test_images_are_recognised_by_their_looks(crowd: Crowd, tmp_path: Path) -> None:
    scenery = Scenery(crowd.definition)
    images = ImageCache(crowd.definition, tmp_path)
    for name in ("1.jpg", "check.jpg", "practice.jpg"):
        sight = scenery.sight(images.prepared(name).sharp.read_bytes())
        assert sight.name == name
        assert all(isinstance(area, Area) for area in sight.areas)
        assert bool(sight.areas) == (name == "check.jpg")
    scenes = json.loads((crowd.definition.image_folder / SCENES_FILE).read_text())
    seen = scenery.sight(images.prepared("1.jpg").sharp.read_bytes())
    assert seen.scene.setting == scenes["1.jpg"]["setting"]
    stranger = np.zeros((30, 40, 3), dtype=np.uint8)
    assert scenery.sight(_png(stranger)).name is None
    assert Scenery().sight(_png(stranger)) == Scenery().sight(_png(stranger))


def test_whoever_is_not_there_is_waited_for_only_so_long() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    world = World(Scenery(), Truth(None), Rates())
    patience = Patience(first_s=0.01, longest_s=0.02, give_up_s=0.1)
    with pytest.raises(ConfigurationError, match="had no answer"):
        simulate_crowd(url, world, participants=2, concurrency=2, patience=patience)
    for wrong in ("study.example", "ftp://x/", "http://x/?token=1"):
        with pytest.raises(ConfigurationError, match="is not an address"):
            simulate_crowd(wrong, world, participants=1, concurrency=1)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_are_probabilities(rate: float) -> None:
    with pytest.raises(ConfigurationError, match="reload is a probability"):
        Rates(reload=rate)


def test_the_command_drives_signals_and_exports(crowd: Crowd, tmp_path: Path) -> None:
    """The commands work on what the crowd left, each in a process of its own."""
    base = [sys.executable, "-m", "beholder", "collect"]
    place = [
        str(crowd.server.folder / "definition.toml"),
        "--data",
        str(crowd.server.folder / "data"),
    ]

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [*base, *arguments, "--json"], capture_output=True, text=True, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    complete = crowd.report.outcomes["complete"]
    assert len(run("signals", *place)["sessions"]) == complete
    study, tables, bids = (str(tmp_path / name) for name in ("study", "tables", "bids"))
    report = run("export", *place, study, "--csv", tables, "--bids", bids)
    assert report["participations"] == complete and report["samples"] == 3 * complete
    assert (tmp_path / "tables" / "clicks.csv").is_file()
    assert (tmp_path / "bids" / "dataset_description.json").is_file()
    copied = tmp_path / "data"
    shutil.copytree(crowd.server.folder / "data", copied)
    where = [place[0], "--data", str(copied)]
    person = run("signals", *where)["sessions"][0]["participant"]
    unknown = CliRunner().invoke(collect, ["withdraw", *where, "nobody"])
    assert isinstance(unknown.exception, StudyError) and unknown.output == ""  # it asked nothing
    gone = run("withdraw", *where, person, "--yes")
    assert gone["counts"]["participants"] == 1 and study in gone["elsewhere"]
    assert len(run("signals", *where)["sessions"]) == complete - 1


def test_the_commands_refuse_what_cannot_be_meant(tmp_path: Path) -> None:
    write_study(tmp_path)
    definition = str(tmp_path / "definition.toml")
    for arguments, sentence in (
        (["simulate", "http://127.0.0.1:1/", "--url", "http://127.0.0.1:1/"], "--url goes with"),
        (["simulate", definition, "--url", "127.0.0.1"], "is not an address"),
        (["signals", definition], "holds no collect.sqlite"),
        (["export", definition, str(tmp_path / "study")], "holds no collect.sqlite"),
        (["withdraw", definition, "p0", "--yes"], "holds no collect.sqlite"),
    ):
        result = CliRunner().invoke(collect, arguments)
        assert isinstance(result.exception, ConfigurationError)
        assert sentence in str(result.exception)


def _png(pixels: Any) -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
