"""Degrees of visual angle, where the screen was measured and the distance is known."""

from collections.abc import Mapping
from math import atan, degrees
from typing import Any

from beholder.collect.recordings import Recording
from beholder.collect.rows import ParticipantRow


def bubble_degrees(
    row: ParticipantRow, one: Recording, image_width_px: int, radius_px: float
) -> float | None:
    """Return the angle that a bubble's diameter spans, or None without a calibration.

    ``radius_px`` is in pixels of the image. The calibration holds for the zoom at which the card
    was measured; a page zoomed since then shows every pixel larger by as much.
    """
    device: Mapping[str, Any] | None = row.device
    calibration = device["calibration"] if device else None
    if device is None or calibration is None or one.box is None:
        return None
    on_screen = radius_px * one.box["width"] / image_width_px  # CSS pixels
    enlarged = one.pixel_ratio / device["environment"]["device_pixel_ratio"] * one.zoom
    radius_cm = on_screen * enlarged / calibration["pixels_per_cm"]
    return degrees(2 * atan(radius_cm / calibration["viewing_distance_cm"]))
