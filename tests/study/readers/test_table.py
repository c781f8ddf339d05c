"""Tables of text cells: what is accepted, and what is refused in which words."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholder.errors import StudyError
from beholder.study.problems import Problem, Problems, shown
from beholder.study.readers import csv_file
from beholder.study.readers.table import MAXIMUM_ROW_BYTES, Table, find_table, read_table

STRICT = Problems(skip=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def _read(file: Path, content: str | bytes, **rename: str) -> Table:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file, rename, ("a", "b"), STRICT)


def _rows(table: Table) -> list[tuple[int, str, str]]:
    return list(zip(table.row.tolist(), table.texts("a"), table.texts("b"), strict=True))


def test_cells_are_text_and_rows_count_from_the_header(file: Path) -> None:
    table = _read(file, "a,b\n1, x \nNA,\n")
    assert _rows(table) == [(2, "1", "x"), (3, "NA", "")]
    assert len(table) == 2
    assert "a" in table
    assert "c" not in table
    assert table.empty("b").tolist() == [False, True]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y\r\n",
        "\ufeffa,b\n1,x\n2,y\n",
        "\ufeffa,b\r\n1,x\r\n2,y",
        '"a","b"\n"1","x"\n"2","y"\n\n\n',
    ],
)
def test_line_ends_marks_and_quotes_make_no_difference(file: Path, content: str) -> None:
    assert _rows(_read(file, content)) == [(2, "1", "x"), (3, "2", "y")]


def test_empty_lines_are_no_rows_but_count(file: Path) -> None:
    assert _rows(_read(file, "a,b\n\n1,x\n,\n2,y\n\n")) == [(3, "1", "x"), (5, "2", "y")]


def test_a_line_break_inside_quotation_marks_is_part_of_the_cell(file: Path) -> None:
    table = _read(file, 'a,b\n1,"x\ny ""z"""\n2,"p\n\nq"\n')
    assert _rows(table) == [(2, "1", 'x\ny "z"'), (3, "2", "p\n\nq")]


def test_a_quotation_mark_inside_a_cell_is_kept(file: Path) -> None:
    assert _rows(_read(file, 'a,b\n1,a 5" nail\n2,y\n')) == [(2, "1", 'a 5" nail'), (3, "2", "y")]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("a;b\n1;x, y\n", [(2, "1", "x, y")]),
        ('"a";"b"\n"1";"x;y"\n', [(2, "1", "x;y")]),
        ("a\tb\n1\tx; y, z\n", [(2, "1", "x; y, z")]),
        ("a,b;c\n1,x;y\n", "has no column b"),
        ("a , b\n1,x\n", [(2, "1", "x")]),
    ],
)
def test_the_header_says_what_parts_the_cells(
    file: Path, content: str, rows: list[tuple[int, str, str]] | str
) -> None:
    if isinstance(rows, str):
        with pytest.raises(StudyError, match=rows):
            _read(file, content)
    else:
        assert _rows(_read(file, content)) == rows


def test_a_comma_stands_before_decimals_where_semicolons_part_the_cells(file: Path) -> None:
    table = _read(file, "a;b\n1,5;2\n-,25;1.5\n1,2,3;1.234,5\n")
    values, valid = table.numbers("a")
    assert values[:2].tolist() == [1.5, -0.25] and valid.tolist() == [True, True, False]
    assert table.numbers("b")[1].tolist() == [True, True, False]


def test_tabs_part_the_cells_of_a_tsv(tmp_path: Path) -> None:
    assert _rows(_read(tmp_path / "t.tsv", "a\tb\n1\tx, y\n")) == [(2, "1", "x, y")]


@pytest.mark.parametrize("content", ["a,b\n", "a,b", "a,b\r\n\r\n"])
def test_a_header_alone_is_a_table_without_rows(file: Path, content: str) -> None:
    assert len(_read(file, content)) == 0


def test_columns_are_renamed_and_a_replaced_one_stays_apart(file: Path) -> None:
    table = _read(file, "a,screen a,b\n1,2,3\n", a="screen a")
    assert _rows(table) == [(2, "2", "3")]
    assert table.data.column_names == ["a (replaced)", "a", "b"]
    problem = table.problems(np.array([True]), "a", "more")[0]
    assert str(problem) == "t.csv, row 2, column screen a: found '2', expected more"


