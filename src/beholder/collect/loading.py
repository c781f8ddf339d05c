"""Reading a definition: a TOML file in, a checked definition or one clear sentence out."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from beholder.collect.checks import faults
from beholder.collect.definition import Definition
from beholder.errors import ConfigurationError


def load_definition(path: Path) -> Definition:
    """Return the definition of a TOML file, checked, or raise ConfigurationError.

    Its paths are relative to the file. Images are looked for, but not opened.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the definition {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    try:
        definition = Definition.model_validate(data).beside(path)
    except ValidationError as error:
        first, *others = error.errors(include_url=False)
        where = _place(first["loc"]) or "the file"
        also = f" (and {len(others)} more)" if others else ""
        wrong = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{path}: {where}: {wrong}{also}") from error
    for fault in faults(definition):
        raise ConfigurationError(f"{path}: {fault}")
    return definition


def _place(location: tuple[int | str, ...]) -> str:
    """Return where something is, as in ``tasks[0].blur`` (without the branch of a union)."""
    place = ""
    for step in location:
        if isinstance(step, int):
            place += f"[{step}]"
        elif step not in ("bubbles", "caption") and "[" not in step:
            place += f".{step}" if place else step
    return place
