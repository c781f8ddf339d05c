"""Clicks of BubbleView made up, in the exact form of the published struct arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

DAY = "2016-02-04 00:34:"


def cells(values: list[Any]) -> np.ndarray:
    """A column of cells."""
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return array


def struct_of_lists(*entries: tuple[str, str]) -> dict[str, Any]:
    types, texts = zip(*entries, strict=True)
    return {"groupID": cells(list("0" * len(types))), "type": cells(types), "text": cells(texts)}


def struct_of_values(kind: str, text: str) -> dict[str, str]:
    return {"groupID": "0", "type": kind, "text": text}


def list_of_structs(*entries: tuple[str, str]) -> np.ndarray:
    return np.array([list(entries)], dtype=[("type", object), ("text", object)])


def user(
    clicks: Any = ((10, 15), (40, 0), (0.0, 30.0)),
    times: Any = ("18", "18", "21"),
    descriptions: Any = None,
) -> dict[str, Any]:
    moments = cells([DAY + time for time in times])
    fixations = {"enc": np.array(clicks), "rec": np.zeros((0, 0)), "enc_time": moments}
    made = {"fixations": fixations}
    return made if descriptions is None else made | {"descriptions": descriptions}


def structs(values: list[dict[str, Any]]) -> np.ndarray:
    """A row of structs, as MATLAB has them."""
    names = list(dict.fromkeys(name for value in values for name in value))
    array = np.empty((1, len(values)), dtype=[(name, object) for name in names])
    for place, value in enumerate(values):
        array[0, place] = tuple(value.get(name, np.zeros((0, 0))) for name in names)
    return array


def entry(image: str, *users: dict[str, Any], folder: str = "targets") -> dict[str, Any]:
    return {"filename": image, "impath": f"{folder}/{image}", "userdata": structs(list(users))}
