"""What a definition amounts to: sets, trials and seats, once every image has been opened."""

from dataclasses import asdict, dataclass
from typing import Any

from beholder.collect.definition import Definition
from beholder.collect.images import check_image
from beholder.collect.sets import all_images, image_sets
from beholder.progress import Progress, silent


@dataclass(frozen=True)
class Summary:
    """A definition in numbers."""

    name: str
    languages: tuple[str, ...]
    sets: int
    images: int
    trials_most: int  # of one participant, practice and validation among them
    participants_wanted: int
    platforms: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `beholder collect check --json` prints."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.name} in {', '.join(self.languages)}: {self.images} images in {self.sets} "
            f"sets, at most {self.trials_most} trials each, {self.participants_wanted} "
            f"participants wanted, from {', '.join(self.platforms)}"
        )


def summary_of(definition: Definition, progress: Progress = silent) -> Summary:
    """Return a definition in numbers; ConfigurationError where an image cannot be shown."""
    for image in progress(all_images(definition), "images"):
        check_image(definition.image_folder / image)
    sets = image_sets(definition)
    besides = len(definition.practice) + len(definition.validation)
    return Summary(
        name=definition.name,
        languages=definition.languages,
        sets=len(sets),
        images=sum(len(each.images) for each in sets),
        trials_most=max(len(each.images) for each in sets) + besides,
        participants_wanted=sum(each.viewers for each in sets),
        platforms=definition.platforms.allowed,
    )
