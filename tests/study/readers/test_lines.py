"""JSON Lines are streamed: whatever the file, a batch stays small."""

from __future__ import annotations

import gzip
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.errors import StudyError
from beholder.study.readers import lines as module
from beholder.study.readers.lines import (
    MAXIMUM_LINE_BYTES,
    count_batches,
    find_lines,
    parse_line,
    read_lines,
)


@given(
    st.lists(st.sampled_from([b"", b" ", b"{}", b'{"a": 1}', b"x" * 40, b"\r", b"\xff"])),
    st.sampled_from([b"", b"\n"]),
    st.integers(1, 100),
    st.booleans(),
)
def test_batches_are_the_lines_of_the_file(
    content: list[bytes], end: bytes, batch: int, compressed: bool
) -> None:
    data = b"\n".join(content) + end
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH_BYTES", batch)
        file = Path(folder) / ("a.jsonl.gz" if compressed else "a.jsonl")
        file.write_bytes(gzip.compress(data) if compressed else data)
        batches = list(read_lines([file]))
    found = [line for lines in batches for line in lines.lines]
    expected = [(n, line) for n, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
    assert [(number, line.removesuffix(b"\n")) for number, line in found] == expected
    for lines in batches:
        assert lines.file == file.name
        assert sum(len(line) for _, line in lines.lines[:-1]) < batch


def test_a_line_of_a_hundred_megabytes_is_passed_over_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    with file.open("wb") as stream:
        stream.write(b'{"a": 1}\n"')
        stream.seek(100_000_000)
        stream.write(b'"\n{"a": 3}\n')
    tracemalloc.start()
    (batch,) = read_lines([file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * MAXIMUM_LINE_BYTES
    assert [number for number, _ in batch.lines] == [1, 2, 3]
    (_, first), (_, second), (_, third) = batch.lines
    assert (parse_line(first), parse_line(third)) == ({"a": 1}, {"a": 3})
    with pytest.raises(StudyError, match=r"^a line of at most 4,194,304 bytes$"):
        parse_line(second)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_the_longest_line(tmp_path: Path, length: int) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'"' + b"a" * (MAXIMUM_LINE_BYTES - 4 + length) + b'"\n{}\n')
    (batch,) = read_lines([file])
    assert len(batch.lines) == 2
    expected = "a JSON object" if length < 2 else "a line of at most"
    with pytest.raises(StudyError, match=expected):
        parse_line(batch.lines[0][1])


@pytest.mark.parametrize("damage", ["truncated", "changed", "not compressed", "empty trailer"])
def test_a_damaged_archive_ends_the_reading(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(b'{"a": "some text that is long enough"}\n' * 3)
    damaged = {
        "truncated": whole[: len(whole) // 2],
        "changed": whole[:-8] + b"\0\0\0\0" + whole[-4:],
        "not compressed": b'{"a": 1}\n',
        "empty trailer": whole[:-8],
    }
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(damaged[damage])
    with pytest.raises(StudyError, match=r"^a\.jsonl\.gz, row \d: the file cannot be read to its"):
        list(read_lines([file]))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{", "a JSON object (Expecting property name"),
        (b'{"a": 1} {', "a JSON object (Extra data"),
        (b'{"a": 1', "a JSON object (Expecting ',' delimiter"),
        (b"[" * 100_000, "a JSON object (maximum recursion"),
        (b"1" * 5_000, "a JSON object (Exceeds the limit"),
        (b"[]", "a JSON object"),
        (b"null", "a JSON object"),
        (b'{"a": "\xe4"}', "UTF-8, which byte 0xe4 is not"),
        ('{"a": 1}'.encode("utf-16-le"), "a JSON object"),
        (b"\xef\xbb\xbf{}", "a JSON object"),
    ],
)
def test_what_is_no_object(line: bytes, expected: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_line(line)
    assert str(caught.value).startswith(expected)


def test_a_byte_order_mark_may_start_a_file() -> None:
    assert parse_line(b'\xef\xbb\xbf{"a": 1}\r\n', is_first=True) == {"a": 1}


def test_files_are_found_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "c.json", "d.txt"):
        (tmp_path / name).write_text("x" * 25)
    assert [file.name for file in find_lines(tmp_path)] == ["a.jsonl.gz", "b.jsonl"]
    assert find_lines(tmp_path / "d.txt") == [tmp_path / "d.txt"]
    monkeypatch.setattr(module, "BATCH_BYTES", 10)
    assert count_batches([tmp_path / "b.jsonl", tmp_path / "c.json"]) == 6
    assert count_batches(find_lines(tmp_path)) is None
    for path in (tmp_path / "absent", tmp_path / "empty"):
        with pytest.raises(StudyError, match=r"is no file and holds none that ends in \.jsonl or"):
            find_lines(path)
        (tmp_path / "empty").mkdir(exist_ok=True)
