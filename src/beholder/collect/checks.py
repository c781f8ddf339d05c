"""What a definition must satisfy beyond the form of its keys."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel

from beholder.collect.definition import Definition
from beholder.collect.messages import languages_with_messages, load_messages
from beholder.collect.sets import all_images, image_sets
from beholder.collect.texts import missing_languages


def faults(definition: Definition) -> Iterator[str]:
    """Yield what makes a definition unusable, a sentence a fault."""
    for find in _CHECKS:
        yield from find(definition)


def _tasks(definition: Definition) -> Iterator[str]:
    names = Counter(task.name for task in definition.tasks)
    yield from (f"two tasks are named {name!r}" for name, count in names.items() if count > 1)
    if sum(task.kind == "bubbles" for task in definition.tasks) > 1:
        yield "a trial has more than one task of kind 'bubbles'"
    for number, task in enumerate(definition.tasks):
        if task.kind == "bubbles":
            if task.minimum_clicks > task.maximum_clicks:
                yield f"tasks[{number}]: minimum_clicks is above maximum_clicks"
            if 0 < task.maximum_seconds < task.minimum_seconds:
                yield f"tasks[{number}]: minimum_seconds is above maximum_seconds"
        elif task.minimum_characters > task.maximum_characters:
            yield f"tasks[{number}]: minimum_characters is above maximum_characters"
        elif task.image == "blurred" and definition.bubbles is None:
            yield f"tasks[{number}]: image = 'blurred' needs a task of kind 'bubbles'"
    if definition.validation and definition.bubbles is None:
        yield "validation images need a task of kind 'bubbles'"


def _texts(definition: Definition) -> Iterator[str]:
    for place, text in _localised(definition, ""):
        for language in missing_languages(text, definition.languages):
            yield f"{place} has no text in {language!r}"


def _localised(part: object, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every text that is given by language, and where it is."""
    if isinstance(part, tuple):
        for number, entry in enumerate(part):
            yield from _localised(entry, f"{place}[{number}]")
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            inner = f"{place}.{name}" if place else name
            if name in ("title", "text", "prompt", "template", "name") and isinstance(value, dict):
                yield inner, value
            else:
                yield from _localised(value, inner)


def _messages(definition: Definition) -> Iterator[str]:
    known = languages_with_messages()
    for language in definition.languages:
        if language not in known:
            yield (
                f"languages: the pages are written in {', '.join(sorted(known))}, "
                f"not in {language!r}"
            )
            return
    for language, overrides in definition.messages.items():
        if language not in definition.languages:
            yield f"messages.{language}: {language!r} is none of the languages"
            return
        for key in sorted(set(overrides) - set(load_messages(language))):
            yield f"messages.{language}: there is no message {key!r}"


def _survey(definition: Definition) -> Iterator[str]:
    instrument, survey = definition.instrument, definition.survey
    if instrument is None or survey is None:
        return
    for language in definition.languages[1:]:
        if language not in survey.texts:
            yield f"survey.texts.{language} is missing: the instrument needs a translation"
    for language, texts in survey.texts.items():
        keys = {item.key for item in instrument.items}
        if keys != set(texts.items):
            odd = ", ".join(sorted(keys ^ set(texts.items)))
            yield f"survey.texts.{language}.items differs from {instrument.name} in {odd}"
        if len(texts.labels) != len(instrument.labels):
            yield (
                f"survey.texts.{language} has {len(texts.labels)} labels; "
                f"{instrument.name} has {len(instrument.labels)}"
            )


def _images(definition: Definition) -> Iterator[str]:
    folder = definition.image_folder
    if not folder.is_dir():
        yield f"images.folder: {folder} is no folder"
        return
    for image in all_images(definition):
        parts = PurePosixPath(image).parts
        if not parts or image.startswith("/") or ".." in parts or "\\" in image:
            yield f"{image!r} does not lie below images.folder"
        elif not (folder / image).is_file():
            yield f"the image {folder / image} does not exist"
        elif not (folder / image).resolve().is_relative_to(folder.resolve()):
            yield f"{image!r} leads out of images.folder"


def _sets(definition: Definition) -> Iterator[str]:
    sets = image_sets(definition)
    names = Counter(each.name for each in sets)
    yield from (f"two sets are named {name!r}" for name, count in names.items() if count > 1)
    shown = {practice.image for practice in definition.practice}
    shown |= {validation.image for validation in definition.validation}
    for each in sets:
        if len(set(each.images)) != len(each.images):
            yield f"set {each.name!r} has an image twice"
        for image in sorted(shown & set(each.images)):
            yield f"{image!r} of set {each.name!r} is also for practice or validation"
    checks = Counter(validation.image for validation in definition.validation)
    yield from (f"validation has {image!r} twice" for image, n in checks.items() if n > 1)


def _areas(definition: Definition) -> Iterator[str]:
    for kind in ("practice", "validation"):
        for number, entry in enumerate(getattr(definition, kind)):
            for area in entry.areas:
                if area.x + area.width > 1 + 1e-9 or area.y + area.height > 1 + 1e-9:
                    yield f"{kind}[{number}]: an area reaches beyond the image"
    for number, validation in enumerate(definition.validation):
        if validation.needed > len(validation.areas):
            yield (
                f"validation[{number}]: {validation.needed} areas are required, "
                f"but there are {len(validation.areas)}"
            )


def _platforms(definition: Definition) -> Iterator[str]:
    codes = definition.completion.codes
    if "prolific" in definition.platforms.allowed and "complete" not in codes:
        yield "completion.codes.complete is missing: Prolific needs it"
    shared = [code for code, count in Counter(codes.values()).items() if count > 1]
    if "complete" in codes and codes["complete"] in shared:
        yield "completion.codes: the code of 'complete' must be no other outcome's"


_CHECKS: tuple[Callable[[Definition], Iterator[str]], ...] = (
    _tasks,
    _texts,
    _messages,
    _images,
    _sets,
    _areas,
    _survey,
    _platforms,
)