def test_columns_can_be_exchanged(file: Path) -> None:
    assert _rows(_read(file, "a,b\n1,2\n", a="b", b="a")) == [(2, "2", "1")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"^t\.csv is empty, expected a header and rows$"),
        (b"\n\n", r"^t\.csv, row 1 is empty, expected the names of the columns$"),
        (b"a,c\n1,2\n", r"^t\.csv has no column b; it has a, c \(a mapping can rename columns\)$"),
        (b"a,b,a\n1,2,3\n", r"^t\.csv has two columns called a$"),
        (b"a|b\n1|2\n", r"^t\.csv has no column a; it has a\|b \(a mapping can rename columns\)$"),
        (b"a,b\n1,x\n1\n", r"^t\.csv, row 3, column a: found '1', expected 2 cells, not 1;"),
        (b"a,b\n\n1,x,y\n", r"^t\.csv, row 3, column a: found '1,x,y', expected 2 cells, not 3;"),
        (b'a,b\n"x\ny",1\n2\n', r"^t\.csv, row 3, column a: found '2', expected 2 cells"),
        (b"a,b\n1,x\n2,caf\xe9\n", r"^t\.csv, row 3: byte 0xe9 is not UTF-8; save the file as"),
        (b'a,b\n1,"x\ny"\n2,caf\xe9\n', r"^t\.csv, row 3: byte 0xe9 is not UTF-8"),
        (b"a,b\n1,caf\xc3", r"^t\.csv, row 2: byte 0xc3 is not UTF-8"),
        (b"\xff\xfea\x00,\x00b\x00", r"^t\.csv, row 1: byte 0xff is not UTF-8"),
        (
            b'a,b\n1,"x\n2,y\n3,z\n',
            r"^t\.csv, row 2: a cell that starts with a quotation mark does",
        ),
        (b'a,b\n1,y\n\n2,"x\nz', r"^t\.csv, row 4: a cell that starts with a quotation mark"),
        (b'a,b\n1,"x\n2,y\n3,"z"\n', r"^t\.csv, row 2: a cell that starts with a quotation mark"),
        (b'a,b\n"x\ny",1\n"2,y\n3,z\n', r"^t\.csv, row 3: a cell that starts with a quotation"),
        (b'"a,b\n' + b"1,2\n" * 99_999, r"^t\.csv, row 1: a cell that starts with a quotation"),
    ],
)
def test_a_faulty_file_is_refused(file: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        _read(file, content)


def test_a_missing_renamed_column_is_named_with_both_words(file: Path) -> None:
    with pytest.raises(StudyError, match="no column bee, which the mapping names for b; it has a"):
        _read(file, "a,b\n1,2\n", b="bee")


def test_rows_are_counted_where_a_block_ends_inside_quotation_marks(file: Path) -> None:
    content = b'a,b\n1,"' + b"x\n" * 700_000 + b'"\n2,caf\xe9\n'
    with pytest.raises(StudyError, match=r"^t\.csv, row 3: byte 0xe9 is not UTF-8"):
        _read(file, content)


@pytest.mark.parametrize("block", range(1, 26))
def test_rows_are_counted_wherever_a_block_ends(
    file: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "_CHUNK_BYTES", block)
    content = 'a,b\n1,é\n2,"é\né"\n3,€'.encode() + b"\xe9\n\n4,z\n"
    with pytest.raises(StudyError, match=r"^t\.csv, row 4: byte 0xe9 is not UTF-8"):
        _read(file, content)


def test_ragged_rows_are_skipped_and_listed_when_asked(file: Path) -> None:
    file.write_text("a,b\n1,x\n2\n\n3,y\n4,5,6\n7,z\n")
    problems = Problems(skip=True)
    assert _rows(read_table(file, {}, (), problems)) == [
        (2, "1", "x"),
        (5, "3", "y"),
        (7, "7", "z"),
    ]
    assert [(p.row, p.found) for p in problems.found] == [(3, "2"), (6, "4,5,6")]


def test_an_unclosed_quotation_mark_in_a_large_file_is_found_in_its_row(file: Path) -> None:
    with pytest.raises(StudyError, match=r"^t\.csv, row 2: a cell that starts with a quotation"):
        _read(file, b'a,b\n1,"x\n' + b"2,yyyyyyyyyyyyyyyyyy\n" * 500_000)


def test_a_row_of_a_hundred_megabytes_fails_fast_in_bounded_memory(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write(b"a,b\n1,x\n2,")
        for _ in range(100):
            stream.write(b"y" * 1_000_000)
    tracemalloc.start()
    allocated, started = pa.total_allocated_bytes(), time.process_time()
    try:
        with pytest.raises(StudyError, match=r"^t\.csv, row 3: a row of over 1,048,576 bytes"):
            read_table(file, {}, ("a", "b"), STRICT)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert pa.total_allocated_bytes() - allocated < 20e6
    assert time.process_time() - started < 2


def test_a_row_just_below_the_limit_is_read(file: Path) -> None:
    text = "y" * (MAXIMUM_ROW_BYTES - 10)
    assert _read(file, f"a,b\n1,{text}\n2,{text}\n3,z\n").texts("b") == [text, text, "z"]


def test_a_character_on_the_border_of_two_blocks_is_read(file: Path) -> None:
    lines = "1,xx€\n" * 400_000  # over 3 MB: a block ends inside some €
    assert set(_read(file, "a,b\n" + lines).texts("b")) == {"xx€"}


def test_a_parquet_file_is_read_as_text(tmp_path: Path) -> None:
    columns = {
        "a": [1, None],
        "b": [0.5, float("nan")],
        "c": pa.array(["x", "y"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", {}, ("a", "b"), STRICT)
    assert table.texts("a") == ["1", ""]
    assert table.texts("c") == ["x", "y"]
    numbers, valid = table.numbers("b")
    assert valid.tolist() == [True, False]
    assert numbers[0] == 0.5
    assert table.row.tolist() == [2, 3]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StudyError, match=r"t\.parquet cannot be read as a table"):
        _read(tmp_path / "t.parquet", content)


def test_a_parquet_column_of_lists_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [[b"\xff"]], "b": [1]}), tmp_path / "t.parquet")
    with pytest.raises(StudyError, match=r"t\.parquet cannot be read as a table"):
        read_table(tmp_path / "t.parquet", {}, ("a", "b"), STRICT)


def test_numbers(file: Path) -> None:
    cells = ["1", " -2.5 ", "+.5", "3.", "1e2", "", "nan", "inf", "1e999", "1,5", "0x1", "1_0", "١"]
    content = "a,b\n" + "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
    numbers, valid = _read(file, content).numbers("b")
    assert valid.tolist() == [True] * 5 + [False] * 8
    assert numbers[:5].tolist() == [1, -2.5, 0.5, 3, 100]
    assert np.isnan(numbers[5:]).all()


def test_a_table_is_found_by_its_name_with_or_without_an_ending(tmp_path: Path) -> None:
    assert find_table(tmp_path, "samples") is None
    for name in ("samples.parquet", "samples.tsv", "samples.csv", "samples"):
        (tmp_path / name).touch()
        assert find_table(tmp_path, "samples") == tmp_path / name
        assert find_table(tmp_path, name) == tmp_path / name
        (tmp_path / name).unlink()
    for name in ("samples.md", "samples.json.md", "my samples.csv"):
        (tmp_path / name).touch()
    assert find_table(tmp_path, "samples") is None


def test_one_of_two_tables_is_not_chosen_silently(tmp_path: Path) -> None:
    for name in ("samples.csv", "samples.parquet"):
        (tmp_path / name).touch()
    with pytest.raises(StudyError, match=r"holds samples\.csv and samples\.parquet, expected one"):
        find_table(tmp_path, "samples")


def test_the_first_bad_row_of_a_file_ends_a_strict_reading() -> None:
    found = [Problem("t.csv", row, "a", "x", "a number") for row in (4, 7, 9)]
    with pytest.raises(StudyError) as caught:
        Problems(skip=False).add(found)
    assert str(caught.value) == (
        "t.csv, row 4, column a: found 'x', expected a number (2 more like it in this file); "
        "--skip-bad keeps the good rows"
    )


def test_skipped_rows_are_counted_once_and_listed() -> None:
    problems = Problems(skip=True)
    assert problems.summary() == []
    problems.add([Problem("t.csv", 4, "a", 'x "y",\nz', "a number")])
    assert problems.summary() == [
        "1 row left out, listed in skipped.csv; the first: t.csv, row 4, column a: "
        "found 'x \"y\",\\nz', expected a number"
    ]
    problems.add([Problem("t.csv", 4, "b", "", "a number"), Problem("u.csv", 4, "b", "", "more")])
    assert problems.rows == 2
    assert problems.summary()[0].startswith("2 rows left out")
    assert problems.csv().splitlines() == [
        "file,row,column,found,expected",
        't.csv,4,a,"\'x ""y"",\\nz\'",a number',
        "t.csv,4,b,nothing,a number",
        "u.csv,4,b,nothing,more",
    ]


def test_a_long_cell_is_shortened() -> None:
    assert shown("x" * 60) == f"'{'x' * 60}'"
    assert shown("x" * 61) == f"'{'x' * 60}…' (61 characters)"
    assert shown("\x1b[31m") == "'\\x1b[31m'"
