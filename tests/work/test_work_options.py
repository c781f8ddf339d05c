"""The options that say who works, where Ray is there or not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from beholder.cli import beholder
from beholder.errors import UnsupportedError
from beholder.study import Study
from beholder.work import Cluster, cluster


def test_without_ray_the_extra_is_named(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    message = r"ray.*: pip install 'beholder\[cluster\]'"
    with pytest.raises(UnsupportedError, match=message), cluster():
        pass
    with pytest.raises(UnsupportedError, match=message):
        list(Cluster().run(str, [1]))
    words = ["compare", str(tiny_study.path), str(tmp_path / "out"), "--on", "ray"]
    result = CliRunner().invoke(beholder, words)
    assert isinstance(result.exception, UnsupportedError)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["compare", "reproduce", "train"])
def test_an_address_is_of_a_cluster(command: str, tiny_study: Study, tmp_path: Path) -> None:
    first = "ads" if command == "reproduce" else str(tiny_study.path)
    words = [command, first, str(tmp_path / "out"), "--address", "10.0.0.1:6379"]
    result = CliRunner().invoke(beholder, words)
    assert result.exit_code == 2
    assert "--address is of a Ray cluster: it goes with --on ray" in result.output
    assert not (tmp_path / "out").exists()
