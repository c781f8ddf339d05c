"""A server, and the authors' archives as a small simulated study makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_server import ArchiveServer
from made_archives import SMALL, zipped

from beholder.study import Study
from beholder.study.simulation import simulate, write_crossmod


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHOLDER_KEY_FILE", str(tmp_path / "keys" / "key"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an archive unpacks to; read only."""
    made = tmp_path_factory.mktemp("made")
    simulate(made / "study", SMALL)
    write_crossmod(Study.open(made / "study"), made / "crossmod")
    return made / "crossmod"


@pytest.fixture(scope="session")
def archive(exported: Path) -> bytes:
    """The archive itself; read only."""
    return zipped(exported)


@pytest.fixture
def server(archive: bytes) -> Iterator[ArchiveServer]:
    with ArchiveServer(archive) as running:
        yield running
