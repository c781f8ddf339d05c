"""The same on a real S3 client and a server of its protocol on this machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from beholder.cli import beholder
from beholder.errors import StudyError
from beholder.model import Run
from beholder.remote import publish
from beholder.remote.manifest import Manifest
from beholder.remote.storage import Storage
from beholder.study import Study

pytest.importorskip("s3fs", reason="the test on S3 needs s3fs")
server = pytest.importorskip("moto.server", reason="the test on S3 needs moto[server]")

pytestmark = pytest.mark.filterwarnings("ignore")  # those libraries' own


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import s3fs

    running = server.ThreadedMotoServer(port=0)
    running.start()
    try:
        host, port = running.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}".replace("0.0.0.0", "127.0.0.1"),
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "no_proxy": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        name = f"bucket-{uuid.uuid4().hex}"
        s3fs.S3FileSystem().mkdir(name)
        yield name
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        running.stop()


def test_the_whole_path_on_s3(bucket: str, cache: Path, tmp_path: Path) -> None:
    study, run = f"s3://{bucket}/a/study", f"s3://{bucket}/a/run"
    small = ("--set", "hidden=16", "--set", "dimensions=8", "--set", "epochs=2", "--tasks", "g2t")
    for words in (
        ("simulate", study, "--participants", "4", "--images", "20"),
        ("simulate", study, "--participants", "4", "--images", "20", "--seed", "1", "--overwrite"),
        ("inspect", study),
        ("train", study, run, *small),
        ("evaluate", run),
    ):
        result = CliRunner().invoke(beholder, words)
        assert result.exit_code == 0, (words, result.output, result.exception)
        cache.rename(tmp_path / uuid.uuid4().hex)
    opened = Run.open(run)
    assert opened.provenance.study_path == study
    assert (opened.path / "evaluation.json").is_file()
    assert len(opened.study) == 80
    with pytest.raises(StudyError, match="exists already"):
        publish(opened.study.path, study, "study")
    with pytest.raises(StudyError, match=f"s3://{bucket}/a/none is not a study"):
        Study.open(f"s3://{bucket}/a/none")
    with pytest.raises(
        StudyError, match="s3://no-such-bucket/x cannot be read: The specified bucket"
    ):
        publish(opened.study.path, "s3://no-such-bucket/x", "study")


def test_s3_itself_refuses_a_second_first_publication(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.toml").write_text("mine")
    manifest = Manifest.of(tmp_path / "study", "study")
    storage = Storage(f"s3://{bucket}/study", "study")
    storage.put_manifest(manifest, is_first=True)
    with pytest.raises(StudyError, match="published by somebody else meanwhile"):
        storage.put_manifest(manifest, is_first=True)
    storage.put_manifest(manifest, is_first=False)
