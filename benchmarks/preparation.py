"""Attention maps, features and reading against their floors: python -m benchmarks.preparation.

A floor is the arithmetic alone, or the same bytes parsed and decoded and nothing else (see
`benchmarks.floors`). Each pair runs in turn, several times, and the quickest of each counts, by
processor seconds. Real data in the form of ``tables`` at BEHOLDER_DIDEC, by default
../shared/data/didec, are measured too where they are there.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from beholder.features import FeatureCache, ModalityEncoder, StudyInputs
from beholder.features.image import ImageGrid
from beholder.features.modalities import DEFAULT_ENCODERS
from beholder.study import Study
from beholder.study.gaze import Areas, DenseMap, Kernel, Points, attention_map, attention_maps
from beholder.study.readers import ReadOptions, read
from beholder.study.simulation import PRESETS, simulate, write_crossmod
from benchmarks import floors
from benchmarks.commands import write_results
from benchmarks.crowd import Crowd, write_crowd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "study" / "readers"))

from made_bubbleview import entry, struct_of_values, structs, user

DATA = Path(os.environ.get("BEHOLDER_DIDEC", Path(__file__).parents[2] / "shared/data/didec"))
PRESET = replace(PRESETS["small"], name="preparation", images=120, sets=12, viewers=10)
ROUNDS = 3
CELLS, KERNEL = 16, 0.06
LIMIT_S = 0.3  # for importing the package


@dataclass(frozen=True)
class Measured:
    """One step beside its floor: processor seconds of each for so many samples."""

    step: str
    samples: int
    step_s: float
    floor_s: float

    @property
    def speed_of_floor(self) -> float:
        """The step's speed as a share of its floor's."""
        return self.floor_s / self.step_s


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "made", PRESET)
        made = Study.open(root / "made")
        measured = [*attention(made), *features(made, "made"), *reading(made, root)]
        if DATA.is_dir():
            measured.append(_reading("tables (DIDEC)", DATA, "tables", root))
            measured += features(Study.open(root / "tables (DIDEC)"), "DIDEC")
    start = starting()
    results = {
        "steps": [asdict(one) | {"speed_of_floor": one.speed_of_floor} for one in measured],
        "start": start,
    }
    lines = [
        "| step | samples | samples a second | of the floor | speed of the floor |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.step} | {one.samples:,} | {one.samples / one.step_s:,.0f} "
        f"| {one.samples / one.floor_s:,.0f} | {one.speed_of_floor:.2f} |"
        for one in measured
    ]
    lines += [
        "",
        f"`import beholder` takes {start['import_s']:.3f} s beside an empty Python (at most "
        f"{LIMIT_S}), `beholder --help` {start['help_s']:.2f} s in all, and neither loads torch.",
    ]
    write_results("preparation", results, "\n".join(lines))


def attention(study: Study) -> Iterator[Measured]:
    """Measure attention maps of each form of gaze."""
    points = [gaze for gaze in map(study.gaze, range(len(study))) if isinstance(gaze, Points)]
    areas = _areas(len(points), np.random.default_rng(0))
    dense = [DenseMap(attention_map(gaze, 240, 320).astype(np.float32)) for gaze in points[:200]]
    kernel = Kernel(KERNEL)
    yield _beside(
        *("attention maps of points", len(points)),
        lambda: attention_maps(points, CELLS, CELLS, kernel=kernel),
        lambda: floors.maps_of_points(points, CELLS, KERNEL),
    )
    yield _beside(
        *("attention maps of areas", len(areas)),
        lambda: attention_maps(areas, CELLS, CELLS),
        lambda: floors.maps_of_areas(areas, CELLS),
    )
    yield _beside(
        *("attention maps of maps of 240 × 320", len(dense)),
        lambda: attention_maps(dense, CELLS, CELLS),
        lambda: floors.maps_of_maps(dense, CELLS),
    )


def features(study: Study, name: str) -> Iterator[Measured]:
    """Measure what the encoders, fitted before, take for all samples of a study."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = StudyInputs(study, FeatureCache(Path(folder)))
        files = [study.image_path(row) for row in range(study.images.num_rows)]
        grid = ImageGrid()
        yield _beside(
            *(f"grids of images ({name})", len(files)),
            lambda: [grid.describe(file) for file in files],
            lambda: floors.described_images(files, grid.cells * grid.pixels),
        )
        for modality in ("gaze", "text", "personality"):
            rows = np.flatnonzero(study.has(modality))
            if not len(rows):
                continue
            encoder = ModalityEncoder.fit(DEFAULT_ENCODERS[modality], inputs.of(modality, rows))
            # Inputs made anew, as they keep their maps.
            yield _beside(
                *(f"features of {modality} ({name})", len(rows)),
                _encode(inputs, encoder, modality, rows),
                _feature_floor(inputs, encoder, modality, rows),
            )


