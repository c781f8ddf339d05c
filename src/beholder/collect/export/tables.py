"""Exporting tidy CSV tables: one row a click, a trial, a survey, a participation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from beholder.atomic import staged_folder
from beholder.collect.export.angles import bubble_degrees
from beholder.collect.export.cells import csv_rows, text_cell, time_cell
from beholder.collect.export.selection import Choice, flags_of, select_sessions, trials_of
from beholder.collect.images import ImageCache
from beholder.collect.recordings import Recording
from beholder.collect.rows import ParticipantRow
from beholder.collect.store import Store
from beholder.errors import StudyError
from beholder.progress import Progress, silent

_WHO = ("participant", "turn")
_WHICH = (*_WHO, "trial", "kind", "image")
_CLICKS = (
    *(*_WHICH, "click", "x", "y", "x_px", "y_px", "t_ms"),
    *("bubble_radius_px", "bubble_degrees", "input"),
)
_TRIALS = (
    *(*_WHICH, "started_at", "received_at", "duration_ms", "viewing_ms", "clicks"),
    *("image_width_px", "image_height_px", "shown_width_css", "shown_height_css"),
    *("zoom", "device_pixel_ratio", "absences", "away_ms"),
)
_CAPTION = ("text", "duration_ms", "keys", "pasted_characters", "deletions", "timed_out")
_PARTICIPANTS = (
    *(*_WHO, "platform", "language", "set", "consent_version", "consented_at", "created_at"),
    *("ended_at", "decision", "reason", "bonus_cents", "flags", "comment"),
    *("user_agent_family", "inputs", "pixels_per_cm", "viewing_distance_cm"),
)

README = """\
Tables of a study that was collected with: beholder collect

UTF-8, comma-separated, one header line, an empty cell where there is nothing to say.

clicks.csv        one row a click. x and y are fractions of the image, (0, 0) top left, exactly
                  as they were sent; x_px, y_px and bubble_radius_px are pixels of the image; t_ms
                  counts milliseconds since the trial's start; bubble_degrees is the visual angle
                  of the bubble's diameter where the screen was calibrated. Clicks are deliberate
                  and uncover a blurred image: no eye was tracked.
trials.csv        one row a trial; validation images are marked in "kind"; practice is not there.
                  Each caption task has columns of its own, beginning with its name.
surveys.csv       one row a survey, one column an item, by its key.
participants.csv  one row a participation; people are pseudonyms. "flags" are hints, no decision.

Times that end in _at are UTC. A text that begins with = + - @, a tab, a carriage return or an
apostrophe has an apostrophe before it, so that no spreadsheet takes it for a formula: drop the
first apostrophe to have the text as it was written.
"""


def export_tables(
    store: Store,
    images: ImageCache,
    target: Path,
    choice: Choice | None = None,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """Write clicks.csv, trials.csv, surveys.csv and participants.csv, all of them or none."""
    choice = choice or Choice()
    rows = select_sessions(store, choice).sessions
    try:
        with staged_folder(target, overwrite=overwrite) as folder:
            (folder / "README.txt").write_text(README, "utf-8")
            _write_participants(store, rows, folder / "participants.csv")
            _write_surveys(store, rows, choice, folder / "surveys.csv")
            with _table(folder / "clicks.csv") as clicks, _table(folder / "trials.csv") as trials:
                clicks.write(csv_rows([_CLICKS]))
                captions = [task.name for task in store.definition.tasks if task.kind == "caption"]
                named = [f"{name}_{part}" for name in captions for part in _CAPTION]
                trials.write(csv_rows([(*_TRIALS, *named)]))
                for row in progress(rows, "tables", len(rows)):
                    for one in trials_of(store, row, validation=True):
                        clicks.write(csv_rows(_click_rows(row, one, images)))
                        trials.write(csv_rows([_trial_row(row, one, images)]))
    except FileExistsError as error:
        raise StudyError(
            f"{target} exists already; choose another folder or pass --overwrite"
        ) from error


def _table(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _which(row: ParticipantRow, one: Recording) -> tuple[Any, ...]:
    return (row.participant, row.turn, one.number, one.kind, text_cell(one.image))


def _click_rows(
    row: ParticipantRow, one: Recording, images: ImageCache
) -> Iterator[tuple[Any, ...]]:
    prepared, clicks = images.prepared(one.image), one.clicks
    columns = (clicks.x.tolist(), clicks.y.tolist(), clicks.t_ms.tolist())
    radii = clicks.radius_px.tolist()
    angles = [bubble_degrees(row, one, prepared.width, radius) for radius in radii]
    which = _which(row, one)
    for number, (x, y, t_ms) in enumerate(zip(*columns, strict=True)):
        place = (x, y, x * prepared.width, y * prepared.height, t_ms)
        yield (*which, number + 1, *place, radii[number], angles[number], clicks.inputs[number])


def _trial_row(row: ParticipantRow, one: Recording, images: ImageCache) -> tuple[Any, ...]:
    prepared = images.prepared(one.image)
    box: Mapping[str, float] = one.box or {}
    away_ms = sum(until - since for since, until in one.absences)
    cells: list[Any] = [
        *_which(row, one),
        *(time_cell(one.started_at_ms), time_cell(one.received_ms), one.duration_ms),
        *(one.viewing_ms if one.has_bubbles else None, len(one.clicks)),
        *(prepared.width, prepared.height, box.get("width"), box.get("height")),
        *(one.zoom, one.pixel_ratio, len(one.absences), away_ms),
    ]
    for caption in one.captions:
        cells += [text_cell(caption.text), caption.duration_ms, caption.keys]
        cells += [caption.pasted_characters, caption.deletions, int(caption.timed_out)]
    return tuple(cells)


def _write_surveys(
    store: Store, rows: tuple[ParticipantRow, ...], choice: Choice, path: Path
) -> None:
    instrument = store.definition.instrument
    keys = [item.key for item in instrument.items] if instrument else []
    turns = {row.session: row.turn for row in rows}
    with _table(path) as file:
        file.write(csv_rows([(*_WHO, "received_at", "duration_ms", *keys)]))
        for survey in store.surveys(pilot=choice.pilot):
            if survey.session in turns:
                answers = [survey.answers.get(key) for key in keys]
                when = (time_cell(survey.received_ms), survey.record["duration_ms"])
                who = (survey.participant, turns[survey.session])
                file.write(csv_rows([(*who, *when, *answers)]))


def _write_participants(store: Store, rows: tuple[ParticipantRow, ...], path: Path) -> None:
    bonuses = {
        decision.session: decision.amount_cents
        for decision in store.decisions()
        if decision.kind == "bonus"
    }
    with _table(path) as file:
        file.write(csv_rows([_PARTICIPANTS]))
        for row in rows:
            device = row.device or {}
            calibration = device.get("calibration") or {}
            cells = (
                *(row.participant, row.turn, row.platform, row.language, row.set_name),
                *(text_cell(row.consent_version), time_cell(row.consented_ms)),
                *(time_cell(row.created_ms), time_cell(row.ended_ms)),
                *(row.decision, text_cell(row.reason), bonuses.get(row.session)),
                *(" ".join(flags_of(store, row)), text_cell(row.comment)),
                *(device.get("user_agent_family"), " ".join(device.get("inputs", ()))),
                *(calibration.get("pixels_per_cm"), calibration.get("viewing_distance_cm")),
            )
            file.write(csv_rows([cells]))
