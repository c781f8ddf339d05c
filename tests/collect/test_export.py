"""What is exported is what was sent: to the bit, in every form, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_study import Person, Turned, new_sessions, trial_record

from beholder.collect.definition import Definition
from beholder.collect.export import (
    Archives,
    Choice,
    export_bids,
    export_study,
    export_tables,
    select_sessions,
)
from beholder.collect.export.angles import bubble_degrees
from beholder.collect.export.cells import csv_text, plain_text, text_cell, tsv_text
from beholder.collect.images import ImageCache
from beholder.collect.platforms import Entry
from beholder.collect.recordings import recordings
from beholder.collect.rows import Signal
from beholder.collect.sessions import Sessions
from beholder.collect.store import Store, open_store
from beholder.errors import StudyError, UnsupportedError
from beholder.study import Study
from beholder.study.gaze import Points
from beholder.study.inspection import inspect

HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "'quoted'",
    '"a", b\nc\td',
    "Ñandú — 犬 🐶",
    "<script>alert(1)</script>",
)


@pytest.fixture
def store(tmp_path: Path, definition: Definition, clock: Turned) -> Iterator[Store]:
    """The small web study's store: what is exported is alike on both kinds of database."""
    opened = open_store(f"sqlite:///{tmp_path / 'collect.sqlite'}", definition, clock=clock)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, definition: Definition) -> ImageCache:
    return ImageCache(definition, tmp_path_factory.mktemp("prepared"))


class Crowd:
    """People who take part one after the other; what each sent is kept."""

    def __init__(self, sessions: Sessions, clock: Turned) -> None:
        self.sessions, self.clock = sessions, clock
        self.sent: dict[str, dict[str, Any]] = {}  # by trial
        self.generator = np.random.default_rng(0)

    def complete(self, name: str, texts: tuple[str, ...] = ("a dog",)) -> Person:
        person = Person(self.sessions, Entry("link", name))
        person.take_seat()
        for number in range(4):
            self.clock.turn(minutes=1)
            current = self.sessions.standing(person.token).current
            assert current is not None
            record = self.record(texts[number % len(texts)])
            person.save_next(**record)
            self.sent[current.id] = record
        person.answer()
        return person

    def record(self, text: str) -> dict[str, Any]:
        """A record whose every number is a new one, with all the digits of a double."""
        count = int(self.generator.integers(1, 6))
        numbers = self.generator.random((count, 3))
        times = np.cumsum(numbers[:, 2]) * 1000
        record = trial_record(text, started_at_ms=self.clock.now)
        record["tasks"][0]["clicks"] = [
            {
                "n": n + 1,
                "x": float(numbers[n, 0]),
                "y": float(numbers[n, 1]),
                "t": float(times[n]),
                "radius_px": 4.0,
                "input": "mouse",
            }
            for n in range(count)
        ]
        return record


@pytest.fixture
def crowd(store: Store, clock: Turned) -> Crowd:
    return Crowd(new_sessions(store.database, store.definition, clock), clock)


