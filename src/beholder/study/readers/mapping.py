"""How a lab's files and columns are named: a small TOML file, parsed once."""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from beholder.errors import ConfigurationError

COLUMNS = {
    "samples": ("participant", "image", "text", "task"),
    "fixations": (
        *("participant", "image", "task", "x", "y", "t", "duration"),
        *("fixation", "aoi_label", "aoi_x", "aoi_y", "aoi_width", "aoi_height"),
    ),
    "participants": ("participant",),
}
SECONDS_IN = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Mapping:
    """Names of the files in a source folder, names of their columns, and their units.

    ``columns[table]`` maps Beholder's column to the file's. ``coordinates`` is ``pixels`` or
    ``fractions``; ``time`` is ``s``, ``ms`` or ``us``.
    """

    samples: str = "samples"
    fixations: str = "fixations"
    participants: str = "participants"
    images: str = "images"
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    coordinates: str = "pixels"
    time: str = "s"

    def __post_init__(self) -> None:
        if self.coordinates not in ("pixels", "fractions"):
            raise ConfigurationError(
                f"units: coordinates are pixels or fractions, not {self.coordinates!r}"
            )
        if self.time not in SECONDS_IN:
            raise ConfigurationError(
                f"units: time is one of {', '.join(SECONDS_IN)}, not {self.time!r}"
            )

    def rename(self, table: str) -> dict[str, str]:
        """Return Beholder's column → the file's column for one table."""
        return self.columns.get(table, {})


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in a TOML file; an unknown key is an error.

    Sections: ``[files]``, ``[samples]``, ``[fixations]``, ``[participants]``, ``[units]``.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"mapping {path} cannot be read: {error}") from error
    where = f"mapping {path}"
    known_files = [f.name for f in fields(Mapping)][:4]
    files = _section(data, "files", known_files, where)
    units = _section(data, "units", ["coordinates", "time"], where)
    items = _items(data, where)
    columns = {table: _section(data, table, known, where) for table, known in COLUMNS.items()}
    if data:
        raise ConfigurationError(f"{where} has an unknown section [{next(iter(data))}]")
    return Mapping(**files, **units, columns=columns, items=items)


def _items(data: dict[str, Any], where: str) -> tuple[str, ...]:
    """Take the names of the items' columns out of the section on participants."""
    section = data.get("participants")
    items = section.pop("items", []) if isinstance(section, dict) else []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigurationError(
            f"{where}, [participants], items: expected a list of columns, found {items!r}"
        )
    return tuple(items)


def _section(data: dict[str, Any], name: str, known: Any, where: str) -> dict[str, str]:
    section = data.pop(name, {})
    if not isinstance(section, dict):
        raise ConfigurationError(f"{where}: {name} is {section!r}, expected a section [{name}]")
    for key, value in section.items():
        if key not in known:
            raise ConfigurationError(
                f"{where}, [{name}]: unknown key {key!r}, expected one of {', '.join(known)}"
            )
        if not isinstance(value, str):
            raise ConfigurationError(f"{where}, [{name}], {key}: expected a text, found {value!r}")
        if list(section.values()).count(value) > 1:
            raise ConfigurationError(f"{where}, [{name}]: {value!r} stands for two things")
    return dict(section)
