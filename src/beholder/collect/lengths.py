"""Lengths on an image: in its pixels, or as a share of its longer side."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator

_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(px|%)")


@dataclass(frozen=True)
class ImageLength:
    """A length such as ``30px`` of the image, or ``4%`` of its longer side."""

    value: float
    unit: Literal["px", "%"]

    def pixels(self, width: int, height: int) -> float:
        """Return the length in pixels of an image of this size."""
        return self.value if self.unit == "px" else self.value / 100 * max(width, height)

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"


def parse_length(text: object) -> ImageLength:
    """Return the length that a text states; raise ValueError where it states none above 0."""
    if isinstance(text, ImageLength):
        return text
    match = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match or float(match[1]) <= 0 or (match[2] == "%" and float(match[1]) > 100):
        raise ValueError(f"{text!r} is no length above 0 such as '30px' or '4%'")
    return ImageLength(float(match[1]), "px" if match[2] == "px" else "%")


Length = Annotated[ImageLength, PlainValidator(parse_length), PlainSerializer(str)]
