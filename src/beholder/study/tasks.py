"""Tasks: directions of retrieval, what a query is ranked against and what answers it rightly."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from beholder.errors import ConfigurationError
from beholder.study.study import Study

MODALITIES = {"g": "gaze", "t": "text", "p": "personality"}
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """A direction: find the ``target`` modality from the ``source`` modality."""

    source: str
    target: str

    @property
    def name(self) -> str:
        """The task's short name, such as ``g2t``."""
        return f"{self.source[0]}2{self.target[0]}"

    @property
    def pair(self) -> tuple[str, str]:
        """Both modalities in the order of `MODALITIES`: g2t and t2g share one network."""
        first, second = sorted((self.source, self.target), key=list(MODALITIES.values()).index)
        return first, second


TASKS = {
    task.name: task
    for task in (
        Task("gaze", "text"),
        Task("text", "gaze"),
        Task("gaze", "personality"),
        Task("personality", "gaze"),
        Task("text", "personality"),
        Task("personality", "text"),
    )
}


def parse_tasks(names: str) -> tuple[Task, ...]:
    """Return the tasks of a list such as ``g2t,t2g``, each once, in its order."""
    tasks = []
    for name in dict.fromkeys(filter(None, map(str.strip, names.split(",")))):
        if name not in TASKS:
            raise ConfigurationError(f"unknown task {name!r}, expected some of {', '.join(TASKS)}")
        tasks.append(TASKS[name])
    if not tasks:
        raise ConfigurationError(f"no task is named, expected some of {', '.join(TASKS)}")
    return tuple(tasks)


def missing_for(study: Study, task: Task) -> str | None:
    """Return one sentence on what a study lacks for a task, or None if it supports it."""
    for modality in task.pair:
        if not study.has(modality).any():
            what = {"gaze": "no gaze", "text": "no text", "personality": "no survey"}[modality]
            if modality == "personality" and (study.participant_codes < 0).all():
                what = "no known participants, hence no survey"
            return f"{task.name} needs {modality}, and the study has {what}"
    both = study.has(task.source) & study.has(task.target)
    if not both.any():
        return f"{task.name} needs samples with both {task.source} and {task.target}; none has both"
    if "personality" in task.pair and len(np.unique(item_codes(study, "personality")[both])) < 2:
        return f"{task.name} needs at least two participants with different surveys"
    return None


def item_codes(study: Study, modality: str) -> Codes:
    """Number the distinct items of a modality: shape (samples,), -1 where a sample has none.

    Items that are equal in fact have one number: two people's identical words, or a survey
    however many samples carry it. A gaze belongs to its image. The codes are read-only.
    """
    codes = study.item_codes
    if modality not in codes:
        codes[modality] = _item_codes(study, modality)
        codes[modality].flags.writeable = False
    return codes[modality]


def _item_codes(study: Study, modality: str) -> Codes:
    if modality == "text":
        keys = [text.encode() if text is not None else None for text in study.texts]
    elif modality == "gaze":
        keys = [_gaze_key(study, number) for number in range(len(study))]
    else:
        rows = [None if np.isnan(row).any() else row.tobytes() for row in study.answers]
        surveys = rows if study.instrument else [None] * len(rows)
        keys = [surveys[code] if code >= 0 else None for code in study.participant_codes]
    distinct = dict.fromkeys(key for key in keys if key is not None)
    numbers = {key: number for number, key in enumerate(distinct)}
    return np.array([-1 if key is None else numbers[key] for key in keys], dtype=np.int64)


def _gaze_key(study: Study, number: int) -> bytes | None:
    gaze = study.gaze(number)
    if gaze is None:
        return None
    digest = hashlib.blake2b(str(study.image_codes[number]).encode(), digest_size=16)
    for value in vars(gaze).values():
        if value is not None:
            digest.update(
                value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            )
    return digest.digest()


@dataclass(frozen=True)
class Retrieval:
    """One task in one part of a study: its queries, its gallery and the right answers.

    Queries and gallery items are given by a sample that carries them: ``queries`` (q,) and
    ``gallery`` (g,). ``right`` holds pairs (query, gallery item), shape (2, r), sorted by
    query; every query has at least one. From personality a query is a person; else it is a
    sample.
    """

    task: Task
    queries: Codes
    gallery: Codes
    right: Codes

    @cached_property
    def right_counts(self) -> Codes:
        """How many right answers each query has, shape (q,)."""
        return np.bincount(self.right[0], minlength=len(self.queries))


