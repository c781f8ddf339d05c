"""Exporting events in the form of BIDS (1.11): what people did, and no gaze that nobody measured.

The clicks of BubbleView stand for attention, but no eye was tracked. So they are behavioural
events (``beh/*_events.tsv``), never a ``_physio`` recording of the eye, and every sidecar says
so.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from beholder import __version__
from beholder.atomic import staged_folder
from beholder.collect.definition import Definition
from beholder.collect.export.angles import bubble_degrees
from beholder.collect.export.cells import tsv_text
from beholder.collect.export.selection import Choice, select_sessions, trials_of
from beholder.collect.images import ImageCache
from beholder.collect.recordings import Recording
from beholder.collect.rows import ParticipantRow, SurveyRow
from beholder.collect.store import Store
from beholder.errors import StudyError
from beholder.progress import Progress, silent
from beholder.study.survey import Instrument

BIDS_VERSION = "1.11.0"
NO_GAZE = (
    "Deliberate clicks that uncovered bubbles of a blurred image (BubbleView, Kim et al., TOCHI "
    "2017). No eye was tracked: a click is neither a fixation nor a gaze sample."
)
_HEADER = (
    *("onset", "duration", "trial_type", "trial", "stim_file", "x", "y"),
    *("bubble_radius_px", "bubble_degrees", "input", "response"),
)

Event = tuple[Any, ...]


def export_bids(
    store: Store,
    images: ImageCache,
    target: Path,
    choice: Choice | None = None,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> None:
    """Write a BIDS dataset of behavioural events, whole or not at all."""
    choice = choice or Choice()
    definition = store.definition
    rows = select_sessions(store, choice).sessions
    task = _label(definition.bubbles.name if definition.bubbles else definition.tasks[0].name)
    shown: set[str] = set()
    try:
        with staged_folder(target, overwrite=overwrite) as folder:
            _write_json(folder / "dataset_description.json", _description(definition))
            (folder / "README").write_text(_readme(definition), "utf-8")
            _write_json(folder / f"task-{task}_events.json", _sidecar(definition, task))
            _write_people(folder, rows)
            for row in progress(rows, "events", len(rows)):
                trials = trials_of(store, row)
                shown |= {one.image for one in trials}
                events = [event for one in trials for event in _events(row, one, trials, images)]
                events.sort(key=lambda event: event[0])
                name = f"sub-{row.participant}_ses-{row.turn:02d}"
                beh = folder / f"sub-{row.participant}" / f"ses-{row.turn:02d}" / "beh"
                beh.mkdir(parents=True)
                file = beh / f"{name}_task-{task}_events.tsv"
                file.write_text(tsv_text(_HEADER, events), "utf-8")
            for image in sorted(shown):
                copy = folder / "stimuli" / image
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(images.prepared(image).sharp, copy)
            if definition.instrument is not None:
                surveys = store.surveys(pilot=choice.pilot)
                _write_phenotype(folder, definition.instrument, rows, surveys)
    except FileExistsError as error:
        raise StudyError(
            f"{target} exists already; choose another folder or pass --overwrite"
        ) from error


def _events(
    row: ParticipantRow,
    one: Recording,
    trials: tuple[Recording, ...],
    images: ImageCache,
) -> Iterator[Event]:
    """Yield a trial's events; onsets are seconds from the start of the first trial."""
    width = images.prepared(one.image).width
    begun = (one.started_at_ms - trials[0].started_at_ms) / 1000
    where = (one.number, one.image)
    yield (begun, one.duration_ms / 1000, "image", *where, *(None,) * 6)
    clicks = one.clicks
    columns = (clicks.x.tolist(), clicks.y.tolist(), clicks.t_ms.tolist())
    radii = zip(clicks.radius_px.tolist(), clicks.inputs, strict=True)
    for x, y, t_ms, (radius, pointer) in zip(*columns, radii, strict=True):
        angle = bubble_degrees(row, one, width, radius)
        yield (begun + t_ms / 1000, 0, "click", *where, x, y, radius, angle, pointer, None)
    for caption in one.captions:
        onset, length = begun + caption.started_ms / 1000, caption.duration_ms / 1000
        yield (onset, length, f"caption_{caption.name}", *where, *(None,) * 5, caption.text)


