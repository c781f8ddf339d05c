"""Reading over HTTP from a server of plain files."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from beholder.errors import StudyError
from beholder.remote import changed, publish
from beholder.study import Study

pytest.importorskip("aiohttp", reason="reading over HTTP needs aiohttp")

SECRET = "s3cr3t"


class SignedHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files to whoever has the signed query, or the password."""

    def do_GET(self) -> None:
        if f"sig={SECRET}" not in self.path and "Authorization" not in self.headers:
            self.send_error(403)
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "web").mkdir()
    handler = functools.partial(SignedHandler, directory=tmp_path / "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_study_is_read_from_the_web_with_a_signed_query(
    served: str, tiny_study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish(tiny_study.path, f"file://{tmp_path}/web/tiny", "study")
    for url in (f"http://{served}/tiny?sig={SECRET}", f"http://me:{SECRET}@{served}/tiny"):
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        study = Study.open(url)
        assert study.fingerprint == tiny_study.fingerprint
        assert study.origin == f"http://{served}/tiny"
    with pytest.raises(StudyError, match="is read only"):
        publish(tiny_study.path, url, "study", overwrite=True)
    said: list[str] = []
    with changed(url, "study", say=said.append) as folder:
        (folder / "more").write_text("more")
    assert said[0].startswith(f"http://{served}/tiny is only read")
    assert SECRET not in caplog.text


def test_what_the_web_refuses_is_told_without_the_secret(served: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"/tiny is not a study: it has no beholder\.json;"):
        Study.open(f"http://{served}/tiny?sig={SECRET}")
    with pytest.raises(StudyError, match=r"cannot be read: .*403"):
        Study.open(f"http://{served}/tiny")
    with pytest.raises(StudyError, match="cannot be read: ClientResponseError 403") as caught:
        Study.open(f"http://{served}/tiny?sig=wrong-{SECRET}")
    assert SECRET not in str(caught.value)
