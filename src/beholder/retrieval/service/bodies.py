"""What may be asked: strict models, with a bound on everything."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from beholder.retrieval.query import Query
from beholder.retrieval.records import parse_gaze
from beholder.retrieval.service.limits import (
    LARGEST_NUMBER,
    LONGEST_NAME,
    MOST_CELLS,
    MOST_CHARACTERS,
    MOST_ITEMS,
    MOST_NAMES,
    MOST_OFFSET,
    MOST_POINTS,
    MOST_QUERIES,
    MOST_TOP,
)
from beholder.retrieval.store import Filters

Number = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
Names = Annotated[list[Name], Field(max_length=MOST_NAMES)]
Place = Annotated[float, Field(ge=-1, le=2)]
Seconds = Annotated[float, Field(ge=0, le=1e6)]
Cell = Annotated[float, Field(ge=0, le=1e6)]
Modality = Literal["gaze", "text", "personality"]
Find = Literal["text", "gaze", "personality", "participants", "images"]


class Body(BaseModel):
    """A part of a body: no key but its own, no other type, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PointsBody(Body):
    """Clicks or fixations in order: fractions of the image, and seconds."""

    form: Literal["points"] = "points"
    x: Annotated[list[Place], Field(min_length=1, max_length=MOST_POINTS)]
    y: Annotated[list[Place], Field(min_length=1, max_length=MOST_POINTS)]
    time: Annotated[list[Seconds], Field(max_length=MOST_POINTS)] | None = None
    duration: Annotated[list[Seconds], Field(max_length=MOST_POINTS)] | None = None


class AreasBody(Body):
    """Areas that fixations hit: row r says that ``fixation[r]`` hit ``label[r]`` in ``box[r]``."""

    form: Literal["areas"]
    fixations: Annotated[int, Field(ge=1, le=MOST_POINTS)]
    fixation: Annotated[list[Number], Field(max_length=MOST_POINTS)]
    label: Annotated[list[Name], Field(max_length=MOST_POINTS)]
    box: Annotated[
        list[Annotated[list[Place], Field(min_length=4, max_length=4)]],
        Field(max_length=MOST_POINTS),
    ]


class MapBody(Body):
    """Attention by cell: rows from the top of the image down, numbers from 0."""

    form: Literal["map"]
    values: Annotated[
        list[Annotated[list[Cell], Field(min_length=1, max_length=MOST_CELLS)]],
        Field(min_length=1, max_length=MOST_CELLS),
    ]


def _form(value: Any) -> Any:
    own = value.get("form", "points") if isinstance(value, dict) else getattr(value, "form", None)
    return own if isinstance(own, str) else None


GazeBody = Annotated[
    Annotated[PointsBody, Tag("points")]
    | Annotated[AreasBody, Tag("areas")]
    | Annotated[MapBody, Tag("map")],
    Discriminator(
        _form,
        custom_error_type="form",
        custom_error_message="a gaze is of points, areas or a map",
    ),
]


class ImageNumber(Body):
    """An image of the store by its number."""

    number: Number


class TraitRange(Body):
    """Who has a trait from ``low`` to ``high``, both included."""

    trait: Name
    low: float
    high: float


class FiltersBody(Body):
    """What may answer; several names of a kind are alternatives."""

    participants: Names = []
    images: Names = []
    tasks: Names = []
    parts: Names = []
    traits: Annotated[list[TraitRange], Field(max_length=20)] = []

    def filters(self) -> Filters:
        """Return the filters as the store takes them."""
        return Filters(
            tuple(self.participants),
            tuple(self.images),
            tuple(self.tasks),
            tuple(self.parts),
            tuple((one.trait, one.low, one.high) for one in self.traits),
        )


class SearchBody(Body):
    """A gaze with its image, a text, a survey or several of them, and what is to be found.

    ``exact`` false allows an index to propose who may be first, where the store has one.
    """

    gaze: GazeBody | None = None
    image: Name | ImageNumber | None = None
    text: Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)] | None = None
    personality: (
        Annotated[list[Annotated[int, Field(ge=-128, le=127)]], Field(max_length=MOST_ITEMS)] | None
    ) = None
    weights: dict[Modality, Annotated[float, Field(gt=0, le=1e6)]] = {}
    find: Find = "text"
    seen_as: Annotated[Name | None, Field(alias="as")] = None
    filters: FiltersBody = FiltersBody()
    top: Annotated[int, Field(ge=1, le=MOST_TOP)] = 10
    offset: Annotated[int, Field(ge=0, le=MOST_OFFSET)] = 0
    exact: bool = True

    def query(self, image: str | None) -> Query:
        """Return the query, with the image by its name; BeholderError for a contradiction."""
        gaze = self.gaze
        return Query(
            gaze=None if gaze is None else parse_gaze(gaze.model_dump(), "the gaze"),
            image=image,
            text=self.text,
            personality=None if self.personality is None else tuple(self.personality),
            weights={str(name): weight for name, weight in self.weights.items()},
            find=self.find,
            seen_as=self.seen_as,
            filters=self.filters.filters(),
            top=self.top,
            offset=self.offset,
            approximate=not self.exact,
        )


class BatchBody(Body):
    """Several queries, answered from one state of the store, all or none."""

    queries: Annotated[list[SearchBody], Field(min_length=1, max_length=MOST_QUERIES)]


class ExplainBody(Body):
    """A query, and the number of the sample, participant or image whose score is in question."""

    query: SearchBody
    answer: Number
