"""The pretrained encoders of a training, and how a run keeps which ones they were."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from beholder import atomic
from beholder.errors import ConfigurationError
from beholder.features.image import Grid, ImageGrid
from beholder.features.pretrained.patches import PatchGrid
from beholder.features.pretrained.sentences import Sentences

RECORD = "pretrained.json"


@dataclass(frozen=True)
class Pretrained:
    """The pretrained encoders of texts and of images, if any."""

    text: Sentences | None = None
    image: PatchGrid | None = None

    @classmethod
    def open(cls, text: str = "", image: str = "") -> "Pretrained":
        """Return the encoders by their names or folders; an empty one is none."""
        return cls(Sentences.open(text) if text else None, PatchGrid.open(image) if image else None)

    @property
    def grid(self) -> Grid:
        """What describes an image: the model's patches, or colours and edges without one."""
        return self.image or ImageGrid()

    def check(self) -> None:
        """Raise ConfigurationError unless these very models are there."""
        for encoder in (self.text, self.image):
            if encoder is not None:
                encoder.check()

    def save(self, folder: Path) -> None:
        """Write which encoders these are into a folder, if there is one."""
        if self == Pretrained():
            return
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_text(folder / RECORD, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, folder: Path) -> "Pretrained":
        """Return what `save` wrote; ConfigurationError if that cannot be read."""
        file = folder / RECORD
        try:
            held = json.loads(file.read_text("utf-8"))
            text, image = held["text"], held["image"]
            return cls(text and Sentences(**text), image and PatchGrid(**image))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from error
