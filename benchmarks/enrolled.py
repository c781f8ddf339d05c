"""The measures of the benchmark of enrolment, over the vectors of a store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from beholder.model.ranking import ROUNDING, ranks_of_scores
from beholder.retrieval import EmbeddedStore
from beholder.retrieval.layout import PairLayout
from beholder.retrieval.probes import STYLE
from beholder.retrieval.recognition import Samples, recognise

ENROLLED = (1, 2, 4, 8, 16)
JUDGED = (2, 4, 8, 16, 32)
NOBODIES = 8  # for each person
MODALITIES = ("gaze", "text")
AMONG = ("test people", "everybody", "viewers of the image")

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Held:
    """The samples of a store that have a gaze and a text: their rows, (n, width) a modality."""

    layout: PairLayout
    rows: dict[str, np.ndarray]
    person: np.ndarray
    image: np.ndarray
    is_test: np.ndarray
    names: dict[int, str]

    def style(self, modality: str) -> np.ndarray:
        return self.rows[modality][:, self.layout.block(STYLE)].astype(np.float64)


@dataclass(frozen=True)
class Drawn:
    """One draw: samples of each person in order, who is tested, and the samples that ask."""

    pool: dict[int, np.ndarray]
    tested: list[int]
    queries: np.ndarray


def read(store: EmbeddedStore) -> Held:
    with store.read() as snapshot:
        listed = snapshot.catalogue()
        (layout,) = snapshot.description.pairs
        own = {one: snapshot.vectors(layout.side(one)) for one in MODALITIES}
        both = np.intersect1d(own["gaze"][0], own["text"][0])
        rows = {one: r[np.searchsorted(numbers, both)] for one, (numbers, r) in own.items()}
        place = np.searchsorted(listed.samples, both)
        return Held(
            layout,
            rows,
            listed.participant[place],
            listed.image[place],
            listed.parts[place] == "test",
            {one.number: one.name for one in listed.participants},
        )


def draw(held: Held, generator: np.random.Generator) -> Drawn:
    tested = np.unique(held.person[held.is_test]).tolist()
    pool, queries = {}, []
    for person in np.unique(held.person).tolist():
        own = generator.permutation(np.flatnonzero(held.person == person))
        pool[person] = own[: max(ENROLLED)]
        if person in tested:
            queries.append(own[max(ENROLLED) :])
    return Drawn(pool, tested, np.concatenate(queries))


def measured(held: Held, drawn: Drawn) -> Iterator[tuple[Key, np.ndarray]]:
    """Yield a value a query of every measure: (what, of, by, measure, k) and (q,)."""
    for k in ENROLLED:
        yield from retrieval(held, drawn, k)
        yield from recognition(held, drawn, k)


def retrieval(held: Held, drawn: Drawn, k: int) -> Iterator[tuple[Key, np.ndarray]]:
    """Yield how the queries find their own answer among those of all queries."""
    layout, queries = held.layout, drawn.queries
    right = np.stack([np.arange(len(queries))] * 2)
    after = {one: drawn.tested[place - 1] for place, one in enumerate(drawn.tested)}
    for source, target in (("gaze", "text"), ("text", "gaze")):
        answers = held.rows[target][queries].astype(np.float64)
        own = held.rows[source][queries].astype(np.float64)
        means: dict[str, dict[int, np.ndarray]] = {}
        for modality in MODALITIES:
            known = held.style(modality)
            means[modality] = {
                one: _unit(known[drawn.pool[one][:k]].mean(0)) for one in drawn.tested
            }
        who = held.person[queries].tolist()
        style = own[:, layout.block(STYLE)]
        themselves = np.stack([means[source][one] for one in who])
        styles = {
            "nobody": style,
            "themselves": themselves,
            "averaged": _unit(style + themselves),
            "another": np.stack([means[source][after[one]] for one in who]),
            "their answers": np.stack([means[target][one] for one in who]),
        }
        plain: dict[str, np.ndarray] = {}
        task = f"{source[0]}2{target[0]}"
        for seen_as, given in styles.items():
            query = own.copy()
            query[:, layout.block(STYLE)] = given
            for space, weight in layout.weights.items():
                query[:, layout.block(space)] *= weight
            query[:, -1] = 1
            ranks = ranks_of_scores(query @ answers.T, right, ROUNDING)
            scored = {"top1": ranks == 1, "top3": ranks <= 3, "mrr": 1 / ranks}
            plain = plain or scored
            for measure, one in scored.items():
                yield ("retrieval", task, seen_as, measure, k), one.astype(float)
                if seen_as != "nobody":
                    gain = one.astype(float) - plain[measure]
                    yield ("gain", task, seen_as, measure, k), gain
        chance = {"top1": 1, "top3": 3, "mrr": float((1 / np.arange(1, len(queries) + 1)).sum())}
        for measure, places in chance.items():
            share = np.full(len(queries), places / len(queries))
            yield ("retrieval", task, "chance", measure, k), share


def recognition(held: Held, drawn: Drawn, k: int) -> Iterator[tuple[Key, np.ndarray]]:
    """Yield how the queries find their person by the mean of what is known of each.

    As in `beholder.retrieval.recognition`, what anybody did with the query's image is left out,
    and "viewers" are who saw that image, so that common images tell nobody apart.
    """
    people, person = np.unique(held.person, return_inverse=True)
    queries = drawn.queries
    known = np.concatenate([pool[:k] for pool in drawn.pool.values()])
    styles = {modality: held.style(modality) for modality in MODALITIES}
    left = np.zeros((len(MODALITIES), len(queries), len(people)))  # cosines left out
    rest = np.tile(np.bincount(person[known], minlength=len(people)), (len(queries), 1))
    for row, query in enumerate(queries):
        same = known[held.image[known] == held.image[query]]
        np.subtract.at(rest[row], person[same], 1)
        for which, style in enumerate(styles.values()):
            np.add.at(left[which, row], person[same], style[same] @ style[query])
    scores = {}
    for which, (modality, style) in enumerate(styles.items()):
        sums = np.zeros((len(people), style.shape[1]))
        np.add.at(sums, person[known], style[known])
        scores[modality] = (style[queries] @ sums.T - left[which]) / np.maximum(rest, 1)
    scores["both"] = scores["gaze"] + scores["text"]
    saw = np.zeros((len(people), held.image.max() + 1), bool)
    saw[person, held.image] = True
    of_image = saw[:, held.image[queries]].T  # (q, people)
    is_tested = np.isin(people, drawn.tested)
    right = np.stack([np.arange(len(queries)), person[queries]])
    everybody = np.ones_like(is_tested)
    for among, chosen in zip(AMONG, (is_tested[None], everybody[None], of_image), strict=True):
        can_be = (rest > 0) & chosen
        size = can_be.sum(axis=1)
        for modality, own in scores.items():
            ranks = ranks_of_scores(np.where(can_be, own, -np.inf), right, ROUNDING)
            yield ("who", among, modality, "top1", k), (ranks == 1).astype(float)
            yield ("who", among, modality, "top3", k), (ranks <= 3).astype(float)
            before = (ranks - 1) / np.maximum(size - 1, 1)
            yield ("who", among, modality, "before", k), before
        yield ("who", among, "chance", "top1", k), 1 / size
        yield ("who", among, "chance", "top3", k), np.minimum(3 / size, 1)
        yield ("who", among, "chance", "before", k), np.full(len(size), 0.5)


def judge(held: Held, generator: np.random.Generator, told: dict[Key, list[bool]]) -> None:
    """Note whether `beholder enrol` would say that people are told from others.

    They are test people by k of their samples, and people who are none: each sample is of
    another of those who saw its image. Nobody of the latter should be told.
    """
    for k in JUDGED:
        for modality in MODALITIES:
            style = held.style(modality)
            for person in np.unique(held.person[held.is_test]):
                own = np.flatnonzero(held.person == person)
                kept = generator.choice(own, k, replace=False)
                is_left = ~np.isin(np.arange(len(held.person)), np.setdiff1d(own, kept))
                left = Samples(style[is_left], held.person[is_left], held.image[is_left])
                one = recognise(left, int(person))[1].is_above_chance
                told.setdefault(("test people", modality, k), []).append(one)
                for _ in range(NOBODIES):
                    images = generator.choice(held.image[own], k, replace=False)
                    saw = [np.flatnonzero(held.image == image) for image in images]
                    owners = held.person.copy()
                    owners[[generator.choice(samples) for samples in saw]] = -1
                    one = recognise(Samples(style, owners, held.image), -1)[1].is_above_chance
                    told.setdefault(("nobody", modality, k), []).append(one)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
