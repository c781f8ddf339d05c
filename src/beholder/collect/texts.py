"""Texts in several languages, and text from outside made safe to keep."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

LANGUAGE_TAG = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"

Language = Annotated[str, StringConstraints(pattern=LANGUAGE_TAG, max_length=20)]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Text = Annotated[Words | dict[Language, Words], Field(union_mode="left_to_right")]
"""What a definition says to people: one string for all languages, or one a language."""

# A surrogate without its partner has no UTF-8, and PostgreSQL keeps no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def in_language(text: str | Mapping[str, str], language: str) -> str:
    """Return a text in a language that the definition offers."""
    return text if isinstance(text, str) else text[language]


def missing_languages(text: str | Mapping[str, str], languages: tuple[str, ...]) -> Iterator[str]:
    """Yield the languages in which a text is not there."""
    if not isinstance(text, str):
        yield from (language for language in languages if language not in text)


def storable(text: str) -> str:
    """Return a text with the few characters that no database keeps replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)
