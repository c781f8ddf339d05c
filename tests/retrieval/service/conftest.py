"""What the tests of the service share: the tiny store, served."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from store_service import serving

from beholder.retrieval import EmbeddedStore


@pytest.fixture(scope="session")
def client(tiny_store: EmbeddedStore) -> Iterator[TestClient]:
    """A client on this machine; read only."""
    with serving(tiny_store) as client:
        yield client
