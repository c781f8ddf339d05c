"""Simulated studies with known truth, and their export in the form of published data."""

from beholder.study.simulation.crossmod_export import write_crossmod
from beholder.study.simulation.drawing import draw_scene
from beholder.study.simulation.effects import Effects
from beholder.study.simulation.participants import TRAITS
from beholder.study.simulation.presets import PRESETS, Preset
from beholder.study.simulation.scenes import Scene, SceneObject, compose_scene
from beholder.study.simulation.study import simulate

__all__ = [
    "PRESETS",
    "TRAITS",
    "Effects",
    "Preset",
    "Scene",
    "SceneObject",
    "compose_scene",
    "draw_scene",
    "simulate",
    "write_crossmod",
]
