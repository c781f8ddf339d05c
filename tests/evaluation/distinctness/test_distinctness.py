"""The measurement of a whole study: what is found, what is absent and why, and that it repeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beholder.evaluation.distinctness import Distinctness, measure_distinctness
from beholder.evaluation.distinctness import study as module
from beholder.study import Areas, Points, Study
from beholder.study.simulation import PRESETS, Effects, simulate
from made_study import Row, made_study

SPACES, MODALITIES = ("content", "style"), ("gaze", "text")


def embedding_of(study: Study) -> Callable[[str, str, np.ndarray], np.ndarray]:
    """Return embeddings that know the image, and in `style` whose the sample is."""
    generator = np.random.default_rng(7)
    images = generator.standard_normal((len(study.images), 6))
    people = generator.standard_normal((len(study.participants), 6))
    noise = generator.standard_normal((len(study), 6))

    def embed(space: str, modality: str, rows: np.ndarray) -> np.ndarray:
        own = people[study.participant_codes[rows]] * (3 if space == "style" else 0)
        vectors = images[study.image_codes[rows]] + own + noise[rows]
        vectors = vectors + (modality == "text") * np.eye(6)[0]
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    return embed


def measured(study: Study, rows: np.ndarray | None = None, **options: Any) -> Distinctness:
    options = {"spaces": SPACES, "modalities": MODALITIES, "seed": 0} | options
    generator = np.random.default_rng(options.pop("seed"))
    options = {"permutations": 99, "exchanges": 19} | options
    rows = np.arange(len(study)) if rows is None else rows
    embed = options.pop("embed", None) or embedding_of(study)
    spaces, modalities = options.pop("spaces"), options.pop("modalities")
    return measure_distinctness(study, rows, embed, spaces, modalities, generator, **options)


def test_the_json_has_every_part(tiny_study: Study) -> None:
    result = measured(tiny_study)
    found = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert found == result.as_json()
    assert list(found) == [
        *("samples", "people", "images", "described"),
        *("spaces", "words", "regions", "absent", "warnings"),
    ]
    assert (found["samples"], found["people"], found["images"]) == (192, 12, 16)
    assert found["absent"] == {}
    assert found["warnings"] == []
    traits = tiny_study.instrument.traits
    for space in SPACES:
        for modality in MODALITIES:
            one = found["spaces"][space][modality]
            for kind in ("same_image", "same_person", "unrelated", "distinctness", "variability"):
                low, high = one[kind]["ci95"]
                assert low <= one[kind]["value"] <= high
            assert one["images"]["eligible"] == 16
            most, least = one["images"]["most"], one["images"]["least"]
            assert len(most) == len(least) == 8
            listed = [row["distance"] for row in most + least[::-1]]
            assert listed == sorted(listed, reverse=True)
            assert all(row["viewers"] >= 4 for row in most)
            assert list(one["surveys"]) == ["same_image", "overall"]
            for tests in one["surveys"].values():
                assert list(tests["traits"]) == list(traits)
                for test in tests["traits"].values():
                    assert test["p"] <= test["p_holm"] <= 1
                assert 0 < tests["profile"]["p"] <= 1
    assert set(found["regions"]) == {"cells"}
    for marks in (found["words"], found["regions"]["cells"]):
        scores = [row["score"] for row in marks["people"]]
        assert scores == sorted(scores, reverse=True)
        assert all(row["own"] > row["others"] for row in found["regions"]["cells"]["people"])
        assert set(marks["traits"]) == {"tested", *traits}
        for trait in traits:
            p = [row["p"] for row in marks["traits"][trait]]
            assert p == sorted(p)
            assert len(p) == 10


def test_a_personal_space_is_told_from_one_of_content(tiny_study: Study) -> None:
    spaces = measured(tiny_study).spaces
    content, style = (spaces[space]["gaze"].apartness for space in SPACES)
    assert content.distinctness.interval.high < style.distinctness.interval.low
    assert style.variability.interval.high < content.variability.interval.low


def test_it_repeats_whatever_the_order(tiny_study: Study) -> None:
    rows = np.random.default_rng(1).permutation(len(tiny_study))[:150]
    found = measured(tiny_study, rows).as_json()
    assert measured(tiny_study, rows).as_json() == found
    turned = measured(
        tiny_study,
        np.append(rows[::-1], rows[0]),
        spaces=SPACES[::-1],
        modalities=MODALITIES[::-1],
    )
    assert turned.as_json() == found
    fewer = measured(tiny_study, rows, spaces=("style",), modalities=("text",)).as_json()
    assert fewer["spaces"]["style"]["text"] == found["spaces"]["style"]["text"]
    assert fewer["words"] == found["words"]
    assert measured(tiny_study, rows, seed=1).as_json() != found


def test_words_and_regions_may_be_of_other_samples(tiny_study: Study) -> None:
    rows = np.arange(0, len(tiny_study), 2)
    own = measured(tiny_study, rows).as_json()
    whole = measured(tiny_study, rows, described=np.arange(len(tiny_study))).as_json()
    assert own["spaces"] == whole["spaces"]
    assert own["words"] != whole["words"]
    assert own["regions"] != whole["regions"]
    assert (own["described"], whole["described"]) == (len(rows), len(tiny_study))


def test_without_a_survey_only_that_is_absent(tiny_study: Study) -> None:
    study = Study(tiny_study.path, tiny_study.info, None)
    study.__dict__["participants"] = tiny_study.participants
    found = measured(study).as_json()
    assert found["absent"] == {"personality": "the study has no survey"}
    assert found["spaces"]["style"]["gaze"]["surveys"] == {}
    assert found["words"]["traits"] is None
    assert found["words"]["people"]
    assert found["regions"]["cells"]["traits"] is None


def test_too_few_surveys_are_absent() -> None:
    rows = [Row(person, image, "a dog", 1) for person in "abcdef" for image in "ij"]
    study = made_study(rows, {"a": 1, "b": 2, "c": 3, "d": 4})
    absent = measured(study, embed=embedding_of(study)).absent
    assert absent == {
        "personality": "5 people with a survey are needed, and there are 4",
    }


def test_unknown_people_have_no_distance() -> None:
    study = made_study([Row(None, image, "a dog", 1) for image in "iijj"])
    found = measured(study).as_json()
    assert found["samples"] == found["people"] == 0
    assert found["spaces"] == found["regions"] == {}
    assert found["words"] is None
    assert found["absent"] == {
        "personality": "5 people with a survey are needed, and there are 0",
        **{
            f"{space}/{modality}": f"no sample of a known person has {modality}"
            for space in SPACES
            for modality in MODALITIES
        },
        "words": "no sample of a known person has text",
        "regions": "no sample of a known person has gaze",
    }


def test_unknown_people_do_not_count_beside_known_ones(tiny_study: Study) -> None:
    codes = tiny_study.participant_codes.copy()
    codes[::3] = -1
    study = Study(tiny_study.path, tiny_study.info, tiny_study.instrument)
    study.__dict__["participant_codes"] = codes
    embed = embedding_of(tiny_study)
    known = np.flatnonzero(codes >= 0)
    assert measured(study, embed=embed).as_json() == measured(tiny_study, known).as_json()


def test_one_viewer_an_image_leaves_the_traits() -> None:
    texts = ["a dog", "a cat", "a dog there", "the cat", "a tree", "the dog"]
    rows = [
        Row(f"p{person}", f"i{person}{image}", texts[(person + image) % 6], image % 3)
        for person in range(6)
        for image in range(2)
    ]
    study = made_study(rows, {f"p{person}": person + 1 for person in range(6)})
    found = measured(study, spaces=("style",)).as_json()
    missing = "there are no two samples of different people on the same image"
    nobody = "a Mantel test needs 4 people with known distances, not 0"
    few = "no image has 4 viewers"
    for modality in MODALITIES:
        one = found["spaces"]["style"][modality]
        assert one["distinctness"] is one["unrelated"] is one["images"] is None
        assert list(one["surveys"]) == ["overall"]
        absent = {"apartness": missing, "images": few, "surveys/same_image": nobody}
        for part, reason in absent.items():
            assert found["absent"].pop(f"style/{modality}/{part}") == reason
    assert found["absent"] == {
        "words/people": "no image has two known people",
        "regions/cells/people": "no image has two known people",
        "regions/cells/traits": "nothing is shared by 5 surveyed people",
    }
    assert found["words"]["people"] is None
    assert found["words"]["traits"]["tested"] == 2


def test_words_of_people_without_a_survey_are_not_tested() -> None:
    rows = [Row(person, image, None, 1) for person in "abcdef" for image in "ij"]
    rows += [Row("x", image, "a cat", 2) for image in "ij"]
    study = made_study(rows, dict(zip("abcdef", range(1, 7), strict=True)))
    found = measured(study, spaces=())
    assert found.absent["words/traits"] == "nobody with a survey wrote"
    assert found.regions["cells"].traits is not None


def test_few_viewers_list_no_image_and_a_survey_is_no_modality() -> None:
    rows = [Row(person, image, "a dog", 1) for person in "abc" for image in "ij"]
    found = measured(made_study(rows), spaces=("style",), modalities=("gaze", "personality"))
    assert found.absent["style/gaze/images"] == "no image has 4 viewers"
    assert found.absent["style/personality"] == "a survey is of a person, whatever the image"
    assert found.as_json()["spaces"]["style"]["gaze"]["images"] is None


def test_no_two_surveyed_people_share_an_image() -> None:
    """Then their distance on the same image cannot be tested, and that over all images can."""
    rows = [Row(person, f"{person}{image}", "a dog", 1) for person in "abcdef" for image in "ij"]
    rows += [Row("x", row.image, "a cat", 2) for row in rows]
    study = made_study(rows, dict(zip("abcdef", range(1, 7), strict=True)))
    found = measured(study, spaces=("style",), modalities=("gaze",))
    needed = "a Mantel test needs 4 people with known distances, not 0"
    assert found.absent == {
        "style/gaze/images": "no image has 4 viewers",
        "style/gaze/surveys/same_image": needed,
    }
    assert list(found.spaces["style"]["gaze"].surveys) == ["overall"]


def test_areas_are_marked_by_their_labels_and_points_by_cells(
    tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study(tiny_study.path, tiny_study.info, tiny_study.instrument)

    def gaze(row: int) -> Areas | Points:
        person, image = study.participant_codes[row], study.image_codes[row]
        if image % 2:
            return tiny_study.gaze(row)
        label = "sky" if person == 3 else "face"
        box = np.array([[0.0, 0.0, 0.5, 0.5]] * 2)
        return Areas(3, np.array([0, 1]), ("tree", label), box)

    monkeypatch.setattr(study, "gaze", gaze)
    found = measured(study, exchanges=99).as_json()
    assert set(found["regions"]) == {"labels", "cells"}
    best = found["regions"]["labels"]["people"][0]
    assert best["feature"] == "sky"
    assert best["participant"] == study.participants["participant"][3].as_py()
    assert (best["own"], best["others"], best["p"]) == pytest.approx((1 / 3, 0, 0.01))
    assert {row["feature"] for row in found["regions"]["cells"]["people"]} <= {
        f"row {row}, column {column}" for row in range(1, 9) for column in range(1, 9)
    }


def test_people_are_drawn_with_a_warning(
    tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SURVEYED", 8)
    found = measured(tiny_study)
    assert found.warnings == ["personality: 8 of 12 people were drawn"]
    assert found.spaces["style"]["gaze"].surveys["overall"].profile.n == 8
    assert found.spaces["content"]["text"].surveys["overall"].profile.n == 8


SMALL = replace(PRESETS["small"], width=32, height=24)


@pytest.mark.parametrize("effect", [2.0, 0.0])
def test_traits_of_a_simulation_are_found_in_words_and_nothing_without_effects(
    effect: float, tmp_path: Path
) -> None:
    effects = replace(Effects.none(), survey=1.0 if effect else 0.0, text=effect)
    simulate(tmp_path / "study", SMALL, effects=effects)
    study = Study.open(tmp_path / "study")
    found = measured(study, spaces=(), permutations=4999).as_json()
    listed = found["words"]["traits"]
    marks = {
        trait: {row["feature"] for row in listed[trait] if row["q"] <= 0.05}
        for trait in study.instrument.traits
    }
    if effect:
        assert {"fun", "!"} & marks["extraversion"]
        assert sum(map(bool, marks.values())) >= 4
        assert found["words"]["people"][0]["p"] <= 0.05
    else:
        assert sum(map(bool, marks.values())) <= 1
        assert found["words"]["people"][0]["p"] > 0.01
