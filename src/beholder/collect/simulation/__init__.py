"""Simulated participants who take part in a running study over HTTP, with known truth."""

from beholder.collect.simulation.browser import Patience
from beholder.collect.simulation.checking import faults
from beholder.collect.simulation.crowd import CrowdReport, simulate_crowd
from beholder.collect.simulation.habits import CARELESS, Habit, Rates
from beholder.collect.simulation.participation import World
from beholder.collect.simulation.scenery import SCENES_FILE, Scenery, write_scenes
from beholder.collect.simulation.truth import Truth, read_truth

__all__ = [
    "CARELESS",
    "SCENES_FILE",
    "CrowdReport",
    "Habit",
    "Patience",
    "Rates",
    "Scenery",
    "Truth",
    "World",
    "faults",
    "read_truth",
    "simulate_crowd",
    "write_scenes",
]