@dataclass(frozen=True)
class SameImageRetrieval:
    """The task among the items of one image at a time, where content cannot help.

    ``candidates`` holds pairs (query, gallery item), shape (2, c), sorted by query;
    ``right`` tells which of them are right, shape (c,). A query is a sample, or from
    personality a person's first sample of an image, and whatever that person made of the
    image is right. Queries without a wrong candidate are left out.
    """

    task: Task
    queries: Codes
    gallery: Codes
    candidates: Codes
    right: NDArray[np.bool_]

    @cached_property
    def candidate_counts(self) -> Codes:
        """How many candidates each query has, shape (q,)."""
        return np.bincount(self.candidates[0], minlength=len(self.queries))

    @cached_property
    def right_counts(self) -> Codes:
        """How many right answers each query has, shape (q,)."""
        return np.bincount(self.candidates[0][self.right], minlength=len(self.queries))


@dataclass(frozen=True)
class Galleries:
    """Builds the retrievals of a study's part from the codes of its items and people."""

    participants: Codes
    images: Codes
    items: dict[str, Codes]

    @classmethod
    def of(cls, study: Study, modalities: tuple[str, ...]) -> "Galleries":
        """Return the galleries of a study for these modalities."""
        items = {modality: item_codes(study, modality) for modality in modalities}
        return cls(study.participant_codes, study.image_codes, items)

    def retrieval(self, task: Task, rows: Codes) -> Retrieval:
        """Return a task among the samples ``rows``.

        The gallery holds every distinct item of the target modality. Right for gaze and text
        is the query's own sample, for personality its participant's survey, and from
        personality whatever the participant made.
        """
        gallery, place = self._gallery(task, rows)
        answered = rows[(self.items[task.target][rows] >= 0) & (self.items[task.source][rows] >= 0)]
        if task.source == "personality":
            people, first = np.unique(self.participants[answered], return_index=True)
            queries = answered[first]
            query = np.searchsorted(people, self.participants[answered])
        else:
            queries, query = answered, np.arange(len(answered))
        right = np.unique(np.stack([query, place[answered]]), axis=1)
        return Retrieval(task, queries, gallery, right)

    def same_image(self, task: Task, rows: Codes) -> SameImageRetrieval:
        """Return a task among the samples ``rows``, each query against its own image's items."""
        gallery, place = self._gallery(task, rows)
        offered = rows[self.items[task.target][rows] >= 0]
        answered = offered[self.items[task.source][offered] >= 0]
        queries, query = answered, np.arange(len(answered))
        if task.source == "personality":
            viewings = self.participants[answered] * (self.images.max() + 1) + self.images[answered]
            _, first, query = np.unique(viewings, return_index=True, return_inverse=True)
            queries = answered[first]
        candidates = _within_images(self.images[queries], self.images[offered], place[offered])
        pairs = candidates[0] * len(gallery) + candidates[1]
        right = np.isin(pairs, query * len(gallery) + place[answered])
        asked = np.bincount(candidates[0][~right], minlength=len(queries)) > 0
        kept = asked[candidates[0]]
        candidates, right = candidates[:, kept], right[kept]
        candidates[0] = (np.cumsum(asked) - 1)[candidates[0]]
        return SameImageRetrieval(task, queries[asked], gallery, candidates, right)

    def _gallery(self, task: Task, rows: Codes) -> tuple[Codes, Codes]:
        """Return a sample for each distinct target item, and each sample's place among them."""
        items = self.items[task.target]
        offered = rows[items[rows] >= 0]
        distinct, first = np.unique(items[offered], return_index=True)
        place = np.full(len(items), -1)
        place[offered] = np.searchsorted(distinct, items[offered])
        return offered[first], place


def _within_images(query_images: Codes, images: Codes, places: Codes) -> Codes:
    """Pair every query with every distinct item of its image, shape (2, pairs), sorted."""
    pairs = np.unique(np.stack([images, places]), axis=1)  # distinct (image, item), by image
    start = np.searchsorted(pairs[0], query_images, side="left")
    stop = np.searchsorted(pairs[0], query_images, side="right")
    lengths = stop - start
    query = np.repeat(np.arange(len(query_images)), lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.stack([query, pairs[1][np.repeat(start, lengths) + within]])
