"""Optional libraries: what to install where one is missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from beholder.errors import ConfigurationError

_SERVE = frozenset({"fastapi", "pydantic", "starlette", "uvicorn"})
LIBRARIES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "serve": _SERVE,
        "collect": _SERVE | {"alembic", "sqlalchemy"},
        "storage": frozenset({"fsspec"}),
        "pretrained": frozenset({"huggingface_hub", "sentence_transformers", "transformers"}),
    }
)
"""The libraries of an extra, by the names under which they are imported."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra where one of its libraries is missing, as a ConfigurationError."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in LIBRARIES[extra]:
            raise
        raise ConfigurationError(
            f"{library} is missing: pip install 'beholder[{extra}]'"
        ) from error
