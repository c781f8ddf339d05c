"""Two hundred people at once, and a server that dies ten times: python -m benchmarks.collect.

Simulated participants take part in `beholder collect serve`, on SQLite and on PostgreSQL, all on
this machine. First at four times people's pace, while the server is killed with SIGKILL ten times
and started again; then without any pause, to see what it holds. There are fewer seats than people.
After each run every acknowledged record must be there once, as it was sent, no set may have more
viewers than it wants, and the study must be exported and trained on. PostgreSQL runs with its
defaults (fsync on) from the binaries that are found; without any it is left out, saying so.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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
from beholder.collect.store import open_store
from beholder.study.simulation import Scene, compose_scene, draw_scene
from benchmarks.commands import beholder, write_results
from benchmarks.postgres import PostgresAbsentError, running_postgres

PEOPLE = 200
SETS, SET_SIZE, VIEWERS = 9, 6, 20  # 180 seats
KILLS = 10
SIZE = (640, 480)
RATES = Rates(reload=0.03, double_send=0.05, abandon=0.02, leave=0.02)

DEFINITION = """
schema_version = 1
name = "crowd"
title = "Pictures"
languages = ["en"]
consent = { version = "1", text = "Do you agree?" }
practice = [{ image = "practice.jpg" }]
validation = [{ image = "check.jpg", areas = [@AREA@] }]
survey = { instrument = "ipip-10" }
platforms = { allowed = ["prolific"] }
completion = { codes = { complete = "C0DE" } }

[images]
folder = "images"
viewers = @VIEWERS@
set_size = @SIZE@

[[tasks]]
name = "look"
kind = "bubbles"
blur = "4%"
bubble_radius = "6%"
minimum_clicks = 5
maximum_clicks = 60

