"""Correlations of gaze and text: kept whole, found in a run, and fitted to the right columns."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from beholder.errors import RunError, UnsupportedError
from beholder.evaluation import evaluate
from beholder.features import ModalityEncoder
from beholder.features.text import Manner, Wording
from beholder.model import Run
from beholder.model.agreement import fit_agreement
from beholder.model.correlations import PAIR, Correlations, fit_correlations

TEXTS = ["a dog, a cat", "Two cats!", "the <uh> man with the hat", "one more"]


def made_correlations() -> tuple[Correlations, dict[str, np.ndarray], dict[str, slice]]:
    generator = np.random.default_rng(0)
    common = generator.normal(size=(200, 1))
    features = {
        modality: (generator.normal(size=(200, width)) + common).astype(np.float32)
        for modality, width in zip(PAIR, (7, 5), strict=True)
    }
    manners = {"gaze": slice(2, 5), "text": slice(1, 3)}
    return fit_correlations(features, manners), features, manners


def test_the_manners_are_those_of_their_columns_alone() -> None:
    found, features, manners = made_correlations()
    sides = [features[modality][:, manners[modality]] for modality in PAIR]
    expected = fit_agreement(*sides)
    assert found.agreement.correlation == expected.correlation > 0.3
    vectors = [found.manner(modality, features[modality], rate=0.5) for modality in PAIR]
    ratio = (
        expected.vectors(sides[0], first=True) @ expected.vectors(sides[1], first=False).T
    )  # (n, n)
    assert vectors[0] @ vectors[1].T == pytest.approx(0.5 * ratio, abs=1e-5)


def test_they_come_back_as_they_were_kept() -> None:
    found, features, _ = made_correlations()
    again = Correlations.of_arrays(found.arrays())
    for modality in PAIR:
        own = features[modality]
        assert (again.space(modality, own) == found.space(modality, own)).all()
        assert (again.manner(modality, own, 2.0) == found.manner(modality, own, 2.0)).all()


def test_an_encoder_knows_its_columns() -> None:
    kinds = (Wording(), Manner())
    encoder = ModalityEncoder.fit(kinds, TEXTS)
    block = encoder.encode(TEXTS)[:, encoder.columns(Manner.name, TEXTS[:1])]
    assert (block == kinds[1].encode(TEXTS, kinds[1].fit(TEXTS))).all()
    with pytest.raises(ValueError, match="not in"):
        encoder.columns("scanpath", TEXTS)


def test_a_run_has_them_where_they_are_of_its_pair(canonical_run: Run) -> None:
    spaces = ("base", "content", "style")
    assert canonical_run.methods(PAIR) == (*spaces, "added", "ours", "manner", "canonical")
    assert canonical_run.methods(("text", "personality")) == (*spaces, "added", "ours")
    assert canonical_run.method_for(("text", "personality")) == "ours"
    result = evaluate(canonical_run).as_json()
    assert result["task_methods"] == {"g2t": "canonical", "t2g": "canonical", "t2p": "ours"}
    assert result["tasks"]["g2t"]["top3"] == result["methods"]["canonical"]["g2t"]["top3"]


def test_what_the_study_never_held_is_embedded_as_its_samples(canonical_run: Run) -> None:
    study, samples = canonical_run.study, np.arange(9)
    known = [canonical_run.embed_samples(PAIR, modality, samples) for modality in PAIR]
    gazes = [gaze for n in samples if (gaze := study.gaze(int(n))) is not None]
    files = [study.image_path(int(study.image_codes[n])) for n in samples]
    looked = canonical_run.embed(gaze=gazes, images=files)
    wrote = canonical_run.embed(text=[study.texts[n] or "" for n in samples], task="g2t")
    assert np.allclose(known[0], looked, atol=1e-5)
    assert np.allclose(known[1], wrote, atol=1e-5)
    with pytest.raises(UnsupportedError, match="has no method canonical for text and personality"):
        canonical_run.embed(text=["a dog"], task="t2p", method="canonical")


def test_a_run_without_them_says_which_file(canonical_run: Run, tmp_path: Path) -> None:
    path = Path(shutil.copytree(canonical_run.path, tmp_path / "run"))
    file = path / "correlations" / "gaze-text.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match=r"correlations .*gaze-text\.safetensors cannot be read"):
        Run.open(path).embed_samples(PAIR, "gaze", np.arange(3))
