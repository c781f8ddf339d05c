"""Progress: every item comes through, and a bar shows on terminals alone."""

import os
import pty
import subprocess
import sys

import pytest

from beholder.progress import shown, silent

SLOW = (
    "import time\n"
    "from beholder import progress\n"
    "progress.SHOW_AFTER_S = 0.05\n"
    "print(sum(progress.shown((time.sleep(0.1) or n for n in range(5)), 'counting sheep', 5)))\n"
)


@pytest.mark.parametrize("progress", [silent, shown])
def test_gives_every_item_on_in_order(progress) -> None:
    assert list(progress(range(5), "counting")) == [0, 1, 2, 3, 4]
    assert list(progress(iter("ab"), "counting", 2)) == ["a", "b"]


def test_an_error_within_the_loop_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        for item in shown([1, 0], "dividing"):
            1 / item


def test_nothing_is_shown_where_nobody_looks() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("10\n", "")


def test_a_bar_is_shown_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        seen = b""
        while b"counting sheep" not in seen:
            seen += os.read(ours, 4096)  # raises OSError if it ends without a bar
        while process.poll() is None:
            try:
                os.read(ours, 4096)
            except OSError:
                break
        assert process.stdout is not None and process.stdout.read() == b"10\n"
    os.close(ours)
