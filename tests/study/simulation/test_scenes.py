"""The composed scenes keep their rules and the drawn objects fill the boxes they claim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from beholder.study.simulation.catalogue import COLOURS, OBJECTS, SETTINGS
from beholder.study.simulation.drawing import BACKDROPS, DRAWERS, draw_scene
from beholder.study.simulation.scenes import (
    FEWEST_OBJECTS,
    MOST_OBJECTS,
    MOST_OVERLAP,
    Scene,
    SceneObject,
    compose_scene,
    kinds_in,
    overlap,
    without_objects,
)

WIDTH, HEIGHT = 400, 300
VISIBLE_CHANGE = 12


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _changed(scene: Scene, seed: int) -> NDArray[np.bool_]:
    """Which pixels the objects of a scene change visibly, as rows by columns."""
    full, bare = (
        np.asarray(draw_scene(one, WIDTH, HEIGHT, _generator(seed)), dtype=np.int16)
        for one in (scene, without_objects(scene))
    )
    changed: NDArray[np.bool_] = np.abs(full - bare).max(axis=2) > VISIBLE_CHANGE
    return changed


def _pixels(item: SceneObject, spare: int = 0) -> tuple[slice, slice]:
    """The rows and columns of an object's box, with some spare pixels around it."""
    top, bottom = int(item.y * HEIGHT) - spare, int(np.ceil(item.base * HEIGHT)) + spare
    left = int(item.x * WIDTH) - spare
    right = int(np.ceil((item.x + item.width) * WIDTH)) + spare
    return slice(max(top, 0), bottom), slice(max(left, 0), right)


def test_table_is_coherent() -> None:
    assert len(OBJECTS) >= 28
    assert len(SETTINGS) >= 7
    assert len(COLOURS) >= 12
    assert set(DRAWERS) == set(OBJECTS)
    assert set(BACKDROPS) == set(SETTINGS)
    assert len({kind.plural for kind in OBJECTS.values()}) == len(OBJECTS)
    for kind in OBJECTS.values():
        assert kind.colours and set(kind.colours) <= set(COLOURS)
        assert any(kind in kinds_in(setting) for setting in kind.settings)
    for setting in SETTINGS.values():
        assert set(setting.accents) <= set(COLOURS)
        assert len(kinds_in(setting.name)) >= MOST_OBJECTS


def test_every_category_is_drawn() -> None:
    categories = {kind.category for kind in OBJECTS.values()}
    assert categories == {
        "people",
        "animals",
        "vehicles",
        "nature",
        "food",
        "furniture",
        "signs",
    }


@pytest.mark.parametrize("seed", range(60))
def test_composed_scene_keeps_its_rules(seed: int) -> None:
    scene = compose_scene(_generator(seed))
    assert FEWEST_OBJECTS <= len(scene.objects) <= MOST_OBJECTS
    bases = [item.base for item in scene.objects]
    assert bases == sorted(bases)
    for index, item in enumerate(scene.objects):
        assert item.x >= 0.0 and item.x + item.width <= 1.0
        assert item.y >= 0.0 and item.base <= 1.0
        assert OBJECTS[item.label] in kinds_in(scene.setting)
        assert item.colour in OBJECTS[item.label].colours
        assert all(overlap(item, other) <= MOST_OVERLAP for other in scene.objects[:index])


def test_objects_keep_a_visible_size() -> None:
    generator = _generator(3)
    for _ in range(300):
        for item in compose_scene(generator, MOST_OBJECTS).objects:
            assert item.width > 0.6 * OBJECTS[item.label].width


def test_number_of_objects_can_be_asked_for() -> None:
    assert [len(compose_scene(_generator(1), count).objects) for count in (0, 1, 5, 12)] == [
        0,
        1,
        5,
        12,
    ]
    with pytest.raises(ValueError, match="-1 objects"):
        compose_scene(_generator(1), -1)


def test_all_kinds_and_settings_occur() -> None:
    generator = _generator(0)
    scenes = [compose_scene(generator) for _ in range(543)]
    assert {scene.setting for scene in scenes} == set(SETTINGS)
    assert {item.label for scene in scenes for item in scene.objects} == set(OBJECTS)


def test_same_generator_state_gives_the_same_image() -> None:
    assert compose_scene(_generator(7)) == compose_scene(_generator(7))
    scene = compose_scene(_generator(7))
    images = [draw_scene(scene, WIDTH, HEIGHT, _generator(seed)) for seed in (1, 1, 2)]
    assert images[0].size == (WIDTH, HEIGHT)
    assert images[0].mode == "RGB"
    assert images[0].tobytes() == images[1].tobytes()
    assert images[0].tobytes() != images[2].tobytes()


@pytest.mark.parametrize("label", OBJECTS)
def test_each_kind_fills_its_box(label: str) -> None:
    kind = OBJECTS[label]
    for seed, setting in enumerate(kind.settings):
        if kind not in kinds_in(setting):
            continue
        base = SETTINGS[setting].zones[kind.band].near
        x = SETTINGS[setting].zones[kind.band].left + 0.02
        colour = kind.colours[seed % len(kind.colours)]
        item = SceneObject(label, x, base - kind.height, kind.width, kind.height, colour)
        changed = _changed(Scene(setting, (item,)), seed)
        assert changed[_pixels(item)].mean() >= 0.25
        changed[_pixels(item, spare=2)] = False
        assert changed.mean() < 0.0005


@pytest.mark.parametrize("seed", range(12))
def test_nothing_changes_outside_the_boxes(seed: int) -> None:
    scene = compose_scene(_generator(seed))
    changed = _changed(scene, seed)
    for item in scene.objects:
        assert changed[_pixels(item)].mean() >= 0.25
    for item in scene.objects:
        changed[_pixels(item, spare=2)] = False
    assert changed.mean() < 0.001


def test_settings_differ_visibly() -> None:
    drawn = {
        name: np.asarray(
            draw_scene(Scene(name, ()), WIDTH, HEIGHT, _generator(0)).resize((20, 15)), dtype=float
        )
        for name in SETTINGS
    }
    names = list(drawn)
    for index, name in enumerate(names):
        for other in names[:index]:
            assert np.abs(drawn[name] - drawn[other]).mean() > 12.0


@pytest.mark.parametrize("size", [(64, 48), (301, 203), (800, 600)])
def test_other_sizes_can_be_drawn(size: tuple[int, int]) -> None:
    image = draw_scene(compose_scene(_generator(5)), *size, _generator(5))
    assert image.size == size
