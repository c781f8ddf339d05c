"""How people differ in the spaces of a run, and a map of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholder.evaluation.distinctness import measure_distinctness
from beholder.model.run import Run
from beholder.study.study import Study
from beholder.study.tasks import Codes

_PERSONAL = ("gaze", "text")  # what differs from sample to sample


def describe(study: Study, run: Run) -> dict[str, Any]:
    """Return how people differ in the test part of a run, as plain values for JSON."""
    pairs = {m: task.pair for task in reversed(run.tasks) for m in task.pair if m in _PERSONAL}
    spaces = sorted({space for pair in pairs.values() for space in run.folder.weights(pair)})
    modalities = [modality for modality in _PERSONAL if modality in pairs]

    def embed(space: str, modality: str, samples: Codes) -> NDArray[np.float32]:
        return run.embed_samples(pairs[modality], modality, samples, space)

    rows = run.split.rows("test")
    found = measure_distinctness(
        study,
        rows,
        embed,
        spaces,
        modalities,
        np.random.default_rng([run.configuration.seed, 1]),
        described=np.arange(len(study)),
    )
    maps = {
        modality: _style_map(study, rows[study.has(modality)[rows]], modality, embed)
        for modality in modalities
        if "style" in run.folder.weights(pairs[modality])
    }
    return {
        "of": {"split": run.configuration.split, "seed": run.configuration.seed},
        **found.as_json(),
        "style_map": {modality: of for modality, of in maps.items() if of is not None},
    }


def _style_map(study: Study, rows: Codes, modality: str, embed: Any) -> dict[str, Any] | None:
    """Return people's mean embeddings in the style space on the plane that spreads them most."""
    people, cluster = np.unique(study.participant_codes[rows], return_inverse=True)
    if len(people) < 3 or people[0] < 0:
        return None
    vectors = embed("style", modality, rows)  # (n, d)
    sums = np.zeros((len(people), vectors.shape[1]))
    np.add.at(sums, cluster, vectors)
    means = sums / np.bincount(cluster)[:, None]
    centred = means - means.mean(axis=0)
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2, np.argmax(np.abs(axes[:2]), axis=1)].diagonal())[:, None]
    places = centred @ axes.T  # (people, 2)
    names = study.participants["participant"].to_pylist()
    traits: dict[str, list[float | None]] = {}
    if study.instrument is not None:
        scores = study.instrument.trait_scores(study.answers[people])
        traits = {
            trait: [None if np.isnan(v) else float(v) for v in scores[:, column]]
            for column, trait in enumerate(study.instrument.traits)
        }
    return {
        "participants": [names[person] for person in people],
        "samples": np.bincount(cluster).tolist(),
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "share": (strength[:2] ** 2 / (strength**2).sum()).tolist(),
        "traits": traits,
    }
