"""Inspecting a study: how large it is, what is missing, how it was answered, what looks wrong."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.progress import Progress, silent
from beholder.study.gaze import Areas, Points
from beholder.study.study import Study
from beholder.study.tasks import TASKS, item_codes, missing_for

MODALITY_NAMES = ("gaze", "text", "personality")
_WITH_EVENTS = ("points", "areas")
_LONGEST_S = 600.0  # nobody looks at one image for longer


@dataclass(frozen=True)
class Inspection:
    """What `beholder inspect` says of a study; every part is plain data."""

    study: dict[str, Any]
    counts: dict[str, int]
    modalities: dict[str, int]
    tasks: dict[str, str | None]
    coverage: dict[str, Any]
    text: dict[str, float]
    gaze: dict[str, Any]
    survey: dict[str, Any]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `beholder inspect --json` prints."""
        plain: dict[str, Any] = _without_nan(asdict(self))
        return plain


def inspect(study: Study, progress: Progress = silent) -> Inspection:
    """Return what there is to know of a study before training on it."""
    present = {modality: study.has(modality) for modality in MODALITY_NAMES}
    coverage = Coverage.of(study)
    text, survey = _text(study), _survey(study)
    gaze = _gaze(study, progress)
    counts = {
        "samples": len(study),
        "participants": study.participants.num_rows,
        "images": study.images.num_rows,
        "surveys": int((~np.isnan(study.answers).any(axis=1)).sum()) if study.instrument else 0,
        "samples_of_unknown_participants": int((study.participant_codes < 0).sum()),
        "skipped_rows": study.info.skipped_rows,
    }
    return Inspection(
        study=asdict(study.info),
        counts=counts,
        modalities={name: int(has.sum()) for name, has in present.items()},
        tasks={name: missing_for(study, task) for name, task in TASKS.items()},
        coverage=_coverage(coverage),
        text=text,
        gaze=gaze,
        survey=survey,
        warnings=(
            *_warnings(study, present, coverage, survey, gaze),
            *_image_warnings(study, progress),
        ),
    )


@dataclass(frozen=True)
class Coverage:
    """Who met which image: the pairs that met, by participant and then image.

    A study of many people and images has few of all pairs, so that no matrix of them is made.
    """

    participants: int
    images: int
    person: NDArray[np.int64]  # (pairs,)
    image: NDArray[np.int64]  # (pairs,)
    samples: NDArray[np.int64]  # (pairs,) how often they met

    @classmethod
    def of(cls, study: Study) -> "Coverage":
        """Return who met which image in a study, as far as people are known."""
        images = study.images.num_rows
        known = study.participant_codes >= 0
        cells = study.participant_codes[known] * images + study.image_codes[known]
        met, samples = np.unique(cells, return_counts=True)
        person, image = met // max(images, 1), met % max(images, 1)
        return cls(study.participants.num_rows, images, person, image, samples)

    @property
    def images_met(self) -> NDArray[np.int64]:
        """How many images each participant met, shape (participants,)."""
        return np.bincount(self.person, minlength=self.participants)

    @property
    def viewers(self) -> NDArray[np.int64]:
        """How many participants met each image, shape (images,)."""
        return np.bincount(self.image, minlength=self.images)

    def rows(self) -> Iterator[NDArray[np.int64]]:
        """Give each participant's samples of every image, shape (images,)."""
        first = np.searchsorted(self.person, np.arange(self.participants + 1))
        for start, stop in pairwise(first.tolist()):
            row = np.zeros(self.images, dtype=np.int64)
            row[self.image[start:stop]] = self.samples[start:stop]
            yield row


def coverage_matrix(study: Study) -> NDArray[np.int64]:
    """Return how many samples each participant has of each image, (participants, images)."""
    coverage = Coverage.of(study)
    shape = (coverage.participants, coverage.images)
    return np.array(list(coverage.rows()), np.int64).reshape(shape)


