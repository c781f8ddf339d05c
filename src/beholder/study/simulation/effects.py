"""How strongly the simulated people show in what they do."""

from dataclasses import dataclass, fields

from beholder.errors import ConfigurationError


@dataclass(frozen=True)
class Effects:
    """Sizes of what is personal in a simulated study; 1.0 is the default strength, 0 is none.

    ``survey``: traits on answers; ``gaze``: traits on what attracts a person and how they
    look; ``text``: traits on wording and style; ``sample``: what this very gaze attended on
    what this very text mentions.
    """

    survey: float = 1.0
    gaze: float = 1.0
    text: float = 1.0
    sample: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) < float("inf"):
                raise ConfigurationError(
                    f"effect {field.name} is a size of 0 or more, not {getattr(self, field.name)}"
                )

    @classmethod
    def none(cls) -> "Effects":
        """Return effects that leave nothing personal to be found."""
        return cls(survey=0.0, gaze=0.0, text=0.0, sample=0.0)