def _sidecar(definition: Definition, task: str) -> dict[str, Any]:
    """Describe the columns; by inheritance this holds for every events file."""
    captions = {
        f"caption_{each.name}": "The participant wrote about the image; the text is in response."
        for each in definition.tasks
        if each.kind == "caption"
    }
    levels = {"image": "A trial: the image was shown, blurred.", "click": NO_GAZE, **captions}
    fraction = "from 0 to 1; the image's top left is (0, 0)"
    return {
        "TaskName": task,
        "TaskDescription": NO_GAZE,
        "StimulusPresentation": {
            "SoftwareName": "beholder collect",
            "SoftwareVersion": __version__,
        },
        "onset": {
            "Description": "Time from the start of the participation's first trial; trials are "
            "placed by the browser's wall clock, events within one by its monotonic clock.",
            "Units": "s",
        },
        "duration": {"Description": "Duration; 0 for clicks, which last no time.", "Units": "s"},
        "trial_type": {"Description": "What happened.", "Levels": levels},
        "trial": {"Description": "Number of the trial in the participation."},
        "stim_file": {"Description": "The image, below the folder stimuli/."},
        "x": {"Description": f"Click: place across the image, a fraction {fraction}."},
        "y": {"Description": f"Click: place down the image, a fraction {fraction}."},
        "bubble_radius_px": {
            "Description": "Click: radius of the disc that it uncovered.",
            "Units": "pixels of the image",
        },
        "bubble_degrees": {
            "Description": "Click: visual angle of that disc's diameter, where the screen was "
            "calibrated with a card and the participant stated the viewing distance.",
            "Units": "degrees",
        },
        "input": {"Description": "Click: mouse, touch, pen or keyboard."},
        "response": {"Description": "Caption: the text, line breaks and tabs as spaces."},
    }


def _description(definition: Definition) -> dict[str, Any]:
    return {
        "Name": definition.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "beholder collect", "Version": __version__}],
    }


def _readme(definition: Definition) -> str:
    return (
        f"{definition.name}\n\nCollected on the web with beholder collect. {NO_GAZE}\n"
        "Subjects are pseudonyms; a session (ses) is one participation.\n"
    )


def _write_people(folder: Path, rows: tuple[ParticipantRow, ...]) -> None:
    first = {row.participant: row for row in reversed(rows)}
    cells = [(f"sub-{name}", row.platform, row.language) for name, row in sorted(first.items())]
    header = ("participant_id", "platform", "language")
    (folder / "participants.tsv").write_text(tsv_text(header, cells), "utf-8")
    _write_json(
        folder / "participants.json",
        {
            "platform": {"Description": "Where the participant came from."},
            "language": {"Description": "Language of the pages, a BCP 47 tag."},
        },
    )


def _write_phenotype(
    folder: Path,
    instrument: Instrument,
    rows: tuple[ParticipantRow, ...],
    surveys: list[SurveyRow],
) -> None:
    turns = {row.session: row.turn for row in rows}
    keys = [item.key for item in instrument.items]
    cells = [
        (
            *(f"sub-{one.participant}", f"ses-{turns[one.session]:02d}"),
            *(one.answers.get(key) for key in keys),
        )
        for one in surveys
        if one.session in turns
    ]
    (folder / "phenotype").mkdir()
    name = re.sub(r"[^A-Za-z0-9_]", "_", instrument.name)
    table = tsv_text(("participant_id", "session_id", *keys), cells)
    (folder / "phenotype" / f"{name}.tsv").write_text(table, "utf-8")
    scale = range(instrument.minimum, instrument.maximum + 1)
    labels = instrument.labels or tuple(map(str, scale))
    levels = {str(value): label for value, label in zip(scale, labels, strict=True)}
    described: dict[str, Any] = {
        "session_id": {"Description": "The participation, as in the names of the events' files."},
        "MeasurementToolMetadata": {"Description": f"{instrument.title}. {instrument.source}"},
    }
    for item in instrument.items:
        statement = f"{instrument.stem} {item.text}"
        turned = " (reversed)" if item.reversed else ""
        described[item.key] = {
            "Description": f"{statement}; measures {item.trait}{turned}",
            "Levels": levels,
        }
    _write_json(folder / "phenotype" / f"{name}.json", described)


def _label(name: str) -> str:
    """Return a name as BIDS allows it in a file's: letters and digits."""
    return re.sub(r"[^A-Za-z0-9]", "", name) or "task"


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", "utf-8")
