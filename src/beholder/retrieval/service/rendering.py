"""Records as JSON: what was found, people, images and samples."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from beholder import __version__
from beholder.retrieval.records import ImageRecord, ParticipantRecord, SampleRecord
from beholder.retrieval.search import Result
from beholder.retrieval.service.names import Names
from beholder.retrieval.store import TARGETS, Snapshot
from beholder.study.survey import Instrument


def as_response(value: Mapping[str, Any]) -> Response:
    """Return an object as an answer; it is not validated again, as the tests do that."""
    return Response(to_json(value), media_type="application/json")


def store_json(snapshot: Snapshot, names: Names) -> dict[str, Any]:
    """Return what a store was made from and what may be asked of it."""
    description = snapshot.description
    finds = {}
    for find, targets in TARGETS.items():
        asked = [
            modality
            for modality in description.modalities
            if any(description.between(modality, target) for target in targets)
        ]
        if asked:
            finds[find] = asked
    return {
        "version": __version__,
        "study": description.study,
        "run": description.run,
        "method": description.method,
        "split": description.split,
        "seed": description.seed,
        "tasks": description.tasks,
        "modalities": description.modalities,
        "spaces": {"-".join(layout.pair): dict(layout.weights) for layout in description.pairs},
        "counts": snapshot.counts(),
        "generation": snapshot.generation,
        "finds": finds,
        "traits": names.traits,
        "instrument": None if names.instrument is None else _instrument_json(names.instrument),
        "sample_tasks": names.tasks,
        "parts": names.parts,
        "approximate": snapshot.recalls(),
    }


def _instrument_json(instrument: Instrument) -> dict[str, Any]:
    return {
        "name": instrument.name,
        "title": instrument.title,
        "stem": instrument.stem,
        "lowest": instrument.minimum,
        "highest": instrument.maximum,
        "labels": instrument.labels,
        "items": [
            {"number": n, "text": item.text, "trait": item.trait, "reversed": item.reversed}
            for n, item in enumerate(instrument.items, start=1)
        ],
    }


def result_json(result: Result, names: Names) -> dict[str, Any]:
    """Return a page of answers with the numbers of what they name."""
    found = result.as_json()
    for answer in found["answers"]:
        answer["item"] = _linked(answer["item"], names)
    return found | {"generation": names.generation}


def _linked(item: Mapping[str, Any], names: Names) -> dict[str, Any]:
    linked = dict(item)
    if "participant" in item:
        linked["participant_number"] = names.people.get(item["participant"])
    if "image" in item:
        linked["image_number"] = names.images[item["image"]]
    return linked


def sample_json(sample: SampleRecord, names: Names) -> dict[str, Any]:
    """Return a sample with the numbers of its participant and image."""
    kept = {name: value for name, value in vars(sample).items() if name != "number"}
    return _linked({"sample": sample.number, **kept}, names)


def person_json(person: ParticipantRecord, names: Names) -> dict[str, Any]:
    """Return a person and the number of their samples."""
    return {
        "number": person.number,
        "name": person.name,
        "answers": person.answers,
        "traits": None if person.traits is None else dict(person.traits),
        "samples": names.samples_of.get(person.number, 0),
    }


def image_json(image: ImageRecord, names: Names) -> dict[str, Any]:
    """Return an image and the number of its samples."""
    return {
        "number": image.number,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "samples": names.samples_on.get(image.number, 0),
    }
