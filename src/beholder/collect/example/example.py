"""Writing the example: its definition, with comments, and scenes drawn for it."""

from importlib import resources
from pathlib import Path

import numpy as np

from beholder import atomic
from beholder.collect.simulation import SCENES_FILE, write_scenes
from beholder.errors import ConfigurationError
from beholder.study.simulation.drawing import draw_scene
from beholder.study.simulation.scenes import Scene, SceneObject, compose_scene

IMAGES = 8
WIDTH, HEIGHT = 640, 480
_SEED = 2019
_SPANISH = {"child": "niño"}  # what is to be found in the practice image


def write_example(folder: Path) -> Path:
    """Write the example into a folder that is not there yet; return its definition's path."""
    try:
        with atomic.staged_folder(folder) as staged:
            _write(staged)
    except FileExistsError as error:
        raise ConfigurationError(f"{folder} exists already: name a new folder") from error
    return folder / "definition.toml"


def _write(folder: Path) -> None:
    generator = np.random.default_rng(_SEED)
    for part in ("images", "images/practice", "images/validation"):
        (folder / part).mkdir()
    scenes = {}
    for number in range(IMAGES):
        name = f"scene-{number + 1}.jpg"
        scenes[name] = compose_scene(generator)
        _draw(scenes[name], folder / "images" / name, generator)
    # So that simulated people look at what is there.
    write_scenes(folder / "images" / SCENES_FILE, scenes)
    practice, validation = compose_scene(generator, 3), compose_scene(generator, 1)
    _draw(practice, folder / "images" / "practice" / "scene.jpg", generator)
    _draw(validation, folder / "images" / "validation" / "scene.jpg", generator)
    template = resources.files("beholder.collect.example").joinpath("definition.toml")
    text = template.read_text("utf-8")
    text = text.replace(
        "@PRACTICE@", _area(practice.objects[-1], _in_both(practice.objects[-1].label))
    )
    text = text.replace(
        "@VALIDATION@", _area(validation.objects[0], f'"{validation.objects[0].label}"')
    )
    atomic.write_text(folder / "definition.toml", text)


def _draw(scene: Scene, path: Path, generator: np.random.Generator) -> None:
    draw_scene(scene, WIDTH, HEIGHT, generator).save(path, quality=90)


def _area(item: SceneObject, name: str) -> str:
    box = {"x": item.x, "y": item.y, "width": item.width, "height": item.height}
    sides = ", ".join(f"{name} = {value:.3f}" for name, value in box.items())
    return f"{{ {sides}, name = {name} }}"


def _in_both(label: str) -> str:
    return f'{{ en = "{label}", es = "{_SPANISH[label]}" }}'
