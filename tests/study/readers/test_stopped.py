"""A reading that is stopped half-way leaves no study, however it is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_bubbleview import entry, structs, user
from made_narratives import line, make_narrative, write_images
from scipy.io import savemat

from beholder.study import Study
from beholder.study.readers import ReadOptions, read

STOPPED = """
import sys
from beholder.study import read

def stopped(items, description, total=None):
    for item in items:
        yield item
        if description == sys.argv[4]:
            print("half written", flush=True)
            sys.stdin.read()

read(*sys.argv[1:4], progress=stopped)
"""


def _bubbleview(folder: Path, picture: Callable[..., Path]) -> None:
    picture(folder / "targets" / "a.png", 40, 30)
    savemat(folder / "clicks.mat", {"bubble": structs([entry("a.png", user())])})


def _narratives(folder: Path, picture: Callable[..., Path]) -> None:
    write_images(folder / "images", 1)
    made = make_narrative(np.random.default_rng(0), 0, 1)
    (folder / "a.jsonl").write_text(line(made))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(
    ("source_format", "make", "until"),
    [
        ("bubbleview", _bubbleview, "copying images"),
        ("localized-narratives", _narratives, "reading narratives"),
    ],
)
def test_a_reading_that_is_stopped_leaves_no_study(
    tmp_path: Path,
    options: ReadOptions,
    picture: Callable[..., Path],
    source_format: str,
    make: Callable[[Path, Callable[..., Path]], None],
    until: str,
    how: signal.Signals,
) -> None:
    folder, target = tmp_path / "source", tmp_path / "studies" / "made"
    folder.mkdir()
    make(folder, picture)
    command = [sys.executable, "-c", STOPPED, source_format, str(folder), str(target), until]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        # Who runs the tests in the background may have told them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half written\n"
        (staged,) = target.parent.iterdir()
        assert any(path.is_file() for path in (staged / "images").rglob("*"))
        process.send_signal(how)
    assert not target.exists()
    assert len(list(target.parent.iterdir())) == (how == signal.SIGKILL)
    read(source_format, folder, target, options)
    assert [path.name for path in target.parent.iterdir()] == ["made"]
    assert len(Study.open(target)) == 1
