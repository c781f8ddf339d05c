"""Drawing scenes with Pillow: one small function for each kind of object and each setting.

Everything is drawn at twice the size and then halved, which smooths the edges.
"""

from beholder.study.simulation.drawing.backdrops import BACKDROPS
from beholder.study.simulation.drawing.pen import Drawer, Pen, mix, shade
from beholder.study.simulation.drawing.picture import DRAWERS, draw_scene

__all__ = ["BACKDROPS", "DRAWERS", "Drawer", "Pen", "draw_scene", "mix", "shade"]
