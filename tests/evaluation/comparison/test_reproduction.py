"""The paper's data fetched from a server here, compared, and put beside the poster's figures."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beholder.cli import beholder
from beholder.evaluation.comparison.reproduction import POSTER, Beside, Stated, table_beside
from beholder.study import Study
from beholder.study.simulation import PRESETS, simulate, write_crossmod


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where ads.zip is, in the authors' exact form, of a small study."""
    folder = tmp_path_factory.mktemp("authors")
    design = replace(PRESETS["ads"], width=80, height=60).resized(9, 40)
    simulate(folder / "study", design)
    write_crossmod(Study.open(folder / "study"), folder / "ads")
    shutil.make_archive(str(folder / "served" / "ads"), "zip", folder / "ads")
    handler = partial(Quiet, directory=str(folder / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_one_command_fetches_compares_and_reports(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHOLDER_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    small = ["epochs=1", "hidden=16", "dimensions=8", "batch=64"]
    command = ["reproduce", "ads", str(tmp_path), "--url", address, "--seeds", "0", "--json"]
    command += [part for value in small for part in ("--set", value)]
    result = CliRunner().invoke(beholder, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (tmp_path / "ads.zip").is_file()
    assert Study.open(tmp_path / "ads.study").info.source == "crossmod"
    comparison = tmp_path / "ads.comparison"
    for name in ("report.html", "results.json", "tables/top3.tex", "reproduction.md"):
        assert (comparison / name).stat().st_size
    assert found["results"] == json.loads((comparison / "results.json").read_text())
    methods = {row["method"] for row in found["results"]["summary"]}
    # The authors' maps are of no areas, so that nothing tells which of these a text names.
    assert methods == set(found["results"]["configuration"]["methods"]) - {"concepts"}
    page = (comparison / "report.html").read_text("utf-8")
    assert "Beside the paper's poster" in unescape(page)
    stated = [one["stated"]["top3"] for one in found["beside"]]
    assert all(f"<td>{figure:.4f}</td>" in page for figure in stated)
    assert stated == [0.2051, 0.2375, 0.4463, 0.6519]
    for one in found["beside"]:
        of_random = one["stated"]["split"] == "random"
        assert list(one["ours"]) == (["random"] if of_random else ["image", "participant", "both"])
        for split, measures in one["ours"].items():
            (row,) = [
                row
                for row in found["results"]["summary"]
                if (row["method"], row["task"], row["split"])
                == ("ours", one["stated"]["task"], split)
            ]
            assert measures["top3"] == row["top3"]
    before = {file: file.stat().st_mtime_ns for file in (comparison / "cells").rglob("*.parquet")}
    again = CliRunner().invoke(beholder, command, catch_exceptions=False)
    assert json.loads(again.stdout)["results"] == found["results"]
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())


def test_the_table_has_the_posters_figures_beside_ours() -> None:
    ours = {"top3": 0.5, "ci95_top3": [0.4, None], "chance_top3": 0.01, "gallery": 300.0}
    text = table_beside("ads", (Beside(Stated("g2t", "the paper's", 0.4463), {"image": ours}),))
    assert "| g2t | the paper's | 0.4463 | image | 0.5000 | 0.400 to – | 0.0100 | 300 |" in text
    assert "states no figure for coco" in table_beside("coco", POSTER["coco"])
