"""What people may have written, seen and been called, for the pages to show as it is."""

from __future__ import annotations

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
RTL = "كلب صغير على الشاطئ 🐶👩‍👩‍👧"
LONG = "so many words 🐘 " * 600
FORMULA = "=cmd|'<b>x</b>'!A1"
BOX = [0.25, 0.25, 0.5, 0.5]
AREAS = {
    "form": "areas",
    "fixations": 3,
    "fixation": [0, 1, 2],
    "label": ["dog", "dog", "<b>boat</b>"],
    "box": [BOX, BOX, [0, 0, 0.2, 0.2]],
}
HEAT = {"form": "map", "values": [[0.0, 0.5], [0.25, 1.0]]}
