"""Pseudonyms: a keyed hash in place of a worker's id, the key kept outside the study.

Whoever holds the key can tell whether a known worker took part; whoever holds only the study
cannot, because the ids of crowd workers are too few to hide behind a hash without a key.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from beholder.errors import ConfigurationError

KEY_BYTES = 32
_KEY_FILE_VARIABLE = "BEHOLDER_KEY_FILE"


@dataclass(frozen=True)
class Pseudonymiser:
    """Turns an id into a pseudonym that the same key always gives again."""

    key: bytes = field(repr=False)

    def __call__(self, identity: str) -> str:
        """Return ``p`` and 16 hexadecimal digits (64 bits: no clash among millions)."""
        return "p" + hmac.new(self.key, identity.encode(), sha256).hexdigest()[:16]


def default_key_file() -> Path:
    """Return where a user's key lies unless told otherwise: never inside a study."""
    if given := os.environ.get(_KEY_FILE_VARIABLE):
        return Path(given)
    configuration = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(configuration) / "beholder" / "pseudonym.key"


def load_or_create_key(path: Path) -> Pseudonymiser:
    """Return the pseudonymiser of a key file, making a new random key where there is none."""
    if any((folder / "study.toml").is_file() for folder in path.resolve().parents):
        raise ConfigurationError(f"the pseudonym key {path} would lie inside a study")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Pseudonymiser(_read_key(path))
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the pseudonym key {path}: {error.strerror}"
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    return Pseudonymiser(_read_key(path))


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is not a readable pseudonym key: {error}") from error
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{path} holds {len(key)} bytes; a pseudonym key has {KEY_BYTES}, in hexadecimal"
        )
    return key
