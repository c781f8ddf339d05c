"""Tiny pretrained encoders from training to search, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("sentence_transformers", reason="it is absent: beholder[pretrained]")

from beholder.cli import beholder
from beholder.errors import BeholderError, ConfigurationError, RunError, StoreError
from beholder.features import FeatureCache, PatchGrid, Sentences, StudyInputs
from beholder.model import Run, TrainingConfiguration, train
from beholder.retrieval import Query, Searcher, index, open_store
from beholder.study import Points, Study
from made_models import WIDTH, save_sentences, save_vision
from made_study import QUICK

DOCUMENT = Path(__file__).parents[2] / "docs" / "encoders.md"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_sentences(folder / "SENTENCES")
    save_vision(folder / "VISION", "dinov2")
    return folder


@pytest.fixture(scope="module")
def trained(models: Path, tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    configuration = TrainingConfiguration(
        "ours",
        hyperparameters=QUICK,
        text_encoder=str(models / "SENTENCES"),
        image_encoder=str(models / "VISION"),
    )
    return train(tiny_study, tmp_path_factory.mktemp("runs") / "run", configuration)


@pytest.fixture
def absent(models: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Take a model away while a test lasts."""
    folder: Path = models / request.param
    folder.rename(models / "away")
    yield
    (models / "away").rename(folder)


def test_the_page_works_from_top_to_bottom(
    models: Path, tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_documents import FAST, commands

    monkeypatch.chdir(tmp_path)
    shutil.copytree(models, tmp_path, dirs_exist_ok=True)
    shutil.copytree(tiny_study.path, "STUDY")
    found = commands(DOCUMENT)
    assert [words[0] for words in found] == ["train", "evaluate", "index", "search"]
    for words in found:
        words += FAST if words[0] == "train" else []
        result = CliRunner().invoke(beholder, words, catch_exceptions=False)
        assert result.exit_code == 0, (words, result.output)
    held = json.loads(Path("RUN/encoders/pretrained.json").read_text())
    for modality, name, kind in (("text", "SENTENCES", Sentences), ("image", "VISION", PatchGrid)):
        assert held[modality]["model"] == str(tmp_path / name)
        assert held[modality]["identity"] == kind.open(name).identity
    assert (
        f'text_encoder = "{tmp_path / "SENTENCES"}"' in Path("RUN/configuration.toml").read_text()
    )
    # A run goes on with the weights that it was begun with, or not at all.
    Path("RUN/run.json").unlink()
    save_sentences(tmp_path / "another", seed=1)
    (tmp_path / "SENTENCES").rename(tmp_path / "first")
    (tmp_path / "another").rename(tmp_path / "SENTENCES")
    again = CliRunner().invoke(beholder, ["train", "STUDY", "RUN", "--resume"])
    assert isinstance(again.exception, RunError)
    assert "was begun with other weights" in str(again.exception)


def test_gaze_pools_the_patches_and_texts_gain_a_block(
    trained: Run, models: Path, tiny_study: Study
) -> None:
    inputs = StudyInputs(tiny_study, FeatureCache(None), trained.grid)
    grids = inputs.grids
    assert grids.shape == (tiny_study.images.num_rows, 8, 8, WIDTH)
    first = PatchGrid.open(str(models / "VISION")).describe(tiny_study.image_path(0))
    np.testing.assert_allclose(grids[0], first, rtol=0, atol=1e-5)
    content = trained.encoder("gaze").statistics[3].arrays["mean"]
    assert content.shape == (WIDTH,)
    encoders = trained.encoder("text").encoders
    assert [encoder.name for encoder in encoders] == ["wording", "manner", "sentences"]


def test_a_query_is_embedded_as_the_study_was(
    trained: Run, tiny_study: Study, tmp_path: Path
) -> None:
    sample = next(
        n
        for n in range(len(tiny_study))
        if isinstance(tiny_study.gaze(n), Points) and tiny_study.texts[n]
    )
    text, gaze = tiny_study.texts[sample], tiny_study.gaze(sample)
    image = tiny_study.image_path(int(tiny_study.image_codes[sample]))
    pair, rows = ("gaze", "text"), np.array([sample])
    assert text is not None and gaze is not None
    np.testing.assert_allclose(
        trained.embed(text=[text]), trained.embed_samples(pair, "text", rows), atol=1e-4
    )
    np.testing.assert_allclose(
        trained.embed(gaze=[gaze], images=[image]),
        trained.embed_samples(pair, "gaze", rows),
        atol=1e-4,
    )
    store = index(trained, tmp_path / "store")
    by_name = Searcher(store).search(Query(gaze=gaze, image=image.name, find="text"))
    by_file = Searcher(store).search(Query(gaze=gaze, image=image, find="text"))
    assert [one.number for one in by_file.answers] == [one.number for one in by_name.answers]


@pytest.mark.parametrize("absent", ["SENTENCES", "VISION"], indirect=True)
def test_a_model_that_is_gone_is_named(
    trained: Run, tiny_study: Study, tmp_path: Path, absent: None
) -> None:
    run = Run.open(trained.path)
    for refuse, kind in (
        (lambda: [run.encoder("text"), run.grid], RunError),
        (lambda: index(run, tmp_path / "store"), (RunError, StoreError)),
        (lambda: train(tiny_study, tmp_path / "new", trained.configuration), ConfigurationError),
    ):
        with pytest.raises(BeholderError, match="is not there: no such folder") as error:
            refuse()
        assert isinstance(error.value, kind)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "store").exists()


def test_a_store_whose_model_is_gone_is_not_searched(
    trained: Run, models: Path, tmp_path: Path
) -> None:
    index(trained, tmp_path / "store")
    weights = models / "SENTENCES" / "model.safetensors"
    kept = weights.read_bytes()
    try:
        weights.write_bytes(kept[:-4] + b"\1\2\3\4")
        with pytest.raises(StoreError, match="has other weights or another configuration"):
            Searcher(open_store(tmp_path / "store")).search(Query(text="a dog", find="gaze"))
    finally:
        weights.write_bytes(kept)


def test_an_encoder_that_nothing_asks_for_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="text_encoder is of no use where g2p needs no"):
        TrainingConfiguration(tasks="g2p", text_encoder="any")
    with pytest.raises(ConfigurationError, match="image_encoder is of no use where t2p needs no"):
        TrainingConfiguration(tasks="t2p", image_encoder="any")
    assert TrainingConfiguration(tasks="g2p", privileged="text", text_encoder="any")
