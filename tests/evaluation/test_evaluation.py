"""Evaluating a run: the contract's fields, an oracle, and studies with and without effects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from beholder.evaluation import evaluate
from beholder.evaluation.clusters import Interval
from beholder.evaluation.metrics import cluster_bootstrap
from beholder.model import Run, TrainingConfiguration, train
from beholder.study import Study
from beholder.study.simulation import PRESETS, Effects, simulate
from beholder.study.tasks import item_codes
from made_study import ALL_TASKS, QUICK

SHARES = ("top1", "top3", "top5", "top10", "mrr", "chance_top3")
SAME_IMAGE = {"top1", "top3", "chance_top1", "chance_top3", "queries_top1", "queries_top3"}


def check_measures(measures: dict[str, Any]) -> None:
    low, high = measures["ci95_top3"]
    assert set(measures) == {
        *SHARES,
        *("median_rank", "gallery", "queries", "ci95_top3", "same_image"),
    }
    for name in SHARES:
        assert type(measures[name]) is float
        assert 0 <= measures[name] <= 1
    assert measures["top1"] <= measures["top3"] <= measures["top5"] <= measures["top10"]
    assert low <= measures["top3"] <= high
    assert type(measures["median_rank"]) is float
    assert type(measures["gallery"]) is type(measures["queries"]) is int
    assert 1 <= measures["median_rank"] <= measures["gallery"]
    assert set(measures["same_image"]) == SAME_IMAGE
    for name, value in measures["same_image"].items():
        assert type(value) is (int if name.startswith("queries") else float)


def test_the_json_has_the_fields_of_the_contract(tiny_run: Run) -> None:
    evaluation = evaluate(tiny_run)
    found = json.loads(json.dumps(evaluation.as_json(), allow_nan=False))
    assert found == evaluation.as_json()
    assert found == json.loads((tiny_run.path / "evaluation.json").read_text())
    assert list(found) == [
        *("study", "split", "method", "seed", "tasks", "task_methods", "methods", "warnings"),
    ]
    assert (found["study"], found["split"], found["method"]) == ("tiny", "random", "ours")
    assert found["seed"] == 0
    assert list(found["methods"]) == ["base", "content", "style", "added", "ours"]
    assert found["tasks"] == found["methods"]["ours"]
    assert set(found["task_methods"].values()) == {"ours"}
    for tasks in found["methods"].values():
        assert list(tasks) == ALL_TASKS.split(",")
        for measures in tasks.values():
            check_measures(measures)


def test_the_table_has_every_query_of_every_method(tiny_run: Run) -> None:
    evaluation = evaluate(tiny_run)
    table = pq.read_table(tiny_run.path / "scores.parquet")
    assert table.equals(evaluation.table())
    rows = table.to_pylist()
    assert {row["method"] for row in rows} == {"base", "content", "style", "added", "ours"}
    study, found = tiny_run.study, evaluation.as_json()["methods"]
    for row in rows:
        sample = study[row["query"]]
        assert (row["participant"], row["image"]) == (sample.participant, sample.image)
        assert 1 <= row["rank"] <= row["gallery"] - row["right"] + 1
    for method, tasks in found.items():
        for task, measures in tasks.items():
            own = [row for row in rows if (row["method"], row["task"]) == (method, task)]
            ranks = [row["rank"] for row in own if row["measure"] == "gallery"]
            assert len(ranks) == measures["queries"]
            assert np.mean(np.array(ranks) <= 3) == pytest.approx(measures["top3"])
            same = [row["rank"] for row in own if row["measure"] == "same-image"]
            assert np.mean(np.array(same) == 1) == pytest.approx(measures["same_image"]["top1"])


class Oracle(Run):
    """Embeds a sample as the right answer to its task: one axis an item."""

    broken = False

    def embed_samples(
        self, pair: Any, modality: str, samples: np.ndarray, method: str | None = None
    ) -> np.ndarray:
        known = "personality" if "personality" in pair else "gaze"
        codes = item_codes(self.study, known)[samples]
        vectors = np.eye(len(self.study), dtype=np.float32)[codes]
        return np.full_like(vectors, np.nan if self.broken else 1) if method == "base" else vectors


def test_an_oracle_scores_one_and_a_constant_method_nothing(tiny_run: Run) -> None:
    assert len(set(tiny_run.study.texts)) == len(tiny_run.study)
    oracle = Oracle(tiny_run.folder, tiny_run.study)
    found = evaluate(oracle).as_json()["methods"]
    for measures in found["ours"].values():
        assert measures["top1"] == measures["mrr"] == measures["median_rank"] == 1
        assert measures["ci95_top3"] == [1, 1]
        assert measures["same_image"]["top1"] == measures["same_image"]["top3"] == 1
    oracle.broken = True
    for of_base in (found["base"], evaluate(oracle).as_json()["methods"]["base"]):
        for name in ("g2t", "t2g", "g2p", "t2p"):
            assert of_base[name]["top10"] == 0
            assert of_base[name]["median_rank"] == of_base[name]["gallery"]
            assert of_base[name]["same_image"]["top1"] == 0
    evaluate(tiny_run)  # its own scores again, as other tests read its folder


def test_one_person_in_the_test_part_has_no_interval(tiny_study: Study, run_path: Path) -> None:
    four = tiny_study.participants["participant"].to_pylist()[:4]
    kept = np.isin(tiny_study.samples["participant"].to_pylist(), four)
    study = Study(tiny_study.path, tiny_study.info, tiny_study.instrument)
    study.__dict__["samples"] = tiny_study.samples.filter(kept)
    configuration = TrainingConfiguration(
        "base", "g2t,p2t", split="participant", hyperparameters=QUICK
    )
    found = evaluate(train(study, run_path, configuration)).as_json()
    json.dumps(found, allow_nan=False)
    assert found["tasks"]["g2t"]["ci95_top3"] == [None, None]
    assert found["tasks"]["p2t"]["queries"] == 1


LARGE_ENOUGH = replace(PRESETS["small"], viewers=28, width=80, height=60)
"""About six people a test image, so that the same-image measure has rivals to tell apart."""


def excess(run: Run, names: str, *, same_image: bool, k: int = 1) -> Interval:
    """Return the 95% interval of how far the tasks' top ``k`` are above chance, people drawn."""
    above, people = [], []
    of_tasks = evaluate(run).scores["ours"]
    for name in names.split(","):
        scores = of_tasks[name]
        own = scores.same_image if same_image else scores
        above.append(own.places.hits(k) - replace(own.places, ranks=None).hits(k))
        people.append(run.study.participant_codes[own.queries])
    generator = np.random.default_rng(0)
    return cluster_bootstrap(np.concatenate(above), np.concatenate(people), generator)


