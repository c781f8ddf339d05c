"""A run opened: what it embeds anew is what it embedded, and what is broken is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholder.errors import BeholderError, ConfigurationError, RunError, UnsupportedError
from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Points, Study
from made_study import QUICK

METHODS = ("base", "content", "style", "added", "ours")
TASK_OF = {"gaze": "g2t", "text": "t2g", "personality": "p2g"}


@pytest.fixture
def copy_of_run(tiny_run: Run, tmp_path: Path) -> Path:
    """A copy that may be broken."""
    return Path(shutil.copytree(tiny_run.path, tmp_path / "run"))


def embed_anew(run: Run, modality: str, samples: np.ndarray, **options: str) -> np.ndarray:
    """Embed samples' items as if they had never been in the study."""
    study = run.study
    if modality == "text":
        return run.embed(text=[study.texts[n] or "" for n in samples], **options)
    if modality == "gaze":
        files = [study.image_path(int(study.image_codes[n])) for n in samples]
        gazes = [gaze for n in samples if (gaze := study.gaze(int(n))) is not None]
        return run.embed(gaze=gazes, images=files, **options)
    answers = study.answers[study.participant_codes[samples]].astype(int).tolist()
    return run.embed(personality=answers, **options)


@pytest.mark.parametrize("modality", TASK_OF)
@pytest.mark.parametrize("method", METHODS)
def test_items_are_embedded_as_the_samples_that_carry_them(
    modality: str, method: str, tiny_run: Run
) -> None:
    task = TASK_OF[modality]
    (pair,) = (t.pair for t in tiny_run.tasks if t.name == task)
    samples = np.array([5, 3, 150, 3, 77])
    known = tiny_run.embed_samples(pair, modality, samples, method)
    anew = embed_anew(tiny_run, modality, samples, task=task, method=method)
    assert np.allclose(known, anew, atol=1e-5)
    assert np.allclose(np.linalg.norm(known, axis=1), 1, atol=1e-5)
    assert (known[1] == known[3]).all()
    assert not np.allclose(known[0], known[2], atol=1e-3)


def test_samples_may_be_asked_for_in_any_order_and_number(tiny_run: Run) -> None:
    pair = ("gaze", "text")
    whole = tiny_run.embed_samples(pair, "gaze", np.arange(100))
    some = tiny_run.embed_samples(pair, "gaze", np.array([99, 0, 42]))
    beyond = tiny_run.embed_samples(pair, "gaze", np.array([150, 42]))
    assert np.allclose(some, whole[[99, 0, 42]], atol=1e-5)
    assert np.allclose(beyond[1], whole[42], atol=1e-5)


def test_ours_is_the_weighted_sum_of_the_spaces_cosines_less_popularity(tiny_run: Run) -> None:
    pair, samples = ("gaze", "text"), np.arange(30)
    weights = tiny_run.folder.weights(pair)
    assert tuple(weights) == METHODS[:3]

    def scores(method: str) -> np.ndarray:
        first, second = (tiny_run.embed_samples(pair, m, samples, method) for m in pair)
        return first @ second.T

    def popular(modality: str, other: str) -> np.ndarray:
        """By its definition, from every sample that taught."""
        parts = tiny_run.split.parts
        taught = np.flatnonzero((parts == 0) | (parts == 1))
        taught = taught[tiny_run.study.has("gaze")[taught] & tiny_run.study.has("text")[taught]]
        cosines = sum(
            weight
            * tiny_run.embed_samples(pair, modality, samples, space)
            @ tiny_run.embed_samples(pair, other, taught, space).T
            for space, weight in weights.items()
        )
        return np.asarray(0.07 * np.log(np.exp(cosines / 0.07).mean(axis=1)))

    cosines = sum(weight * scores(space) for space, weight in weights.items())
    first, second = popular("gaze", "text"), popular("text", "gaze")
    expected = (cosines - 0.5 * first[:, None] - 0.5 * second[None, :]) / 2.25
    assert np.allclose(scores("ours"), expected, atol=1e-5)
    assert np.allclose(scores("added"), cosines, atol=1e-5)
    assert tiny_run.methods(pair) == METHODS


def test_an_opened_run_embeds_as_the_one_that_was_trained(tiny_run: Run) -> None:
    opened = Run.open(tiny_run.path)
    samples = np.arange(20)
    for modality in ("gaze", "text"):
        first = opened.embed_samples(("gaze", "text"), modality, samples)
        assert (first == tiny_run.embed_samples(("gaze", "text"), modality, samples)).all()


def test_what_embed_needs_is_named(tiny_run: Run) -> None:
    with pytest.raises(ConfigurationError, match="takes one of gaze, text and personality"):
        tiny_run.embed()
    with pytest.raises(ConfigurationError, match="takes one of gaze, text and personality"):
        tiny_run.embed(text=["a"], personality=[[3] * 10])
    with pytest.raises(ConfigurationError, match="with the image file that it is of"):
        tiny_run.embed(gaze=[tiny_run.study.gaze(0)])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="text has several networks here: name a task"):
        tiny_run.embed(text=["a dog"])
    with pytest.raises(UnsupportedError, match="was not trained for text in g2p"):
        tiny_run.embed(text=["a dog"], task="g2p")
    with pytest.raises(BeholderError, match="answer"):
        tiny_run.embed(personality=[[9] * 10], task="p2g")
    with pytest.raises(BeholderError, match=r"image .*gone\.png cannot be read"):
        gaze = tiny_run.study.gaze(0)
        tiny_run.embed(gaze=[gaze], images=["gone.png"], task="g2t")  # type: ignore[list-item]


