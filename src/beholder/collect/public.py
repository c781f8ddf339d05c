"""What a participant may know of a definition; codes and validation areas are not in it."""

from typing import Literal

from pydantic import BaseModel

from beholder.collect.definition import Bubbles, Definition, Device, Input, PlatformName
from beholder.collect.messages import load_messages
from beholder.collect.texts import in_language


class PublicConsent(BaseModel):
    """The consent text in one language."""

    version: str
    text: str


class PublicBubbles(BaseModel):
    """What is asked of the clicks."""

    kind: Literal["bubbles"] = "bubbles"
    name: str
    minimum_clicks: int
    maximum_clicks: int
    minimum_seconds: float
    maximum_seconds: float


class PublicCaption(BaseModel):
    """What is asked of the writing."""

    kind: Literal["caption"] = "caption"
    name: str
    prompt: str
    template: str | None
    image: Literal["blurred", "sharp", "none"]
    minimum_characters: int
    maximum_characters: int
    maximum_seconds: float


class PublicItem(BaseModel):
    """A statement of the survey, without what it measures."""

    key: str
    text: str


class PublicSurvey(BaseModel):
    """The survey in one language."""

    title: str
    notice: str
    stem: str
    labels: list[str]
    minimum: int
    maximum: int
    shuffle: bool
    items: list[PublicItem]


class PublicDevice(BaseModel):
    """What the device must be able to do."""

    minimum_width: int
    minimum_height: int
    inputs: list[Input]
    calibration: Literal["off", "optional", "required"]
    viewing_distance_cm: float


class PublicDefinition(BaseModel):
    """A definition for the page, in one language."""

    name: str
    title: str
    language: str
    languages: list[str]
    contact: str | None
    consent: PublicConsent
    instructions: str | None
    debrief: str | None
    tasks: list[PublicBubbles | PublicCaption]
    survey: PublicSurvey | None
    device: PublicDevice
    platforms: list[PlatformName]
    messages: dict[str, str]


def public_definition(definition: Definition, language: str) -> PublicDefinition:
    """Return what the page may know, in a language that the definition offers."""
    instructions, debrief = definition.instructions, definition.debrief
    return PublicDefinition(
        name=definition.name,
        title=in_language(definition.title, language),
        language=language,
        languages=list(definition.languages),
        contact=definition.contact,
        consent=PublicConsent(
            version=definition.consent.version,
            text=in_language(definition.consent.text, language),
        ),
        instructions=in_language(instructions.text, language) if instructions else None,
        debrief=in_language(debrief.text, language) if debrief else None,
        tasks=_tasks(definition, language),
        survey=_survey(definition, language),
        device=_device(definition.device),
        platforms=list(definition.platforms.allowed),
        messages=load_messages(language, definition.messages.get(language)),
    )


def _tasks(definition: Definition, language: str) -> list[PublicBubbles | PublicCaption]:
    tasks: list[PublicBubbles | PublicCaption] = []
    for task in definition.tasks:
        if isinstance(task, Bubbles):
            tasks.append(PublicBubbles(**task.model_dump(exclude={"blur", "bubble_radius"})))
            continue
        stated = task.model_dump(exclude={"prompt", "template"})
        template = in_language(task.template, language) if task.template else None
        prompt = in_language(task.prompt, language)
        tasks.append(PublicCaption(**stated, prompt=prompt, template=template))
    return tasks


def _survey(definition: Definition, language: str) -> PublicSurvey | None:
    instrument, survey = definition.instrument, definition.survey
    if instrument is None or survey is None:
        return None
    own = survey.texts.get(language)
    texts = own.items if own else {item.key: item.text for item in instrument.items}
    return PublicSurvey(
        title=instrument.title,
        notice=instrument.notice,
        stem=own.stem if own else instrument.stem,
        labels=list(own.labels if own else instrument.labels),
        minimum=instrument.minimum,
        maximum=instrument.maximum,
        shuffle=survey.shuffle,
        items=[PublicItem(key=item.key, text=texts[item.key]) for item in instrument.items],
    )


def _device(device: Device) -> PublicDevice:
    return PublicDevice(**device.model_dump())
