"""Small pictures of a gaze over its image, to be put into a page."""

import base64
import io

import numpy as np
from PIL import Image

from beholder.study.gaze import Kernel, attention_map
from beholder.study.study import Study

WIDTH_PX = 240
_DARKEST = 0.35  # brightness of what nobody looked at


def gaze_picture(study: Study, sample: int, width: int = WIDTH_PX) -> str:
    """Return a sample's image as a JPEG data URL, dark but where its gaze lay."""
    row = int(study.image_codes[sample])
    with Image.open(study.image_path(row)) as opened:
        height = max(1, round(width * opened.height / opened.width))
        opened.draft("RGB", (width, height))
        image = np.asarray(opened.convert("RGB").resize((width, height)), dtype=float)
    gaze = study.gaze(sample)
    if gaze is not None:
        aspect = float(study.aspects[row])
        attention = attention_map(gaze, height, width, aspect=aspect, kernel=Kernel(0.04))
        light = np.sqrt(attention / max(attention.max(), 1e-12))  # the root shows weak parts too
        image *= (_DARKEST + (1 - _DARKEST) * light)[..., None]
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "JPEG", quality=72)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
