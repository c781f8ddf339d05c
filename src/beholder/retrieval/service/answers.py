"""What is answered: the models of the description, which every answer agrees with."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from beholder.retrieval.service.bodies import Find, Modality


class Model(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Health(Model):
    """The server runs."""

    status: Literal["alive"]


class Ready(Model):
    """The store is loaded and can be read."""

    status: Literal["ready"]
    generation: int


class Item(Model):
    """One statement of the survey; ``number`` counts from 1."""

    number: int
    text: str
    trait: str
    reversed: bool


class InstrumentAnswer(Model):
    """The survey, and the scale that its answers use."""

    name: str
    title: str
    stem: str
    lowest: int
    highest: int
    labels: list[str]
    items: list[Item]


class Counts(Model):
    """How much there is."""

    samples: int
    participants: int
    images: int


class StoreAnswer(Model):
    """What the store was made from and what may be asked of it.

    ``finds`` holds, for each thing that can be found, the modalities that it may be asked with;
    ``approximate`` the recall of each side's index, where there is one.
    """

    version: str
    study: str
    run: str
    method: str
    split: str
    seed: int
    tasks: list[str]
    modalities: list[str]
    spaces: dict[str, dict[str, float]]
    counts: Counts
    generation: int
    finds: dict[str, list[str]]
    traits: list[str]
    instrument: InstrumentAnswer | None
    sample_tasks: list[str]
    parts: list[str]
    approximate: dict[str, float]


class PointsAnswer(Model):
    """Clicks or fixations in order: fractions of the image, and seconds."""

    form: Literal["points"]
    x: list[float]
    y: list[float]
    time: list[float] | None = None
    duration: list[float] | None = None


class AreasAnswer(Model):
    """Areas that fixations hit."""

    form: Literal["areas"]
    fixations: int
    fixation: list[int]
    label: list[str]
    box: list[list[float]]


class MapAnswer(Model):
    """Attention by cell, the largest 1."""

    form: Literal["map"]
    values: list[list[float]]


GazeAnswer = PointsAnswer | AreasAnswer | MapAnswer


class SampleAnswer(Model):
    """What one person did with one image."""

    sample: int
    participant: str | None
    participant_number: int | None
    image: str
    image_number: int
    task: str | None
    part: str | None
    text: str | None
    gaze: GazeAnswer | None


class FoundPerson(Model):
    """A person who was found."""

    participant: str
    participant_number: int
    answers: list[int] | None
    traits: dict[str, float] | None


class FoundImage(Model):
    """An image that was found."""

    image: str
    image_number: int
    width: int
    height: int


class AnswerModel(Model):
    """One answer; ``parts`` and ``by_modality`` each sum to its score."""

    rank: int
    number: int
    score: float
    parts: dict[str, float]
    by_modality: dict[Modality, float]
    chance_rank: float
    item: SampleAnswer | FoundPerson | FoundImage


class ResultAnswer(Model):
    """One page of answers out of ``candidates``."""

    find: Find
    candidates: int
    chance_rank: float
    offset: int
    answers: list[AnswerModel]
    notes: list[str]
    generation: int
    approximate: bool


class BatchAnswer(Model):
    """The results of several queries, in their order."""

    results: list[ResultAnswer]


class ContributionAnswer(Model):
    """What the score loses without one word, point, area or answered item."""

    start: int
    end: int
    label: str
    value: float


class ExplanationAnswer(Model):
    """What made a score."""

    score: float
    parts: dict[str, float]
    query: dict[Modality, list[ContributionAnswer]]
    answer: dict[Modality, list[ContributionAnswer]]


class PersonAnswer(Model):
    """One person, and how many samples there are of them."""

    number: int
    name: str
    answers: list[int] | None
    traits: dict[str, float] | None
    samples: int


class PeopleAnswer(Model):
    """A page of the people."""

    total: int
    participants: list[PersonAnswer]


class PersonWithSamples(Model):
    """One person with a page of their samples, out of ``total``."""

    number: int
    name: str
    answers: list[int] | None
    traits: dict[str, float] | None
    total: int
    samples: list[SampleAnswer]


class ImageAnswer(Model):
    """One image, and how many samples there are of it."""

    number: int
    name: str
    width: int
    height: int
    samples: int


class ImagesAnswer(Model):
    """A page of the images."""

    total: int
    images: list[ImageAnswer]


class ImageWithSamples(Model):
    """One image with a page of its samples, out of ``total``."""

    number: int
    name: str
    width: int
    height: int
    total: int
    samples: list[SampleAnswer]


class MapPerson(Model):
    """A person on the map."""

    number: int
    name: str
    x: int
    y: int
    traits: dict[str, float] | None


class MapPage(Model):
    """All samples on a plane: columns of one length, places from 0 to 65535.

    ``participant`` is -1 where a sample is nobody's; ``part`` an index into ``parts``, or -1;
    ``error`` from 0 to 255, null where a sample has not both modalities.
    """

    space: str
    modality: str
    explained: list[float]
    generation: int
    samples: list[int]
    x: list[int]
    y: list[int]
    participant: list[int]
    image: list[int]
    part: list[int]
    parts: list[str]
    error: list[int | None]
    participants: list[MapPerson]
    images: dict[str, str]
