"""What the pages say, by language: files beside the pages, and a definition's own wording."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable


def _folder() -> Traversable:
    return resources.files("beholder.collect").joinpath("pages", "messages")


@cache
def languages_with_messages() -> frozenset[str]:
    """Return the languages in which the pages are written."""
    return frozenset(f.name[:-5] for f in _folder().iterdir() if f.name.endswith(".json"))


def load_messages(language: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the messages of a language by key, with a definition's own put in their place."""
    messages: dict[str, str] = json.loads(_folder().joinpath(f"{language}.json").read_text("utf-8"))
    return messages | dict(overrides or {})
