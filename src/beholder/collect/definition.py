"""The definition of a web study: one TOML file, checked as a whole before anybody is asked."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    field_validator,
)

from beholder.collect.lengths import Length
from beholder.collect.texts import Language, Text, Words
from beholder.study.survey import Instrument, load_instrument

SCHEMA_VERSION = 1

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
PlatformName = Literal["prolific", "mturk", "link"]
Input = Literal["mouse", "touch", "keyboard"]
Outcome = Literal[
    "complete",
    "no_consent",
    "screened_out",
    "timed_out",
    "full",
    "left",
    "expired",
    "returning",
]


class Part(BaseModel):
    """A part of a definition: unchangeable, and no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Consent(Part):
    """What people agree to; a new version asks for a new agreement."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    text: Text


class Passage(Part):
    """A text of the researcher's own, of paragraphs with blank lines between them."""

    text: Text


class Images(Part):
    """Where the images lie and how they form sets unless the sets are named."""

    folder: Path
    viewers: Annotated[int, Field(ge=1, le=100_000)] = 3
    set_size: Annotated[int, Field(ge=1, le=1000)] = 15
    seed: Annotated[int, Field(ge=0)] = 0


class NamedSet(Part):
    """A set whose images the researcher chose."""

    name: Name
    images: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    viewers: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Bubbles(Part):
    """BubbleView: clicks uncover discs of a blurred image (Kim et al., TOCHI 2017)."""

    kind: Literal["bubbles"]
    name: Name
    blur: Length
    bubble_radius: Length
    minimum_clicks: Annotated[int, Field(ge=0, le=1000)] = 0
    maximum_clicks: Annotated[int, Field(ge=1, le=2000)] = 200
    minimum_seconds: Seconds = 0
    maximum_seconds: Seconds = 0


class Caption(Part):
    """Writing about the image, after a prompt and perhaps in a given form."""

    kind: Literal["caption"]
    name: Name
    prompt: Text
    template: Text | None = None
    image: Literal["blurred", "sharp", "none"] = "blurred"
    minimum_characters: Annotated[int, Field(ge=0, le=10_000)] = 1
    maximum_characters: Annotated[int, Field(ge=1, le=10_000)] = 2000
    maximum_seconds: Seconds = 0


Task = Annotated[Bubbles | Caption, Field(discriminator="kind")]


class Area(Part):
    """A rectangle of an image, in fractions of it, (0, 0) top left."""

    x: Fraction
    y: Fraction
    width: Annotated[float, Field(gt=0, le=1)]
    height: Annotated[float, Field(gt=0, le=1)]
    name: Text | None = None

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point in fractions of the image lies in the area, edges included."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


class Practice(Part):
    """An image to learn the task on; its areas are told to the page, to guide."""

    image: str
    areas: tuple[Area, ...] = ()


class Validation(Part):
    """An image whose areas a viewer who looks must click; hidden among every set's images."""

    image: str
    areas: Annotated[tuple[Area, ...], Field(min_length=1)]
    required: Annotated[int, Field(ge=1)] | None = None

    @property
    def needed(self) -> int:
        """How many of the areas must be clicked."""
        return self.required or len(self.areas)


class Translation(Part):
    """An instrument's texts in another language, items by their key."""

    stem: Words
    labels: tuple[Words, ...] = ()
    items: dict[str, Words]


class Survey(Part):
    """Which instrument is asked, and its translations by language."""

    instrument: str
    shuffle: bool = False
    texts: dict[Language, Translation] = Field(default_factory=dict)


class Device(Part):
    """What a participant's device must be able to do."""

    minimum_width: Annotated[int, Field(ge=0, le=10_000)] = 320
    minimum_height: Annotated[int, Field(ge=0, le=10_000)] = 300
    inputs: Annotated[tuple[Input, ...], Field(min_length=1)] = ("mouse", "touch", "keyboard")
    calibration: Literal["off", "optional", "required"] = "optional"
    viewing_distance_cm: Annotated[float, Field(ge=10, le=300)] = 50


class SessionRules(Part):
    """How long a seat is kept and a session can be resumed, and how often one may take part."""

    seat_minutes: Annotated[float, Field(gt=0, le=100_000)] = 60
    resume_days: Annotated[float, Field(gt=0, le=365)] = 7
    participations: Annotated[int, Field(ge=1, le=1000)] = 1


class Prolific(Part):
    """Prolific: where given, STUDY_ID must be this."""

    study_id: Words | None = None


class MechanicalTurk(Part):
    """Mechanical Turk: the hosts to which an assignment may be submitted."""

    submit_hosts: tuple[Host, ...] = ("www.mturk.com", "workersandbox.mturk.com")


class Link(Part):
    """A plain link, with or without ``?participant=CODE``."""

    code_required: bool = False


class Platforms(Part):
    """Where participants may come from."""

    allowed: Annotated[tuple[PlatformName, ...], Field(min_length=1)] = ("link",)
    prolific: Prolific = Prolific()
    mturk: MechanicalTurk = MechanicalTurk()
    link: Link = Link()


class Completion(Part):
    """The code that each outcome gives; an outcome that is not there gives none."""

    codes: dict[Outcome, Code] = Field(default_factory=dict)


class Definition(Part):
    """A web study as its researcher defined it."""

    schema_version: Literal[1]
    name: Name
    title: Text
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    contact: Words | None = None
    consent: Consent
    instructions: Passage | None = None
    debrief: Passage | None = None
    images: Images
    sets: tuple[NamedSet, ...] = ()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, max_length=10)]
    practice: tuple[Practice, ...] = ()
    validation: tuple[Validation, ...] = ()
    survey: Survey | None = None
    device: Device = Device()
    session: SessionRules = SessionRules()
    platforms: Platforms = Platforms()
    completion: Completion = Completion()
    messages: dict[Language, dict[str, Words]] = Field(default_factory=dict)

    _base: Path = PrivateAttr(default=Path())

    @field_validator("languages")
    @classmethod
    def _are_different(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(languages)) != len(languages):
            raise ValueError("a language stands there twice")
        return languages

    def beside(self, file: Path) -> "Definition":
        """Return the definition with its paths relative to the file that it stands in."""
        placed = self.model_copy()
        placed._base = file.resolve().parent
        return placed

    @property
    def image_folder(self) -> Path:
        """The folder below which every image lies."""
        return self._base / self.images.folder

    @cached_property
    def instrument(self) -> Instrument | None:
        """The survey instrument, or None where nothing is asked."""
        if self.survey is None:
            return None
        beside = self._base / self.survey.instrument
        return load_instrument(beside if beside.is_file() else self.survey.instrument)

    @property
    def bubbles(self) -> Bubbles | None:
        """The BubbleView task, if a trial has one."""
        return next((task for task in self.tasks if isinstance(task, Bubbles)), None)

    @property
    def default_language(self) -> str:
        """The language of whoever asks for none that is there."""
        return self.languages[0]

    def language(self, wanted: str | None) -> str:
        """Return the wanted language where it is offered, or its base, or the default."""
        for candidate in (wanted, (wanted or "").partition("-")[0]):
            if candidate in self.languages:
                return str(candidate)
        return self.default_language
