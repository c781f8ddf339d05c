"""What an address may hold, and what of it is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import ConfigurationError
from beholder.remote.address import Address, is_remote, without_secrets


@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ("s3://bucket/a/study/", "s3://bucket/a/study", "study"),
        ("s3://bucket", "s3://bucket", "bucket"),
        ("GS://bucket/pilot 2/", "gs://bucket/pilot 2", "pilot_2"),
        ("file:///data/study", "file:///data/study", "study"),
        ("memory://study", "memory://study", "study"),
        ("https://user:pw@host:8080/a?sig=abc", "https://host:8080/a", "a"),
        ("https://token@host/a", "https://host/a", "a"),
        ("https://[::1]:80/a", "https://[::1]:80/a", "a"),
        ("https://[::1]/a", "https://[::1]/a", "a"),
        ("sftp://me:pw@host/a", "sftp://host/a", "a"),
        ("sftp://me@host/a", "sftp://me@host/a", "a"),
        ("abfs://box@account.dfs.core.windows.net/a", None, "a"),
        ("s3://bucket/..", "s3://bucket/..", "folder"),
        ("s3://bucket/größer", "s3://bucket/größer", "größer"),
    ],
)
def test_an_address_is_shown_without_its_secrets(text: str, shown: str | None, name: str) -> None:
    assert is_remote(text)
    address = Address.parse(text)
    assert address.shown == without_secrets(text) == (shown or text)
    assert address.name == name
    assert "pw" not in repr(address) and "abc" not in repr(address)
    assert address.has_secrets == any(secret in text for secret in ("pw", "sig", "token"))


@pytest.mark.parametrize("place", ["study", "/a/b", "C:study", "a:/b", "./s3:/b", Path("s3://b/c")])
def test_a_path_is_no_address(place: str | Path) -> None:
    assert not is_remote(place)
    assert without_secrets(place) == str(place)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("s3://bucket/a?secret=1", "takes no query"),
        ("https://user:se/cret@host/a", "%2F and %3F"),
        ("https://user:se?cret@host/a", "%2F and %3F"),
        ("s3://", "of no folder"),
        ("file:///", "of no folder"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_without_its_secrets(
    text: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        Address.parse(text)
    assert "cret" not in str(caught.value)


@given(st.text("abc:@?&=%", max_size=12), st.sampled_from(["https", "s3", "sftp"]))
def test_no_password_and_no_query_is_ever_shown(secret: str, protocol: str) -> None:
    url = f"{protocol}://user:SECRET{secret}@host/folder"
    try:
        address = Address.parse(url)
    except ConfigurationError as error:
        assert "SECRET" not in str(error)
    else:
        assert "SECRET" not in address.shown
        assert "SECRET" not in repr(address)
