"""What a participant's page may send: strict models, with a bound on everything."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from beholder.collect.texts import storable

_LATEST_MS = 2**53  # a larger number is no longer exact in a browser
_LONGEST_MS = 366 * 86_400_000.0


def _cleaned(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


Fraction = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0, le=_LONGEST_MS)]
WallClock = Annotated[int, Field(ge=0, le=_LATEST_MS)]
Pixels = Annotated[float, Field(ge=-1_000_000, le=1_000_000)]
Size = Annotated[float, Field(ge=0, le=1_000_000)]
Scale = Annotated[float, Field(gt=0, le=1000)]
UUID = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(_cleaned)]
Parameter = Annotated[str, StringConstraints(max_length=500), BeforeValidator(_cleaned)]
Written = Annotated[str, StringConstraints(max_length=10_000), BeforeValidator(_cleaned)]


class Body(BaseModel):
    """A part of a body: no key but its own, no other type, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Enter(Body):
    """The parameters of the page's address, and the language its reader wants."""

    entry: Annotated[dict[Parameter, Parameter], Field(max_length=20)]
    language: Annotated[str, StringConstraints(max_length=20)] | None = None


class Language(Body):
    """Another language for an open session."""

    language: Annotated[str, StringConstraints(max_length=20)]


class Consent(Body):
    """An answer to the consent text of a version."""

    agreed: bool
    version: Annotated[str, StringConstraints(max_length=100)]


class ImageBox(Body):
    """Where the image lies in the viewport, in CSS pixels."""

    left: Pixels
    top: Pixels
    width: Size
    height: Size


class Environment(Body):
    """What the participant's screen is like at a moment, in CSS pixels."""

    viewport_width: Size
    viewport_height: Size
    device_pixel_ratio: Scale
    zoom: Scale
    screen_width: Size
    screen_height: Size
    angle: Literal[0, 90, 180, 270]
    image_box: ImageBox | None = None


class Calibration(Body):
    """A screen measured with a bank card, and the distance that the participant states."""

    pixels_per_cm: Annotated[float, Field(gt=1, le=10_000)]
    viewing_distance_cm: Annotated[float, Field(ge=5, le=500)]
    card_width_px: Annotated[float, Field(gt=1, le=100_000)]


class Device(Body):
    """A participant's device."""

    environment: Environment
    inputs: Annotated[list[Literal["mouse", "touch", "keyboard"]], Field(max_length=3)]
    user_agent_family: Literal["chromium", "firefox", "webkit", "other"]
    color_scheme: Literal["dark", "light"]
    reduced_motion: bool
    time_zone_offset_minutes: Annotated[int, Field(ge=-1000, le=1000)]
    calibration: Calibration | None = None


class Click(Body):
    """A bubble: its place in fractions of the image, its time since the trial's start."""

    n: Annotated[int, Field(ge=1, le=2000)]
    x: Fraction
    y: Fraction
    t: Milliseconds
    radius_px: Annotated[float, Field(gt=0, le=100_000)]  # pixels of the image
    input: Literal["mouse", "touch", "pen", "keyboard"]


class Paste(Body):
    """That something was pasted, and how long it was."""

    t: Milliseconds
    characters: Annotated[int, Field(ge=0, le=10_000_000)]


class BubblesDone(Body):
    """What was uncovered; ``path`` is the cursor's as [t, x, y], where it was recorded."""

    kind: Literal["bubbles"]
    name: Key
    started_ms: Milliseconds
    ended_ms: Milliseconds
    timed_out: bool
    clicks: Annotated[list[Click], Field(max_length=2000)]
    path: Annotated[
        list[Annotated[list[float], Field(min_length=3, max_length=3)]], Field(max_length=20_000)
    ] = []


class CaptionDone(Body):
    """What was written, and when keys were pressed (never which)."""

    kind: Literal["caption"]
    name: Key
    started_ms: Milliseconds
    ended_ms: Milliseconds
    timed_out: bool
    text: Written
    keys: Annotated[list[Milliseconds], Field(max_length=5000)] = []
    pastes: Annotated[list[Paste], Field(max_length=200)] = []
    deletions: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Event(Body):
    """Something that happened to the page."""

    t: Milliseconds
    kind: Literal[
        "hidden",
        "visible",
        "blur",
        "focus",
        "resize",
        "rotate",
        "zoom",
        "offline",
        "online",
        "reload",
    ]
    environment: Environment | None = None


TaskDone = Annotated[BubblesDone | CaptionDone, Field(discriminator="kind")]


class TrialRecord(Body):
    """Everything that a trial recorded; times in its parts count from its start."""

    client_id: UUID
    started_at_ms: WallClock
    clock_offset_ms: Annotated[float, Field(ge=-_LATEST_MS, le=_LATEST_MS)] | None = None
    duration_ms: Milliseconds
    environment: Environment
    tasks: Annotated[list[TaskDone], Field(min_length=1, max_length=10)]
    events: Annotated[list[Event], Field(max_length=2000)] = []


class Choice(Body):
    """An answer when it was given, also one that was changed later."""

    t: Milliseconds
    key: Key
    answer: Annotated[int, Field(ge=-128, le=127)]


class SurveyRecord(Body):
    """The answered survey."""

    client_id: UUID
    answers: Annotated[
        dict[Key, Annotated[int, Field(ge=-128, le=127)]], Field(min_length=1, max_length=500)
    ]
    order: Annotated[list[Key], Field(max_length=500)]
    started_at_ms: WallClock
    duration_ms: Milliseconds
    choices: Annotated[list[Choice], Field(max_length=2000)] = []
    environment: Environment
    events: Annotated[list[Event], Field(max_length=2000)] = []


class Finish(Body):
    """The end of the debriefing, with what the participant wants to say."""

    comment: Annotated[
        str | None, StringConstraints(max_length=2000), BeforeValidator(_cleaned)
    ] = None


class Leave(Body):
    """The participant stops here."""

    reason: Literal["left"]
