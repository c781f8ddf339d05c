"""What the tests of retrieval share: a store of the tiny run."""

from __future__ import annotations

import pytest

from beholder.model import Run
from beholder.retrieval import EmbeddedStore, index


@pytest.fixture(scope="session")
def tiny_store(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedStore:
    """The tiny study's 192 samples; read only."""
    return index(tiny_run, tmp_path_factory.mktemp("stores") / "tiny")