def coverage_csv(study: Study) -> str:
    """Return the coverage as CSV: a row a participant, a column an image."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["participant", *study.images.column("image").to_pylist()])
    people = study.participants.column("participant").to_pylist()
    for participant, row in zip(people, Coverage.of(study).rows(), strict=True):
        writer.writerow([participant, *row.tolist()])
    return text.getvalue()


def _coverage(coverage: Coverage) -> dict[str, Any]:
    pairs = coverage.participants * coverage.images
    return {
        "density": len(coverage.samples) / pairs if pairs else 0.0,
        "images_per_participant": _spread(coverage.images_met),
        "viewers_per_image": _spread(coverage.viewers),
        "repeated_viewings": int((coverage.samples > 1).sum()),
    }


def _spread(values: NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    low, median, high = values.min().item(), float(np.median(values)), values.max().item()
    if isinstance(low, int) and median.is_integer():
        median = int(median)  # whole numbers stay whole
    return {"minimum": low, "median": median, "maximum": high}


def _text(study: Study) -> dict[str, float]:
    texts = [text for text in study.texts if text is not None]
    if not texts:
        return {}
    words = [text.split() for text in texts]
    lengths = np.array([len(of_text) for of_text in words])
    vocabulary = Counter(word.lower() for of_text in words for word in of_text)
    return {
        "words_mean": float(lengths.mean()),
        "words_spread": float(lengths.std()),
        "vocabulary": len(vocabulary),
        "words_used_once": sum(count == 1 for count in vocabulary.values()),
        "repeated_texts": len(texts) - len(set(texts)),
    }


def _gaze(study: Study, progress: Progress) -> dict[str, Any]:
    forms = Counter(form for form in study.gaze_forms if form is not None)
    numbers = [number for number, form in enumerate(study.gaze_forms) if form in _WITH_EVENTS]
    events, hits, durations = [], [], []
    for number in progress(numbers, "reading gaze", len(numbers)):
        gaze = study.gaze(number)
        assert isinstance(gaze, Points | Areas)  # as its form said
        events.append(len(gaze))
        if isinstance(gaze, Areas):
            hits.append(len(np.unique(gaze.fixation)) / max(gaze.fixations, 1))
        elif gaze.time is not None and np.isfinite(gaze.time).any():
            durations.append(float(np.nanmax(gaze.time)))
    found: dict[str, Any] = {"forms": dict(forms)}
    if events:
        found["events"] = _spread(np.array(events))
    if hits:
        found["hit_rate_mean"] = float(np.mean(hits))
        found["without_any_hit"] = int(np.sum(np.array(hits) == 0))
    if durations:
        found["seconds"] = _spread(np.array(durations))
    return found


def _survey(study: Study) -> dict[str, Any]:
    if study.instrument is None:
        return {}
    answers = study.answers[~np.isnan(study.answers).any(axis=1)]
    found: dict[str, Any] = {"instrument": study.instrument.name, "surveys": len(answers)}
    if len(study.instrument.items) > 1:
        found["straight_lined"] = int((answers == answers[:, :1]).all(axis=1).sum())
    if len(answers) < 2:
        return found
    scores = study.instrument.trait_scores(answers)
    reliability = study.instrument.reliability(answers)
    found["traits"] = {
        trait: {
            "mean": float(scores[:, column].mean()),
            "spread": float(scores[:, column].std(ddof=1)),
            "alpha": reliability[trait],
        }
        for column, trait in enumerate(study.instrument.traits)
    }
    return found


def _warnings(
    study: Study,
    present: dict[str, NDArray[np.bool_]],
    coverage: Coverage,
    survey: dict[str, Any],
    gaze: dict[str, Any],
) -> list[str]:
    """Say in one sentence each what a researcher should look at before trusting a result."""
    warnings = [
        f"{missing} of {len(study)} samples have no {modality}"
        for modality in ("gaze", "text")
        if (missing := int((~present[modality]).sum()))
    ]
    if alone := int((coverage.viewers == 1).sum()):
        images = _count(alone, "image has", "images have")
        warnings.append(f"{images} a single viewer: they say nothing of who differs")
    met = coverage.images_met
    if absent := int((met == 0).sum()):
        warnings.append(f"{_count(absent, 'participant has', 'participants have')} no sample")
    met = met[met > 0]
    if len(met) and (few := int((met <= np.median(met) / 4).sum())):
        people = _count(few, "participant has", "participants have")
        warnings.append(f"{people} far fewer images than most")
    missing = int((~present["personality"]).sum())
    if 0 < missing < len(study):
        warnings.append(f"{missing} of {len(study)} samples are of people without a survey")
    if gaze.get("seconds", {}).get("median", 0) > _LONGEST_S:
        warnings.append("half of the samples last over ten minutes: are their times in ms or us?")
    if copied := _copied(study):
        texts = _count(copied, "text was", "texts were")
        warnings.append(f"{texts} written alike by several participants")
    if straight := survey.get("straight_lined"):
        surveys = _count(straight, "survey gives", "surveys give")
        warnings.append(f"{surveys} one answer to every item")
    for trait, values in survey.get("traits", {}).items():
        if values["alpha"] < 0:
            warnings.append(
                f"the items of {trait} contradict each other (alpha {values['alpha']:.2f}): is one "
                "of them reversed?"
            )
    if skipped := study.info.skipped_rows:
        rows = _count(skipped, "row of the source was", "rows of the source were")
        warnings.append(f"{rows} left out, see skipped.csv")
    return warnings


def _image_warnings(study: Study, progress: Progress) -> list[str]:
    """Name the images whose files are gone or no longer what was read, and those that are alike."""
    names, digests = (study.images.column(name).to_pylist() for name in ("image", "sha256"))
    faults: dict[str, list[str]] = {}
    for row in progress(range(len(names)), "checking images"):
        file = study.image_path(row)
        if not file.is_file():
            faults.setdefault("missing", []).append(names[row])
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digests[row]:
            faults.setdefault("not what was read", []).append(names[row])
    alike = [
        name
        for name, first in zip(names, study.pictures.tolist(), strict=True)
        if name != names[first]
    ]
    if alike:
        faults["the same as another one"] = alike
    return [
        f"{_count(len(of), 'image file is', 'image files are')} {what}, such as {of[0]}"
        for what, of in faults.items()
    ]


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _copied(study: Study) -> int:
    """Count the distinct texts of over two words that several known people wrote."""
    codes = item_codes(study, "text")
    people: dict[int, set[int]] = {}
    for number in np.flatnonzero((codes >= 0) & (study.participant_codes >= 0)):
        if len((study.texts[number] or "").split()) > 2:
            people.setdefault(int(codes[number]), set()).add(int(study.participant_codes[number]))
    return sum(len(of_text) > 1 for of_text in people.values())


def _without_nan(value: Any) -> Any:
    """Return plain data with None for every number that is not one, as JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