def simulated_run(folder: Path, effects: Effects, tasks: str) -> Run:
    simulate(folder / "study", LARGE_ENOUGH, effects=effects)
    hyperparameters = replace(QUICK, hidden=64, dimensions=32, epochs=12, batch=128)
    configuration = TrainingConfiguration("ours", tasks, hyperparameters=hyperparameters)
    return train(Study.open(folder / "study"), folder / "run", configuration)


def holds_zero(interval: Interval) -> bool:
    """Tell whether 0 is in an interval twice as wide as that of 95%, as several are looked at."""
    half = (interval.high - interval.low) / 2
    return interval.low - half <= 0 <= interval.high + half


def test_without_effects_there_is_nothing_personal_to_find(tmp_path: Path) -> None:
    run = simulated_run(tmp_path, Effects.none(), ALL_TASKS)
    assert holds_zero(excess(run, "g2t,t2g", same_image=True))
    assert holds_zero(excess(run, "g2p,t2p,p2g,p2t", same_image=True))
    assert holds_zero(excess(run, "g2p,t2p,p2g,p2t", same_image=False, k=3))
    what_an_image_shows = excess(run, "g2t,t2g", same_image=False, k=3)
    assert what_an_image_shows.low > 0.05


def test_with_effects_personal_perception_is_found(tmp_path: Path) -> None:
    run = simulated_run(tmp_path, Effects(sample=3.0), "g2t,t2g")
    interval = excess(run, "g2t", same_image=True)
    assert interval.low > 0
    assert not holds_zero(interval)
