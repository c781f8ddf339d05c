"""The sets that images form: what one participant is shown in one participation."""

from dataclasses import dataclass

import numpy as np

from beholder.collect.definition import Definition
from beholder.errors import ConfigurationError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class ImageSet:
    """Images that one participant is shown, and how many participants are wanted for them."""

    name: str
    images: tuple[str, ...]  # paths below the images' folder, with /
    viewers: int


def image_sets(definition: Definition) -> tuple[ImageSet, ...]:
    """Return the sets of a definition, named ones or those that its seed cuts from the folder."""
    wanted = definition.images.viewers
    if definition.sets:
        return tuple(
            ImageSet(named.name, named.images, named.viewers or wanted) for named in definition.sets
        )
    images = _images_below(definition)
    order = np.random.default_rng(definition.images.seed).permutation(len(images))
    size = definition.images.set_size
    return tuple(
        ImageSet(
            f"set-{start // size + 1:03d}",
            tuple(images[number] for number in order[start : start + size]),
            wanted,
        )
        for start in range(0, len(images), size)
    )


def all_images(definition: Definition) -> tuple[str, ...]:
    """Return every image that may be shown, each once, in order of first use."""
    used = [practice.image for practice in definition.practice]
    used += [image for each in image_sets(definition) for image in each.images]
    used += [validation.image for validation in definition.validation]
    return tuple(dict.fromkeys(used))


def _images_below(definition: Definition) -> list[str]:
    """Return the images of the folder that are for nothing else, in the order of their names."""
    folder = definition.image_folder
    taken = {practice.image for practice in definition.practice}
    taken |= {validation.image for validation in definition.validation}
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    images = [image for image in found if image not in taken]
    if not images:
        raise ConfigurationError(f"{folder} holds no image to show in a trial")
    return images
