"""What simulated people see: the scene of an image where it is known, else an imagined one.

People are not told which image they look at. Whoever has the definition recognises it by how
it looks; an image that nobody described is imagined as some scene, the same for everyone, so
that viewers of one image agree as people do.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from beholder import atomic
from beholder.collect.definition import Area, Definition
from beholder.collect.sets import all_images
from beholder.errors import ConfigurationError
from beholder.study.gaze import Floats
from beholder.study.simulation import Scene, SceneObject, compose_scene

SCENES_FILE = "scenes.json"
_CELLS = 12
_LARGEST_DIFFERENCE = 8.0  # of 255, on average


@dataclass(frozen=True)
class Sight:
    """An image as somebody sees it; ``name`` and ``areas`` are known only by the definition."""

    scene: Scene
    name: str | None = None
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class _Known:
    looks: Floats
    sight: Sight


class Scenery:
    """Tells what is to be seen in an image's bytes; without a definition all is imagined."""

    def __init__(self, definition: Definition | None = None) -> None:
        self._known: list[_Known] = []
        self._seen: dict[str, Sight] = {}
        if definition is None:
            return
        folder = definition.image_folder
        scenes = read_scenes(folder / SCENES_FILE)
        needed = {entry.image: entry.areas[: entry.needed] for entry in definition.validation}
        needed |= {entry.image: entry.areas for entry in definition.practice}
        for image in all_images(definition):
            data = (folder / image).read_bytes()
            scene = scenes.get(image) or _imagined(hashlib.sha256(data).hexdigest())
            sight = Sight(scene, image, needed.get(image, ()))
            self._known.append(_Known(_looks(data), sight))

    def sight(self, data: bytes) -> Sight:
        """Return what an encoded image shows."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._seen:
            self._seen[digest] = self._recognised(data) or Sight(_imagined(digest))
        return self._seen[digest]

    def _recognised(self, data: bytes) -> Sight | None:
        if not self._known:
            return None
        looks = _looks(data)
        differences = [float(np.abs(known.looks - looks).mean()) for known in self._known]
        nearest = int(np.argmin(differences))
        if differences[nearest] > _LARGEST_DIFFERENCE:
            return None
        return self._known[nearest].sight


def write_scenes(file: Path, scenes: Mapping[str, Scene]) -> None:
    """Write what images show, by their paths below the images' folder, where `Scenery` looks."""
    plain = {image: asdict(scene) for image, scene in scenes.items()}
    atomic.write_text(file, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")


def read_scenes(file: Path) -> dict[str, Scene]:
    """Return what `write_scenes` wrote; nothing where there is no such file."""
    if not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text("utf-8"))
        return {image: _scene(**plain) for image, plain in data.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{file} does not describe scenes: {error}") from error


def _scene(objects: list[dict[str, Any]], **facts: Any) -> Scene:
    return Scene(objects=tuple(SceneObject(**each) for each in objects), **facts)


@cache
def _imagined(digest: str) -> Scene:
    return compose_scene(np.random.default_rng(int(digest[:15], 16)))


def _looks(data: bytes) -> Floats:
    """Return a tiny grey copy of an image, by which it is told from the others."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", (64, 64))
        upright = ImageOps.exif_transpose(image).convert("L")
        small = upright.resize((_CELLS, _CELLS), Image.Resampling.BOX)
        return np.asarray(small, dtype=float)