def test_what_cannot_be_embedded_is_refused(tiny_run: Run) -> None:
    nowhere = Points(np.array([np.nan]), np.array([0.5]))
    image = tiny_run.study.image_path(0)
    for items, message in (
        ({"text": "a dog"}, "a list of texts"),
        ({"text": [None]}, "a list of texts"),
        ({"text": []}, "at least one text"),
        ({"gaze": [], "images": []}, "at least one gaze"),
        ({"gaze": [nowhere], "images": [image]}, "not numbers"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            tiny_run.embed(task="g2t", **items)
    with pytest.raises(UnsupportedError, match="has no method zz"):
        tiny_run.embed(text=["a dog"], task="g2t", method="zz")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weights/gaze-text.json", '{"base": "x"}'),
        ("weights/gaze-text.json", "[1]"),
        ("weights/gaze-text.json", '{"base": -1}'),
        ("encoders/text.json", "[]"),
        ("encoders/text.json", "{}"),
        ("encoders/text.json", '[{"name": "wording", "options": {"zz": 1}, "vocabulary": []}]'),
    ],
)
def test_damaged_json_is_named(copy_of_run: Path, name: str, text: str) -> None:
    (copy_of_run / name).write_text(text)
    with pytest.raises(RunError, match=r"weights|encoder"):
        Run.open(copy_of_run).embed(text=["a dog"], task="g2t")


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda run: shutil.rmtree(run), "is not a run: it has no readable configuration.toml"),
        (lambda run: (run / "run.json").unlink(), "is unfinished"),
        (lambda run: (run / "configuration.toml").unlink(), "is not a run"),
        (lambda run: (run / "configuration.toml").write_text("a = 1"), "not a run of this version"),
        (lambda run: (run / "run.json").write_text("{"), "not of a run of this version"),
        (lambda run: (run / "run.json").write_text("{}"), "not of a run of this version"),
        (lambda run: (run / "run.json").write_text("[1]"), "not of a run of this version"),
        (lambda run: (run / "split.parquet").unlink(), "the split of .* cannot be read"),
        (lambda run: truncate(run / "split.parquet"), "the split of .* cannot be read"),
    ],
)
def test_a_broken_run_does_not_open(
    harm: Callable[[Path], object], message: str, copy_of_run: Path
) -> None:
    harm(copy_of_run)
    with pytest.raises(RunError, match=message) as refusal:
        Run.open(copy_of_run)
    assert "\n" not in str(refusal.value)


def remove_tensors(file: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"other": np.zeros(3, np.float32)}, file)


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("spaces/gaze-text/style.safetensors", truncate, r"weights .*style\.safetensors cannot"),
        ("spaces/gaze-text/style.safetensors", Path.unlink, r"weights .*style\.safetensors cannot"),
        ("spaces/gaze-text/style.safetensors", remove_tensors, r"weights .*style.* cannot"),
        ("weights/gaze-text.safetensors", truncate, r"embeddings .*gaze-text\.safetensors cannot"),
        ("weights/gaze-text.safetensors", Path.unlink, r"embeddings .*text\.safetensors cannot"),
        ("weights/gaze-text.safetensors", remove_tensors, r"embeddings .*text\.safe.* cannot"),
        ("weights/gaze-text.json", Path.unlink, r"weights .*gaze-text\.json cannot"),
        ("encoders/gaze.safetensors", truncate, "the gaze encoder of .* cannot be read"),
        ("encoders/gaze.json", truncate, "the gaze encoder of .* cannot be read"),
        ("encoders/gaze.json", Path.unlink, "the gaze encoder of .* cannot be read"),
    ],
)
def test_broken_files_are_named_when_they_are_needed(
    name: str, harm: Callable[[Path], object], message: str, copy_of_run: Path
) -> None:
    harm(copy_of_run / name)
    run = Run.open(copy_of_run)
    with pytest.raises(RunError, match=message):
        run.embed_samples(("gaze", "text"), "gaze", np.arange(3))


def test_a_study_that_changed_or_went_is_named(tiny_study: Study, tmp_path: Path) -> None:
    path = Path(shutil.copytree(tiny_study.path, tmp_path / "study"))
    configuration = TrainingConfiguration("base", "g2t", hyperparameters=QUICK)
    train(Study.open(path), tmp_path / "run", configuration)
    assert Run.open(tmp_path / "run").study.path == path
    table = pq.read_table(path / "samples.parquet")
    pq.write_table(table.slice(0, 100), path / "samples.parquet")
    with pytest.raises(RunError, match=r"the study .* has changed since .* was trained on it"):
        _ = Run.open(tmp_path / "run").study
    shutil.rmtree(path)
    with pytest.raises(RunError, match=r"the study of .* cannot be opened: .* is not a study"):
        _ = Run.open(tmp_path / "run").study


def test_a_run_says_what_it_is(tiny_run: Run) -> None:
    assert repr(tiny_run) == f"Run('{tiny_run.path}': ours, random)"
    assert tiny_run.provenance.versions.keys() == {
        *("python", "beholder", "numpy", "pyarrow", "scipy", "torch")
    }
