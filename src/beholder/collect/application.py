"""What the routes share: one study's definition, store, images and people."""

from dataclasses import dataclass, field
from pathlib import Path

from beholder.collect.clock import Clock, now_ms
from beholder.collect.definition import Definition
from beholder.collect.images import ImageCache
from beholder.collect.sessions import Sessions
from beholder.collect.store import Store
from beholder.study.pseudonyms import Pseudonymiser


@dataclass(frozen=True)
class Settings:
    """How one server runs: not part of the study."""

    researcher_token: str = field(repr=False)
    pilot: bool = False
    root_path: str = ""  # the prefix under which a proxy shows the server, without a final /
    data: Path | None = None  # the folder of what is made; without it no export can lie ready


class Application:
    """A running study; it holds nothing that the database does not, so it may be killed."""

    def __init__(
        self,
        definition: Definition,
        store: Store,
        images: ImageCache,
        pseudonymiser: Pseudonymiser,
        settings: Settings,
        clock: Clock = now_ms,
    ) -> None:
        self.definition, self.store, self.images = definition, store, images
        self.pseudonymiser, self.settings, self.clock = pseudonymiser, settings, clock
        self.sessions = Sessions(store.database, definition, clock, pilot=settings.pilot)
