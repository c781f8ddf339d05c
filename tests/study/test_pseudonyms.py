"""Pseudonyms are stable under a key, and the key stays private."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from beholder.errors import ConfigurationError
from beholder.study.pseudonyms import Pseudonymiser, default_key_file, load_or_create_key
from beholder.study.readers import ReadOptions
from beholder.study.readers.options import pseudonym_function


def test_a_key_always_gives_the_same_pseudonym(tmp_path: Path) -> None:
    made = load_or_create_key(tmp_path / "deep" / "key")
    loaded = load_or_create_key(tmp_path / "deep" / "key")
    assert made("A1B2 ü") == loaded("A1B2 ü")
    assert re.fullmatch("p[0-9a-f]{16}", made("A1B2 ü"))


def test_a_known_key_gives_a_known_pseudonym() -> None:
    assert Pseudonymiser(bytes(32))("A1") == "p" + _hmac_by_hand(bytes(32), b"A1")[:16]


def _hmac_by_hand(key: bytes, message: bytes) -> str:
    """RFC 2104, written out."""
    from hashlib import sha256

    block = key.ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


def test_keys_and_ids_give_different_pseudonyms(tmp_path: Path) -> None:
    one, other = load_or_create_key(tmp_path / "one"), load_or_create_key(tmp_path / "other")
    assert one("A1") != other("A1")
    assert one("A1") != one("A2")


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Pseudonymiser(b"secret"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no hexadecimal", "is not a readable pseudonym key"),
        (b"\xff\xfe", "is not a readable pseudonym key"),
        (b"", "holds 0 bytes; a pseudonym key has 32"),
        (b"00" * 31, "holds 31 bytes; a pseudonym key has 32"),
    ],
)
def test_a_bad_key_file_is_refused_and_kept(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=sentence):
        load_or_create_key(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == content


def test_a_key_inside_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="Not a directory"):
        load_or_create_key(tmp_path / "file" / "key")


def test_a_key_inside_a_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("")
    with pytest.raises(ConfigurationError, match="would lie inside a study"):
        load_or_create_key(tmp_path / "keys" / "key")
    assert not (tmp_path / "keys").exists()


def test_the_key_lies_in_the_users_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEHOLDER_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/someone/.settings")
    assert default_key_file() == Path("/home/someone/.settings/beholder/pseudonym.key")
    monkeypatch.setenv("BEHOLDER_KEY_FILE", "/safe/key")
    assert default_key_file() == Path("/safe/key")


def test_ids_stay_where_no_pseudonyms_are_wanted(options: ReadOptions) -> None:
    assert pseudonym_function(options, default=False)("A1") == "A1"
    assert pseudonym_function(options, default=True)("A1") != "A1"
    plain = replace(options, pseudonymise=False)
    assert pseudonym_function(plain, default=True)("A1") == "A1"
