"""Chance: every order of the gallery is as likely."""

from beholder.model.methods.method import Method, Setting


class Chance(Method):
    """Ranks at random; its scores are computed, not drawn."""

    name = "chance"

    def fit(self, setting: Setting) -> None:
        """Return None, as there is nothing to fit."""