def exported_images(crowd: Crowd, store: Store, person: Person) -> list[tuple[str, dict[str, Any]]]:
    """Return the image and the record of each trial that a study holds, in order."""
    trials = store.trials(person.session)
    return [(trial.image, crowd.sent[trial.id]) for trial in trials if trial.kind == "image"]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_study_is_what_was_sent(
    crowd: Crowd, store: Store, images: ImageCache, tmp_path: Path
) -> None:
    people = [crowd.complete(name, HOSTILE[4 * n :]) for n, name in enumerate(("ana", "bo"))]
    report = export_study(store, images, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    samples = iter(study)
    clicks = 0
    for person in people:
        for image, record in exported_images(crowd, store, person):
            sample = next(samples)
            looked, wrote = record["tasks"]
            assert (sample.participant, sample.image) == (person.entry.person, image)
            assert sample.text == wrote["text"].strip()
            assert isinstance(sample.gaze, Points)
            for axis in ("x", "y"):
                sent = np.array([click[axis] for click in looked["clicks"]], dtype=np.float32)
                np.testing.assert_array_equal(getattr(sample.gaze, axis), sent)
            times = np.array([click["t"] for click in looked["clicks"]])
            seconds = ((times - times[0]) / 1000).astype(np.float32)
            np.testing.assert_array_equal(sample.gaze.time, seconds)
            assert sample.gaze.duration is None  # nobody measured one
            clicks += len(times)
    assert next(samples, None) is None
    assert (report.participants, report.samples, report.clicks) == (2, 4, clicks)
    assert set(study.images.column("image").to_pylist()) <= {"1.png", "2.png", "3.png", "4.png"}
    assert study.instrument is not None and study.instrument.name == "short"
    np.testing.assert_array_equal(study.answers, [[1, 3], [1, 3]])
    found = inspect(study)
    assert found.counts["samples"] == 4 and found.tasks["g2t"] is None
    assert not [warning for warning in found.warnings if "image files" in warning]


def test_what_a_study_has_no_column_for_lies_beside(
    crowd: Crowd, store: Store, images: ImageCache, tmp_path: Path
) -> None:
    person = crowd.complete("ana")
    export_study(store, images, tmp_path / "study")
    rows = table((tmp_path / "study" / "viewings.csv").read_text("utf-8"))
    (_, record), *_ = exported_images(crowd, store, person)
    assert [row["sample"] for row in rows] == ["0", "1"]
    assert rows[0]["bubble_radius_px"] == "4.0" and rows[0]["bubble_radius"] == "0.1"
    assert rows[0]["bubble_degrees"] == "" and rows[0]["consent_version"] == "1"
    assert rows[0]["clicks"] == str(len(record["tasks"][0]["clicks"]))
    assert rows[0]["seconds"] == "2.00025" and rows[0]["viewing_seconds"] == "0.9"
    said = (tmp_path / "study" / "collected.toml").read_text("utf-8")
    assert 'consent_versions = ["1"]' in said and "no eye was tracked" in said
    everything = b"".join(f.read_bytes() for f in (tmp_path / "study").rglob("*") if f.is_file())
    assert b"C0DE" not in everything  # completion codes stay here


def test_tables_hold_every_digit_and_every_text(
    crowd: Crowd, store: Store, images: ImageCache, tmp_path: Path
) -> None:
    people = [crowd.complete(f"p{n}", HOSTILE[n:]) for n in range(4)]
    store.decide(people[0].session, "approve", "=1+1", "me")
    store.bonus(people[0].session, 150, "", "me")
    export_tables(store, images, tmp_path / "tables")
    folder = tmp_path / "tables"
    clicks = table((folder / "clicks.csv").read_text("utf-8"))
    trials = table((folder / "trials.csv").read_text("utf-8"))
    expected = []
    for person in people:
        for trial in store.trials(person.session)[1:]:  # the first is practice
            looked, wrote = crowd.sent[trial.id]["tasks"]
            who = (person.entry.person, "1", str(trial.position + 1), trial.kind, trial.image)
            row = next(r for r in trials if tuple(r.values())[:5] == who)
            assert plain_text(row["describe_text"]) == wrote["text"]
            assert row["describe_text"][0] not in "=+-@"
            assert row["describe_pasted_characters"] == "3" and row["absences"] == "1"
            expected += [(*who, click) for click in looked["clicks"]]
    assert len(trials) == 4 * 3
    for row, (*who, click) in zip(clicks, expected, strict=True):
        assert list(row.values())[:5] == who
        numbers = [float(row[key]) for key in ("x", "y", "t_ms", "bubble_radius_px")]
        assert numbers == [click[key] for key in ("x", "y", "t", "radius_px")]
        assert float(row["x_px"]) == click["x"] * 40
    surveys = table((folder / "surveys.csv").read_text("utf-8"))
    assert [(row["a"], row["b"]) for row in surveys] == [("1", "3")] * 4
    first = table((folder / "participants.csv").read_text("utf-8"))[0]
    assert (first["decision"], first["reason"], first["bonus_cents"]) == ("approve", "'=1+1", "150")


def test_events_do_not_pretend_to_be_gaze(
    crowd: Crowd, store: Store, images: ImageCache, tmp_path: Path
) -> None:
    person = crowd.complete("pana", HOSTILE[5:])
    export_bids(store, images, tmp_path / "bids")
    folder = tmp_path / "bids"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert "sub-pana/ses-01/beh/sub-pana_ses-01_task-look_events.tsv" in files
    assert not [name for name in files if "physio" in name or "eyetrack" in name or "gaze" in name]
    sidecar = json.loads((folder / "task-look_events.json").read_text("utf-8"))
    assert "No eye was tracked" in sidecar["trial_type"]["Levels"]["click"]
    lines = (folder / "sub-pana/ses-01/beh/sub-pana_ses-01_task-look_events.tsv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(lines), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert set(rows[0]) <= set(sidecar) and {row["trial_type"] for row in rows} <= set(
        sidecar["trial_type"]["Levels"]
    )
    onsets = [float(row["onset"]) for row in rows]
    assert onsets == sorted(onsets) and onsets[0] == 0
    sent = exported_images(crowd, store, person)
    clicks = [row for row in rows if row["trial_type"] == "click"]
    assert len(clicks) == sum(len(record["tasks"][0]["clicks"]) for _, record in sent)
    second = next(row for row in clicks if row["stim_file"] == sent[1][0])
    began = (sent[1][1]["started_at_ms"] - sent[0][1]["started_at_ms"]) / 1000
    assert float(second["onset"]) == began + sent[1][1]["tasks"][0]["clicks"][0]["t"] / 1000
    assert float(second["x"]) == sent[1][1]["tasks"][0]["clicks"][0]["x"]
    assert (folder / "stimuli" / second["stim_file"]).is_file()
    written = [row for row in rows if row["trial_type"] == "caption_describe"]
    texts = [" ".join(record["tasks"][1]["text"].split()) for _, record in sent]
    assert [row["response"] for row in written] == texts
    assert (folder / "phenotype" / "short.tsv").read_text().splitlines()[1].split("\t")[2:] == [
        "1",
        "3",
    ]
    assert json.loads((folder / "dataset_description.json").read_text())["BIDSVersion"] == "1.11.0"


def test_who_is_exported_is_a_persons_decision(crowd: Crowd, store: Store) -> None:
    approved, flagged, rejected, plain = (crowd.complete(name) for name in ("a", "f", "r", "p"))
    for person in (approved, flagged):
        store.put_signals(person.session, [Signal("few_clicks", True), Signal("agreement", False)])
    store.put_signals(plain.session, [Signal("few_clicks", False)])
    store.decide(approved.session, "approve", "", "me")
    store.decide(rejected.session, "reject", "careless", "me")
    Person(crowd.sessions, Entry("link", "door")).enter()

    def chosen(choice: Choice) -> str:
        return "".join(row.participant for row in select_sessions(store, choice).sessions)

    assert chosen(Choice()) == "afp"
    assert chosen(Choice(include_flagged=False)) == "ap"
    assert chosen(Choice(only_approved=True)) == "a"
    assert chosen(Choice(pilot=True)) == ""
    left_out = select_sessions(store, Choice(include_flagged=False)).left_out
    assert left_out == {"flagged": 1, "rejected": 1, "not complete": 1}


def test_an_export_is_whole_or_absent(
    crowd: Crowd,
    store: Store,
    images: ImageCache,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd.complete("ana")
    target = tmp_path / "out"

    def fails(self: ImageCache, image: str) -> Any:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ImageCache, "prepared", fails)
        for export in (export_study, export_tables, export_bids):
            with pytest.raises(RuntimeError):
                export(store, images, target)
            assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
        with pytest.raises(RuntimeError):
            Archives(tmp_path / "exports").prepare(store, images)
        assert [file.name for file in (tmp_path / "exports").iterdir()] == [".lock"]
    for export in (export_study, export_tables, export_bids):
        export(store, images, tmp_path / export.__name__)
        with pytest.raises(StudyError, match="exists already"):
            export(store, images, tmp_path / export.__name__)
        export(store, images, tmp_path / export.__name__, overwrite=True)


def test_another_caption_can_be_chosen(
    crowd: Crowd, store: Store, images: ImageCache, tmp_path: Path
) -> None:
    crowd.complete("ana")
    with pytest.raises(UnsupportedError, match=r"no caption task 'because'; it has: describe"):
        export_study(store, images, tmp_path / "study", Choice(caption="because"))
    export_study(store, images, tmp_path / "study", Choice(caption="describe"))


def test_archives_know_whom_they_hold(
    crowd: Crowd, store: Store, images: ImageCache, clock: Turned, tmp_path: Path
) -> None:
    archives = Archives(tmp_path / "exports")
    crowd.complete("ana")
    first = archives.prepare(store, images)
    clock.turn(minutes=1)
    crowd.complete("bo")
    second = archives.prepare(store, images)
    assert {one.name for one in archives.all()} == {first.name, second.name}
    names = zipfile.ZipFile(archives.path(first.name)).namelist()
    assert {"study/study.toml", "tables/clicks.csv", "bids/participants.tsv"} <= set(names)
    assert archives.remove_with("nobody") == ()
    assert archives.remove_with("bo") == (second.name,)
    broken = tmp_path / "exports" / "broken.zip"
    broken.write_bytes(b"no zip")
    assert set(archives.remove_with("bo")) == {"broken.zip"}  # who knows whom it holds
    assert [one.name for one in archives.all()] == [first.name]
    for name in ("../collect.sqlite", "x.zip", ".hidden.zip", "a/b.zip"):
        with pytest.raises(StudyError, match="no export"):
            archives.path(name)


@given(st.text(max_size=30))
def test_cells_are_no_formulas_and_come_back(text: str) -> None:
    cell = text_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    rows = list(csv.reader(io.StringIO(csv_text(["a", "b"], [(cell, 0)]), newline="")))
    assert rows[0] == ["a", "b"] and rows[1][1:] == ["0"] and len(rows) == 2
    assert plain_text(rows[1][0]) == text


@given(st.floats(0, 1), st.text(max_size=20))
def test_tsv_cells_hold_numbers_exactly_and_texts_on_a_line(number: float, text: str) -> None:
    lines = tsv_text(["a", "b", "c"], [(number, text, None)]).removesuffix("\n").split("\n")
    assert len(lines) == 2
    cells = lines[1].split("\t")
    assert float(cells[0]) == number and cells[2] == "n/a" and len(cells) == 3


def test_a_bubbles_angle(crowd: Crowd, store: Store) -> None:
    person = crowd.complete("ana")
    row = store.participant(person.session)
    one = recordings(store.trials(person.session))[0]
    assert one.box is not None and one.box["width"] == 400
    assert bubble_degrees(row, one, 40, 4.0) is None  # not calibrated
    assert row.device is not None
    calibration = {"pixels_per_cm": 40.0, "viewing_distance_cm": 50.0, "card_width_px": 342.4}
    measured = replace(row, device=row.device | {"calibration": calibration})
    # 4 of 40 image pixels, shown 400 wide: 40 CSS pixels, 1 cm, seen from 50 cm.
    angle = bubble_degrees(measured, one, 40, 4.0)
    assert angle == pytest.approx(2 * math.degrees(math.atan(1 / 50)))
    pinched = bubble_degrees(measured, replace(one, zoom=2.0), 40, 4.0)
    assert pinched == pytest.approx(2 * math.degrees(math.atan(2 / 50)))
    zoomed = bubble_degrees(measured, replace(one, pixel_ratio=3.0), 40, 4.0)  # calibrated at 2
    assert zoomed == pytest.approx(2 * math.degrees(math.atan(1.5 / 50)))
    assert bubble_degrees(measured, replace(one, box=None), 40, 4.0) is None