[[tasks]]
name = "describe"
kind = "caption"
prompt = "Describe the picture."
minimum_characters = 10
"""


def main() -> None:
    results: list[dict[str, Any]] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        root = Path(scratch)
        databases: dict[str, Any] = {"SQLite": None}
        try:
            databases["PostgreSQL"] = stack.enter_context(running_postgres())
        except PostgresAbsentError as error:
            notes.append(f"PostgreSQL was left out: {error}.")
        for name, postgres in databases.items():
            for pace, speed, kills in (("four times people's", 4.0, KILLS), ("no pauses", 0.0, 0)):
                folder = root / f"{name}-{kills}"
                write_study(folder)
                url = postgres.new_database() if postgres else None
                print(f"{name}, {pace} …", flush=True)
                busy = round(os.getloadavg()[0], 1)  # of whoever else uses the machine
                facts = run(Server(folder, url), speed, kills)
                facts |= {"pace": pace, "kills": kills, "load_before": busy}
                results.append({"database": name, **facts})
    write_results(
        "collect", {"people": PEOPLE, "runs": results, "notes": notes}, table(results, notes)
    )


def write_study(folder: Path) -> None:
    """Write a study whose scenes are known, so that its clicks and texts mean something."""
    images = folder / "images"
    images.mkdir(parents=True)
    generator = np.random.default_rng(7)
    scenes: dict[str, Scene] = {}
    names = [f"{number:03d}" for number in range(SETS * SET_SIZE)]
    for name in (*names, "practice", "check"):
        scene = scenes[f"{name}.jpg"] = compose_scene(generator)
        draw_scene(scene, *SIZE, generator).save(images / f"{name}.jpg", quality=90)
    write_scenes(images / SCENES_FILE, scenes)
    item = scenes["check.jpg"].objects[0]
    box = {"x": item.x, "y": item.y, "width": item.width, "height": item.height}
    area = ", ".join(f"{key} = {value:.4f}" for key, value in box.items())
    text = DEFINITION.replace("@AREA@", f"{{ {area} }}")
    text = text.replace("@VIEWERS@", str(VIEWERS)).replace("@SIZE@", str(SET_SIZE))
    (folder / "definition.toml").write_text(text, "utf-8")


@dataclass
class Server:
    """The server in a process of its own, on one port however often it is killed."""

    folder: Path
    database: str | None
    port: int = 0
    seconds_away: float = 0.0

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.definition = load_definition(self.folder / "definition.toml")
        self.address = f"http://127.0.0.1:{self.port}/"
        self.url = self.database or f"sqlite:///{self.folder / 'data' / 'collect.sqlite'}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "beholder", "collect", "serve", "definition.toml"]
        command += ["--port", str(self.port), "--data", "data", "--key-file", "key"]
        command += ["--database", self.url]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        if not self.process.stdout.readline().startswith("ready on "):
            raise SystemExit((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def die_and_rise(self) -> None:
        begun = time.monotonic()
        self.kill()
        self.start()
        self.seconds_away += time.monotonic() - begun


class Counted(Truth):
    """The truth, and how many records were acknowledged so far."""

    acknowledged = 0

    def note(self, event: str, **facts: Any) -> None:
        super().note(event, **facts)
        self.acknowledged += bool(facts.get("acknowledged"))


def run(server: Server, speed: float, kills: int) -> dict[str, Any]:
    """Let the crowd take part, check what is left, train on it; return what was measured."""
    file = server.folder / "truth.jsonl"
    seats = SETS * VIEWERS
    saves_expected = seats * (SET_SIZE + 3)  # practice, validation and the survey
    with Counted(file) as truth:
        over = threading.Event()

        def killing() -> None:
            for number in range(kills):
                while truth.acknowledged < saves_expected * (number + 0.5) / (kills + 1):
                    if over.wait(0.05):
                        return
                server.die_and_rise()

        killer = threading.Thread(target=killing)
        killer.start()
        world = World(Scenery(server.definition), truth, RATES, "prolific", speed)
        report: CrowdReport = simulate_crowd(
            server.address,
            world,
            participants=PEOPLE,
            concurrency=PEOPLE,
            seed=1,
            patience=Patience(give_up_s=600),
        )
        over.set()
        killer.join()
    server.kill()
    store = open_store(server.url, server.definition)
    wrong = list(faults(store, read_truth(file)))
    fullest = max((s.complete + s.active) / s.wanted for s in store.set_counts())
    store.close()
    if wrong:
        raise SystemExit(f"{len(wrong)} faults, such as: {wrong[0]}")
    study, trained = server.folder / "study", server.folder / "run"
    place = (server.folder / "definition.toml", study, "--data", server.folder / "data")
    exported, _ = beholder("collect", "export", *place, "--database", server.url)
    beholder("train", study, trained, "--method", "base", "--set", "epochs=3")
    scores, _ = beholder("evaluate", trained)
    top3 = {task: facts["top3"] for task, facts in scores["tasks"].items()}
    return {
        **report.as_json(),
        "seconds_away": round(server.seconds_away, 1),
        "faults": 0,
        "fullest_set": fullest,
        "exported_samples": exported["samples"],
        "top3_after_3_epochs": top3,
    }


def table(results: list[dict[str, Any]], notes: list[str]) -> str:
    lines = [
        f"{PEOPLE} simulated participants at once, {SETS * VIEWERS} seats; the participants and "
        "the database run on the same machine as the server.",
        "",
        "| database | pace | kills | saves | saves a second | median ms | 99th percentile ms "
        "| tried again | complete | faults | fullest set | samples exported and trained on "
        "| load average before |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['database']} | {r['pace']} | {r['kills']} | {r['saves']:,} "
        f"| {r['saves_a_second']} | {r['save_p50_ms']} | {r['save_p99_ms']} "
        f"| {r['retried_saves']} | {r['outcomes'].get('complete', 0)} | {r['faults']} "
        f"| {r['fullest_set']:.0%} | {r['exported_samples']:,} | {r['load_before']} |"
        for r in results
    ]
    lines += [
        "",
        "A save's time is that of the answer that acknowledged it. Faults: acknowledged records "
        "that are missing, double or other than sent, and sets with more viewers than wanted.",
        *notes,
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