def _encode(inputs: StudyInputs, encoder: ModalityEncoder, modality: str, rows: Any) -> Any:
    return lambda: encoder.encode(inputs.of(modality, rows))


def _feature_floor(inputs: StudyInputs, encoder: ModalityEncoder, modality: str, rows: Any) -> Any:
    items = inputs.of(modality, rows)
    width = encoder.encode(items).shape[1]
    if modality == "text":
        texts = [inputs.study.texts[row] for row in rows]
        return lambda: floors.features_of_text(texts, width)
    if modality == "personality":
        traits = np.ones((items.answers.shape[1], len(items.instrument.traits)))
        return lambda: floors.features_of_personality(items.answers, traits)

    def maps(gazes: Any, cells: int) -> Any:
        if isinstance(gazes[0], Areas):
            return floors.maps_of_areas(gazes, cells)
        return floors.maps_of_points(gazes, cells, KERNEL)

    return lambda: floors.features_of_gaze(items, maps, width)


def reading(study: Study, root: Path) -> Iterator[Measured]:
    """Measure readers on what was made, in the form of each."""
    write_crowd(Crowd(20_000, images=200), root / "crowd")
    yield _reading("tables", root / "crowd", "tables", root)
    write_crossmod(study, root / "archive")
    yield _reading("crossmod", root / "archive", "crossmod", root)
    _write_bubbleview(study, root / "bubbles")
    yield _reading("bubbleview", root / "bubbles", "bubbleview", root)


def _reading(name: str, source: Path, source_format: str, root: Path) -> Measured:
    samples = 0

    def step() -> None:
        nonlocal samples
        options = ReadOptions(overwrite=True)
        samples = read(source_format, source, root / name, options).samples

    one = _beside(f"reading {name}", 0, step, lambda: floors.read_files(source))
    return replace(one, samples=samples)


def _write_bubbleview(study: Study, folder: Path) -> None:
    """Write a study as BubbleView's authors published theirs: clicks in pixels, by image."""
    viewers: dict[str, list[Any]] = {}
    size = PRESET.width, PRESET.height
    for sample in study:
        gaze = sample.gaze
        clicks = np.stack([gaze.x, gaze.y], axis=1) * size
        times = [f"{second % 60:02d}" for second in gaze.time.astype(int)]
        text = struct_of_values("final", sample.text)
        viewers.setdefault(sample.image, []).append(user(clicks, times, text))
    (folder / "targets").mkdir(parents=True)
    for image in viewers:
        (folder / "targets" / image).write_bytes((study.path / "images" / image).read_bytes())
    entries = [entry(image, *users) for image, users in viewers.items()]
    savemat(folder / "exp1.mat", {"bubble": structs(entries)})


def _areas(count: int, generator: np.random.Generator) -> list[Areas]:
    """Make up gazes of a dozen fixations, each on one of six boxes."""
    made = []
    for _ in range(count):
        corner, side = generator.uniform(0, 0.6, (6, 2)), generator.uniform(0.1, 0.4, (6, 2))
        hit = generator.integers(6, size=12)
        box = np.concatenate([corner, side], axis=1)[hit].astype(np.float32)
        made.append(Areas(12, np.arange(12), tuple(f"thing {one}" for one in hit), box))
    return made


def _beside(step: str, samples: int, ours: Callable[[], Any], floor: Callable[[], Any]) -> Measured:
    """Run both in turn; the quickest of each, as whatever else the machine does only adds."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, kept in zip((ours, floor), seconds, strict=True):
            started = time.process_time()
            run()
            kept.append(time.process_time() - started)
    return Measured(step, samples, *map(min, seconds))


def starting() -> dict[str, float]:
    """Measure what importing the package and asking for help cost; refuse if torch is loaded."""
    code = "import sys, time; s = time.process_time(); {}; print(time.process_time() - s)"
    imported = [float(_python("-c", code.format("import beholder"))) for _ in range(ROUNDS)]
    checked = "import sys, beholder.cli; print('torch' in sys.modules)"
    if _python("-c", checked).strip() != "False":
        raise SystemExit("beholder.cli loads torch")
    help_s = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        _python("-m", "beholder", "--help")
        help_s.append(time.monotonic() - started)
    return {"import_s": min(imported), "help_s": min(help_s)}


def _python(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


if __name__ == "__main__":
    main()
