"""Sources of the form ``tables``, made anew, and what reading them gives."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from small_study import make_picture

from beholder.errors import BeholderError
from beholder.study import Study
from beholder.study.readers import ReadOptions, ReadReport, read

SAMPLES = """participant,image,text
p1,a.png,a red house
p1,b.png,two dogs
p2,a.png,a roof
"""
FIXATIONS = """participant,image,x,y,t,duration
p1,a.png,10,15,0.5,0.2
p1,a.png,20,30,0.25,0.1
p1,b.png,0,0,7,0.3
p2,a.png,40,7.5,1,0.4
"""
AREAS = """participant,image,fixation,aoi_label,aoi_x,aoi_y,aoi_width,aoi_height
p1,a.png,1,house,0,0,20,30
p1,a.png,1,door,10,15,4,6
p1,a.png,2,,,,,
p1,a.png,7,tree,20,0,20,30
"""
ITEMS = ",".join(f"item_{number}" for number in range(1, 11))
PARTICIPANTS = f"participant,{ITEMS}\np1,4,4,1,4,1,3,1,5,1,4\np2,,,,,,,,,,\n"

Source: TypeAlias = Callable[..., Path]


def make_source(folder: Path, **tables: str | bytes) -> Path:
    """Make a source folder of two images, 40 by 30 and 50 by 20, and of the given tables."""
    make_picture(folder / "images" / "a.png", 40, 30)
    make_picture(folder / "images" / "b.png", 50, 20)
    for name, content in tables.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.csv").write_bytes(data)
    return folder


def read_source(source: Path, options: ReadOptions) -> tuple[ReadReport, Study]:
    target = source.parent / "study"
    report = read("tables", source, target, options)
    return report, Study.open(target)


def skipped_in(study: Study) -> list[tuple[str, str, str]]:
    """Each skipped row's file, row and column."""
    if not (study.path / "skipped.csv").exists():
        return []
    with (study.path / "skipped.csv").open(newline="") as stream:
        return [(row["file"], row["row"], row["column"]) for row in csv.DictReader(stream)]


def refusal_of(source: Path, options: ReadOptions) -> str:
    """The sentence with which a strict reading ends, having written nothing."""
    target = source.parent / "study"
    with pytest.raises(BeholderError) as caught:
        read("tables", source, target, options)
    assert not target.exists()
    assert [path for path in source.parent.iterdir() if path.name.endswith(".partial")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)
