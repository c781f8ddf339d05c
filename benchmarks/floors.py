"""The floors of preparation: the same arithmetic, or the same bytes read, and nothing besides.

A floor does for all samples together what nobody can leave out; it checks nothing, names nothing
and keeps no order of anything.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as pacsv
from numpy.typing import NDArray
from PIL import Image
from scipy.io import loadmat
from sklearn.feature_extraction.text import HashingVectorizer

from beholder.features.gaze import Viewings
from beholder.study.gaze import Areas, DenseMap, Points

Floats = NDArray[np.floating[Any]]


def maps_of_points(gazes: Sequence[Points], cells: int, sigma: float) -> Floats:
    """Two thin Gaussians of all points at once and a product a gaze, (gazes, cells, cells)."""
    centres = ((np.arange(cells) + 0.5) / cells)[:, None]
    places = (np.concatenate([getattr(gaze, axis) for gaze in gazes]) for axis in "yx")
    thin = [np.exp(-0.5 * ((centres - place) / sigma) ** 2) for place in places]
    return _products(thin, list(map(len, gazes)))


def maps_of_areas(gazes: Sequence[Areas], cells: int) -> Floats:
    """The overlaps of all boxes with all cells at once and a product a gaze."""
    box = np.concatenate([gaze.box for gaze in gazes])
    edges = (np.arange(cells + 1) / cells)[:, None]
    thin = []
    for axis in (1, 0):
        start, end = box[:, axis], box[:, axis] + box[:, axis + 2]
        thin.append(np.maximum(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0))
    return _products(thin, [len(gaze.box) for gaze in gazes])


def _products(thin: list[Floats], lengths: list[int]) -> Floats:
    along_y, along_x = thin
    ends = np.cumsum(lengths).tolist()
    parts = (slice(end - length, end) for end, length in zip(ends, lengths, strict=True))
    return np.stack([along_y[:, part] @ along_x[:, part].T for part in parts])


def maps_of_maps(gazes: Sequence[DenseMap], cells: int) -> Floats:
    """Two products with matrices made before, (gazes, cells, cells)."""
    height, width = gazes[0].values.shape
    rows = np.ones((cells, height), dtype=np.float32)
    columns = np.ones((width, cells), dtype=np.float32)
    return np.stack([rows @ gaze.values @ columns for gaze in gazes])


def features_of_gaze(inputs: Viewings, maps: Any, width: int) -> Floats:
    """The maps, what the image shows under each, and one projection to the features' width."""
    cells, channels = inputs.grids.shape[1], inputs.grids.shape[3]
    attention = maps(inputs.gazes, cells).reshape(len(inputs), 1, -1).astype(np.float32)
    grids = inputs.grids.reshape(len(inputs.grids), cells**2, channels)
    pooled = (attention @ grids[inputs.image])[:, 0]  # (gazes, channels)
    return pooled @ np.ones((channels, width), dtype=np.float32)


def features_of_text(texts: Sequence[str], dimensions: int) -> Floats:
    """Words, their pairs and pieces hashed by scikit-learn, and one projection."""
    words = HashingVectorizer(ngram_range=(1, 2), n_features=2**14)
    pieces = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=2**14)
    projection = np.ones((2**14, dimensions), dtype=np.float32)
    return sum(one.transform(texts).astype(np.float32) @ projection for one in (words, pieces))


def features_of_personality(answers: Floats, traits: Floats) -> Floats:
    """One product for the traits and the z-scores of both."""
    scores = np.concatenate([answers, answers @ traits], axis=1)
    return ((scores - scores.mean(axis=0)) / scores.std(axis=0)).astype(np.float32)


def described_images(files: Sequence[Path], side: int) -> Floats:
    """Decoding and resizing alone."""
    small = []
    for file in files:
        with Image.open(file) as image:
            image.draft("RGB", (side, side))
            resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
            small.append(np.asarray(resized))
    return np.stack(small)


def read_files(folder: Path) -> None:
    """Arrow parses every table, SciPy every MATLAB file, and Pillow decodes every image."""
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".csv":
            # A caption may go over several lines.
            pacsv.read_csv(file, parse_options=pacsv.ParseOptions(newlines_in_values=True))
        elif file.suffix == ".mat":
            loadmat(file)
        elif re.fullmatch(r"\.(png|jpe?g)", file.suffix):
            with Image.open(file) as image:
                image.draft("RGB", (max(image.width // 8, 1), max(image.height // 8, 1)))
                image.load()
