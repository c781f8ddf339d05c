"""A server's token: made once, kept in a file that only its owner reads."""

import hmac
import os
import secrets
from pathlib import Path

from beholder.errors import ConfigurationError

_SHORTEST = 16


def new_token() -> str:
    """Return a new random token."""
    return secrets.token_urlsafe(32)


def load_or_create_token(path: Path) -> str:
    """Return the token of a file, making a new random one where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write the token {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(new_token() + "\n")
    return _read(path)


def matches(given: str | None, expected: str) -> bool:
    """Tell whether a token is the expected one, in a time that tells nothing about it."""
    return hmac.compare_digest((given or "").encode("utf-8", "replace"), expected.encode())


def _read(path: Path) -> str:
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the token {path} cannot be read: {error}") from error
    if len(token) < _SHORTEST:
        raise ConfigurationError(
            f"the token {path} has {len(token)} characters; {_SHORTEST} are the least"
        )
    return token
