"""Simulated texts read like English, name what is there and follow what was looked at."""

import re
from dataclasses import replace

import numpy as np
import pytest

from beholder.study.simulation import Effects, compose_scene
from beholder.study.simulation.catalogue import OBJECTS
from beholder.study.simulation.phrases import REMARKS_BY_CATEGORY
from beholder.study.simulation.presets import Prompt
from beholder.study.simulation.scenes import Scene, SceneObject
from beholder.study.simulation.slogans import ACTIONS, USES
from beholder.study.simulation.viewing import view
from beholder.study.simulation.writing import write

SCENE = Scene(
    "park",
    (
        SceneObject("dog", 0.1, 0.5, 0.2, 0.2, "brown"),
        SceneObject("dog", 0.4, 0.5, 0.2, 0.2, "brown"),
        SceneObject("airplane", 0.6, 0.1, 0.3, 0.13, "orange"),
        SceneObject("woman", 0.75, 0.4, 0.15, 0.5, "red"),
    ),
)


def _texts(prompt: Prompt, count: int, strength: float = 1.0) -> list[str]:
    generator = np.random.default_rng(1)
    texts = []
    for _ in range(count):
        scene, traits = compose_scene(generator), generator.standard_normal(5)
        attention = view(scene, traits, Effects(), generator).attention
        effects = replace(Effects(), text=strength)
        texts.append(write(scene, attention, traits, prompt, effects, generator))
    return texts


def _about(attention: list[float], effects: Effects, seed: int) -> str:
    generator = np.random.default_rng(seed)
    return write(SCENE, np.array(attention), np.zeros(5), "describe", effects, generator)


@pytest.mark.parametrize("prompt", ["describe", "should"])
def test_texts_are_well_formed(prompt: Prompt) -> None:
    texts = _texts(prompt, 600)
    for text in texts:
        assert not re.search(r"[{}|]|  | [,.!]|\.\.\.\.|,,", text), text
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text, re.IGNORECASE), text
        assert not re.search(r"\b(?:two|three|four) \w+ (?:is|was)\b", text), text
        assert not re.search(r"\bthere (?:is|are) (?:also )?and\b", text), text
        assert not re.search(r"there is (?:also )?(?:two|three|four)", text, re.IGNORECASE), text
        assert 3 <= len(text.split()) <= 80, text
    assert len(set(texts)) > 590
    words = np.array([len(text.split()) for text in texts])
    assert 10 < words.mean() < 35


def test_slogans_take_the_asked_form() -> None:
    for text in _texts("should", 300):
        assert re.match(r"I should \w+ .+ because \w+", text), text


def test_only_what_is_there_is_named() -> None:
    generator = np.random.default_rng(2)
    for _ in range(200):
        scene = compose_scene(generator)
        attention = np.full(len(scene.objects), 1 / len(scene.objects))
        text = write(scene, attention, np.zeros(5), "describe", Effects(), generator)
        absent = set(OBJECTS) - {item.label for item in scene.objects}
        # Words that also belong to other names or to a remark.
        for label in absent - {"tree", "sign", "table"}:
            assert not re.search(rf"\ban? (?:\w+ )?{label}\b", text), (label, text)


def test_numbers_agree() -> None:
    texts = [_about([0.4, 0.4, 0.1, 0.1], Effects(), seed) for seed in range(200)]
    both = [text for text in texts if re.search(r"\btwo\b", text)]
    assert len(both) > 20
    assert all(re.search(r"two (?:\S+ ){0,3}(?:dogs|puppies)", text) for text in both)
    assert any("there are two" in text.lower() for text in both)


def test_what_was_looked_at_is_mentioned_where_the_effect_is_on() -> None:
    def share(attention: list[float], effects: Effects) -> float:
        texts = [_about(attention, effects, seed) for seed in range(300)]
        return float(np.mean(["plane" in text for text in texts]))

    seen, unseen = [0.1, 0.1, 0.8, 0.0], [0.4, 0.3, 0.0, 0.3]
    assert share(seen, Effects()) > share(unseen, Effects()) + 0.4
    none = Effects.none()
    assert share(seen, none) == share(unseen, none)


def test_traits_change_the_manner() -> None:
    def exclamations(extraversion: float, effects: Effects) -> float:
        texts = []
        for seed in range(300):
            traits = np.array([extraversion, 0, 0, 0, 0])
            generator = np.random.default_rng(seed)
            attention = np.full(4, 0.25)
            texts.append(write(SCENE, attention, traits, "describe", effects, generator))
        return float(np.mean(["!" in text for text in texts]))

    assert exclamations(1.5, Effects()) > 2 * exclamations(-1.5, Effects())
    assert exclamations(1.5, Effects.none()) == exclamations(-1.5, Effects.none())


def test_an_empty_scene_can_be_seen_and_described() -> None:
    generator = np.random.default_rng(0)
    scene = Scene("beach", ())
    viewing = view(scene, np.zeros(5), Effects(), generator)
    assert len(viewing.points) >= 4 and viewing.attended == ()
    for prompt in ("describe", "should"):
        text = write(scene, viewing.attention, np.zeros(5), prompt, Effects(), generator)
        assert "beach" in text.lower()


def test_every_category_has_its_phrases() -> None:
    categories = {kind.category for kind in OBJECTS.values()}
    assert set(REMARKS_BY_CATEGORY) == set(ACTIONS) == categories
    vehicles = {label for label, kind in OBJECTS.items() if kind.category == "vehicles"}
    assert set(USES) == vehicles
