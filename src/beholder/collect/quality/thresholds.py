"""From where on each signal is raised. Every default can be changed; none rejects anybody."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """When a session is worth a person's look.

    Shares lie between 0 and 1. The defaults leave at least 95 in 100 simulated honest
    sessions without any flag.
    """

    missed_validation: int = 1
    """Validation images missed, from which a session is flagged."""

    few_clicks_share: float = 0.8
    """Share of the trials with no more clicks than the task asks for (or none at all)."""
    few_clicks_of_others: float = 0.5
    """Not flagged where the others' median of that share is higher: then the task is so."""

    fewest_clicks: int = 6
    """Fewer pointed clicks than this are not searched for a machine's regularity."""
    grid_tolerance: float = 0.01
    """Steps from click to click are alike within this fraction of the image."""
    grid_share: float = 0.6
    """Share of the steps of a trial that are alike in a grid."""
    interval_variation: float = 0.1
    """Standard deviation over mean of the times between clicks, below which a machine clicks."""
    regular_trials: float = 0.2
    """Share of the trials that are a grid, or of a machine's rhythm."""

    same_place: float = 0.002
    """Two clicks closer than this fraction of the image, on both axes, are at one place."""
    repeated_positions: float = 0.3
    """Share of the clicks that are at the place of a click on another image."""

    latency_ms: float = 50.0
    """Between two clicks of a hand, and before the first, lies more than this."""
    latency_share: float = 0.1
    """Share of the clicks that came faster."""

    pasted_share: float = 0.5
    """Share of a text's characters that came from the clipboard, or from no key at all."""
    pasted_captions: int = 1
    """Such texts from which a session is flagged."""

    shortest_copy: int = 25
    """Characters, after normalising, below which texts are alike by chance."""
    copy_likeness: float = 0.85
    """Jaccard index of two texts' character 5-grams from which they count as copied."""
    copied_captions: int = 2
    """Texts like an earlier one of somebody else from which a session is flagged."""
    repeated_captions: float = 0.25
    """Share of the texts that repeat an earlier one of the same session."""

    away_share: float = 0.25
    """Share of the trials' time with the page hidden or another window in use."""
    absences: float = 2.0
    """Absences a trial, on average."""

    click_ms: float = 150.0
    """Least time that a click takes somebody who looks at what it shows."""
    character_ms: float = 45.0
    """Least time that a typed character takes: about 270 words a minute."""
    fast_trials: float = 0.2
    """Share of the trials that took less than their clicks and characters."""
    item_ms: float = 800.0
    """Least time in which somebody reads and answers one item of a survey."""

    straight_lined: float = 0.9
    """Share of the items with one and the same answer."""
    contradictions: float = 0.8
    """Share of the traits whose straight and reversed items were both agreed or both denied."""

    agreement: float = 0.65
    """Share of other images' maps that resemble a viewing less than its own image's: 0.5 by
    chance (give or take 0.075 over 15 images), 1 where every viewing is as others see it."""
    agreement_images: int = 8
    """Images with other viewers below which agreement is not judged."""
