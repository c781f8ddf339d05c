"""Methods: found by name, fitted to a split, told nothing that they must not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from beholder.errors import ConfigurationError
from beholder.features.gaze import Scanpath
from beholder.features.text import Manner
from beholder.model import TrainingConfiguration
from beholder.model.agreement import fit_agreement
from beholder.model.canonical import fit_projections
from beholder.model.methods import BUILT_IN, Method, Registry, RunMatcher, Setting, SpaceMethod
from beholder.model.methods.concepts import OneImage
from beholder.model.planning import with_both
from beholder.model.towers import Participants
from beholder.study import Study
from beholder.study.tasks import TASKS, Galleries
from made_study import ALL_TASKS, QUICK, Row, made_study, with_areas

OWN_METHOD = """
import numpy as np
from beholder.model.methods import Method

class Longest(Method):
    name = "longest"

    def fit(self, setting):
        self.lengths = np.array([len(text or "") for text in setting.study.texts])
        return self

    def against(self, task, gallery):
        return lambda queries: np.tile(self.lengths[gallery] / 1000, (len(queries), 1))

longest = Longest()
"""


def setting(
    study: Study, folder: Path, tasks: str = "g2t,t2g", methods: tuple[str, ...] = ()
) -> Setting:
    return Setting(
        study, TrainingConfiguration(tasks=tasks, hyperparameters=QUICK), folder, methods
    )


def test_every_built_in_method_is_found_by_its_name() -> None:
    registry = Registry.of()
    for name, method in BUILT_IN.items():
        assert method.name == name
        assert registry.named(name) is method
    assert list(BUILT_IN)[:8] == [
        *("chance", "image-only", "factorised", "base", "content", "style", "added", "ours")
    ]
    assert {"manner", "canonical", "concepts"} <= set(BUILT_IN)
    assert {"ours-joint", "style-privileged"} <= set(BUILT_IN)


def test_any_subset_of_modalities_can_be_privileged() -> None:
    method = Registry.of().named("style+personality+gaze")
    assert isinstance(method, SpaceMethod)
    assert method.privileged == ("gaze", "personality")
    assert method.name == "style+gaze+personality"


@pytest.mark.parametrize("name", ["none", "ours+", "ours+smell", "chance+gaze", "+gaze"])
def test_an_unknown_method_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="unknown method"):
        Registry.of().named(name)


def test_a_file_adds_a_method(tiny_study: Study, tmp_path: Path) -> None:
    file = tmp_path / "longest.py"
    file.write_text(OWN_METHOD)
    method = Registry.of([file]).named("longest")
    matcher = method.fit(setting(tiny_study, tmp_path))
    assert matcher is not None
    gallery = np.arange(5)
    scores = matcher.against(TASKS["g2t"], gallery)(np.arange(3))
    lengths = [len(text) for text in tiny_study.texts[:5]]
    assert (
        np.argsort(-scores[0], kind="stable").tolist()
        == np.argsort(-np.array(lengths), kind="stable").tolist()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines no method"),
        ("import nothing_of_the_sort", "cannot be loaded: ModuleNotFoundError"),
        (OWN_METHOD.replace('"longest"', '"ours"'), "a method 'ours' exists already"),
    ],
)
def test_a_file_without_a_method_is_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        Registry.of([file])


def weight_files(run: Path) -> list[Path]:
    files = sorted((run / "spaces").rglob("*.safetensors"))
    return [file for file in files if not file.name.endswith(".validation.safetensors")]


def test_methods_of_a_group_share_one_training(tiny_study: Study, tmp_path: Path) -> None:
    names = ("base", "ours")
    shared = setting(tiny_study, tmp_path, "g2t", names)
    first, second = (BUILT_IN[name].fit(shared) for name in names)
    files = {file: file.stat().st_mtime_ns for file in weight_files(tmp_path / "run")}
    assert [file.stem for file in files] == ["base", "content", "style"]
    assert BUILT_IN["base"].fit(shared) is not None
    assert all(file.stat().st_mtime_ns == time for file, time in files.items())
    assert first is not None and second is not None
    test = shared.split.rows("test")
    ours, base = (m.against(TASKS["g2t"], test)(test[:5]) for m in (second, first))
    assert not np.allclose(ours, base)


def fitted(shared: Setting, *names: str) -> list[RunMatcher]:
    found = [BUILT_IN[name].fit(shared) for name in names]
    assert all(isinstance(one, RunMatcher) for one in found)
    return found  # type: ignore[return-value]


def taught(shared: Setting) -> np.ndarray:
    """The samples that teach and have a gaze and a text."""
    rows = np.sort(np.concatenate([shared.split.rows(part) for part in ("train", "validation")]))
    return with_both(shared.study, rows, ("gaze", "text"))


def test_manner_adds_how_looking_fits_writing_to_ours(tiny_study: Study, tmp_path: Path) -> None:
    shared = setting(tiny_study, tmp_path, "g2t,t2g,g2p", ("ours", "manner"))
    ours, manner = fitted(shared, "ours", "manner")
    kinds = {"gaze": Scanpath(), "text": Manner()}
    features = {name: shared.features(name, encoder) for name, encoder in kinds.items()}
    learnt = [own.of(taught(shared)) for own in features.values()]
    expected = fit_agreement(*learnt)  # nothing of the test part
    assert expected.correlation > 0  # simulated people who look longer write more
    rows = with_both(tiny_study, shared.split.rows("test"), ("gaze", "text"))
    gaze, text = (own.of(rows) for own in features.values())
    ratio = expected.vectors(gaze, first=True) @ expected.vectors(text, first=False).T
    there, back = (manner.against(TASKS[name], rows)(rows) for name in ("g2t", "t2g"))
    # `ours` divides cosines less popularity by 2.25, and the temperature of popularity is 0.07.
    own = ours.against(TASKS["g2t"], rows)(rows)
    assert there == pytest.approx(own + 0.07 / 2.25 * ratio, abs=1e-6)
    assert back == pytest.approx(there.T, abs=1e-6)


def test_canonical_joins_a_space_in_closed_form(tiny_study: Study, tmp_path: Path) -> None:
    shared = setting(tiny_study, tmp_path, "g2t,t2g", ("canonical", "manner", "ours"))
    ours, manner, found = fitted(shared, "ours", "manner", "canonical")
    pair = ("gaze", "text")
    features = {modality: shared.features(modality) for modality in pair}
    learnt = [features[modality].of(taught(shared)) for modality in pair]
    sides = fit_projections(*learnt, dimensions=64, ridge=1.0)
    rows = with_both(tiny_study, shared.split.rows("test"), pair)

    def cosines(looked: np.ndarray, wrote: np.ndarray) -> np.ndarray:
        trained = [
            ours.run.embed_samples(pair, modality, samples, "added")
            for modality, samples in zip(pair, (looked, wrote), strict=True)
        ]
        canonical = [
            side.of(features[modality].of(samples))
            for side, modality, samples in zip(sides, pair, (looked, wrote), strict=True)
        ]
        return 0.85 * trained[0] @ trained[1].T + 0.15 * canonical[0] @ canonical[1].T

    def popularity(scores: np.ndarray) -> np.ndarray:
        return 0.07 * np.log(np.exp(scores / 0.07).mean(axis=1))

    expected = cosines(rows, rows)
    expected -= 0.5 * popularity(cosines(rows, taught(shared)))[:, None]
    expected -= 0.5 * popularity(cosines(taught(shared), rows).T)
    task = TASKS["g2t"]
    fit = manner.against(task, rows)(rows) - ours.against(task, rows)(rows)
    there, back = (found.against(TASKS[name], rows)(rows) for name in ("g2t", "t2g"))
    assert there == pytest.approx(expected / 2.25 + fit, abs=1e-5)
    assert back == pytest.approx(there.T, abs=1e-6)


@pytest.mark.parametrize("name", ["manner", "canonical-joint", "canonical+personality"])
def test_they_are_of_gaze_and_text_alone(name: str, tiny_study: Study, tmp_path: Path) -> None:
    shared = setting(tiny_study, tmp_path, "g2t,g2p")
    method = Registry.of().named(name)
    assert method.missing_for(shared, TASKS["g2t"]) is None
    lack = method.missing_for(shared, TASKS["g2p"])
    assert lack is not None and "fits how people look to how they write" in lack


def test_concepts_weighs_the_evidence_of_one_image(tiny_study: Study, tmp_path: Path) -> None:
    study = with_areas(tiny_study)
    shared = of_unknown_images(setting(study, tmp_path, "g2t,t2g", ("canonical", "concepts")))
    found = BUILT_IN["concepts"].fit(shared)
    assert isinstance(found, OneImage)
    pair, texts = ("gaze", "text"), shared.features("text")
    train, test = (with_both(study, shared.split.rows(part), pair) for part in ("train", "test"))
    known = taught(shared)
    looked = tf_idf([concepts_of(study, n) for n in range(len(study))], train)
    alpha = texts.of(known).astype(float).var(axis=0).mean() * len(known)
    foretold = Ridge(alpha=alpha).fit(texts.of(known).astype(float), looked[known])

    def vectors(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = looked[known].mean(axis=0)
        both = looked[rows] - mean, foretold.predict(texts.of(rows).astype(float)) - mean
        return tuple(own / np.linalg.norm(own, axis=1, keepdims=True) for own in both)

    def popularity(scores: np.ndarray) -> np.ndarray:
        return 0.07 * np.log(np.exp(scores / 0.07).mean(axis=1))

    (gazes, wrote), (known_gazes, known_wrote) = vectors(test), vectors(known)
    concepts = gazes @ wrote.T - 0.5 * popularity(gazes @ known_wrote.T)[:, None]
    concepts -= 0.5 * popularity(wrote @ known_gazes.T)
    # Scores of `ours` are cosines divided by 2.25; the temperature is 0.07.
    looked_and_wrote = (found.canonical.run.embed_samples(pair, m, test) for m in pair)
    (looks, look_manner), (words, word_manner) = (
        (vectors[:, :-3], vectors[:, -3:]) for vectors in looked_and_wrote
    )
    spaces = looks @ words.T * 2.25 / 0.07
    evidence = 0.3 * spaces + 0.5 * concepts / 0.07 - 2
    expected = 0.2 * spaces - np.log1p(np.exp(-evidence))
    fit = look_manner @ word_manner.T
    there, back = (found.against(TASKS[name], test)(test) for name in ("g2t", "t2g"))
    assert there == pytest.approx(expected * 0.07 / 2.25 + fit, abs=1e-5)
    assert back == pytest.approx(there.T, abs=1e-6)


def of_unknown_images(shared: Setting) -> Setting:
    return replace(shared, configuration=replace(shared.configuration, split="image"))


def test_concepts_is_of_images_that_training_never_saw(tiny_study: Study, tmp_path: Path) -> None:
    known = setting(with_areas(tiny_study), tmp_path)
    concepts, task = BUILT_IN["concepts"], TASKS["g2t"]
    assert "those of the random split are known" in str(concepts.missing_for(known, task))
    assert concepts.missing_for(of_unknown_images(known), task) is None


def concepts_of(study: Study, number: int) -> dict[str, float]:
    """The quarters of the image that anyone met, and the fixations of this gaze on each."""
    gazes = [study.gaze(n) for n in np.flatnonzero(study.image_codes == study.image_codes[number])]
    counts = {label: 1.0 for gaze in gazes if gaze is not None for label in gaze.label}
    own = study.gaze(number)
    for label in own.label if own is not None else ():
        counts[f"{label} met"] = counts.get(f"{label} met", 0) + 1
    return counts


def tf_idf(bags: list[dict[str, float]], train: np.ndarray) -> np.ndarray:
    """Rows of length one, with the terms of at least three of the training bags."""
    held = {term: sum(term in bags[n] for n in train) for bag in bags for term in bag}
    idf = {term: np.log((1 + len(train)) / (1 + n)) + 1 for term, n in held.items() if n >= 3}
    rows = np.array([[np.log1p(bag.get(term, 0)) * idf[term] for term in idf] for bag in bags])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_one_space_alone_trains_nothing_else(tiny_study: Study, tmp_path: Path) -> None:
    BUILT_IN["style"].fit(setting(tiny_study, tmp_path, "g2t", ("style",)))
    assert [file.stem for file in weight_files(tmp_path / "run")] == ["style"]


def test_the_participants_that_were_not_seen_are_at_the_mean() -> None:
    participants = Participants(np.array([2, 5, 9]), 4)
    with torch.no_grad():
        participants.departure[:] = torch.arange(12.0).reshape(3, 4)
    found = participants(torch.tensor([5, 2, 9, 3, -1, 100]))
    expected = 1 + np.arange(12.0).reshape(3, 4)
    assert found[:3].tolist() == expected[[1, 0, 2]].tolist()
    assert found[3:].tolist() == [expected.mean(axis=0).tolist()] * 3


def test_who_asks_changes_what_factorisation_finds(tiny_study: Study, tmp_path: Path) -> None:
    faster = replace(QUICK, learning_rate=0.05, epochs=6)
    configuration = TrainingConfiguration(tasks="g2t,t2g", hyperparameters=faster)
    matcher = BUILT_IN["factorised"].fit(Setting(tiny_study, configuration, tmp_path))
    assert matcher is not None
    (data, state) = matcher.spaces["gaze", "text"]
    gallery = np.arange(20)
    own = matcher.against(TASKS["g2t"], gallery)(gallery[:3])
    swapped = replace(data, participants=tiny_study.participant_codes[::-1].copy())
    other = replace(matcher, spaces={("gaze", "text"): (swapped, state)})
    assert not np.allclose(own, other.against(TASKS["g2t"], gallery)(gallery[:3]), atol=1e-3)
    nobody = replace(data, participants=np.full(len(tiny_study), -1))
    mean = replace(matcher, spaces={("gaze", "text"): (nobody, state)})
    # By the formula: the sum over k of U_uk A_k B_k, with the mean of U.
    weights = 1 + state.towers["participants"].departure.mean(dim=0).detach().numpy()
    a = matcher._embedded(data, state, "gaze", gallery[:3])
    b = matcher._embedded(data, state, "text", gallery)
    expected = np.einsum("k,nk,mk->nm", weights, a, b)
    assert np.allclose(mean.against(TASKS["g2t"], gallery)(gallery[:3]), expected, atol=1e-5)


def test_image_only_sees_no_difference_between_viewers(tiny_study: Study, tmp_path: Path) -> None:
    matcher = BUILT_IN["image-only"].fit(setting(tiny_study, tmp_path, "g2t,t2g"))
    assert matcher is not None
    one_image = np.flatnonzero(tiny_study.image_codes == 0)
    other = np.flatnonzero(tiny_study.image_codes == 1)
    scores = matcher.against(TASKS["g2t"], np.arange(30))(np.r_[one_image, other])
    count = len(one_image)
    assert np.allclose(scores[:count], scores[0], atol=1e-6)
    assert not np.allclose(scores[0], scores[count], atol=1e-3)


@pytest.mark.parametrize(
    ("method", "task", "message"),
    [
        ("image-only", "t2p", "t2p has no gaze"),
        ("factorised", "g2p", "told who asks, which g2p must not know"),
        ("ours-joint", "g2t", "supports gaze and text alone"),
        ("ours-privileged", "g2t", None),
        ("ours+personality", "g2p", "g2p needs personality at the test"),
        ("manner", "g2t", None),
        ("manner", "t2p", "how people look to how they write, which t2p has not both"),
        ("canonical", "t2g", None),
        ("canonical", "g2p", "how people look to how they write, which g2p has not both"),
        ("concepts", "g2t", "labelled areas of interest, and the study has none"),
        ("concepts", "g2p", "how people look to how they write, which g2p has not both"),
        ("style", "p2t", None),
    ],
)
def test_what_a_method_cannot_do_is_said(
    method: str, task: str, message: str | None, tiny_study: Study, tmp_path: Path
) -> None:
    tasks = task if method == "ours-joint" else ALL_TASKS
    lack = (
        Registry.of().named(method).missing_for(setting(tiny_study, tmp_path, tasks), TASKS[task])
    )
    assert (lack is None) if message is None else (message in str(lack))


def test_style_and_factorisation_need_known_people(tmp_path: Path) -> None:
    rows = [Row(None, f"i{n % 6}", f"text {n}", n % 5) for n in range(40)]
    unknown = setting(made_study(rows), tmp_path, "g2t")
    for name in ("style", "factorised"):
        assert "needs to know who made each sample" in str(
            BUILT_IN[name].missing_for(unknown, TASKS["g2t"])
        )
    assert BUILT_IN["ours"].missing_for(unknown, TASKS["g2t"]) is None


def test_what_is_privileged_is_what_the_pair_lacks(tiny_study: Study, tmp_path: Path) -> None:
    shared = setting(tiny_study, tmp_path, "g2t,g2p", ("base-privileged",))
    method: Method = BUILT_IN["base-privileged"]
    matcher = method.fit(shared)
    assert matcher is not None
    folder = matcher.run.folder
    for network, kept in (
        ("gaze-text", {"gaze", "text"}),
        ("gaze-personality", {"gaze", "personality"}),
    ):
        assert set(folder.towers(network, "base", matcher.run.configuration)) == kept
    retrieval = Galleries.of(tiny_study, ("gaze", "text")).retrieval(
        TASKS["g2t"], shared.split.rows("test")
    )
    scores = matcher.against(TASKS["g2t"], retrieval.gallery)(retrieval.queries)
    assert scores.shape == (len(retrieval.queries), len(retrieval.gallery))
