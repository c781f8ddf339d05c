"""Instruments, their scoring and their reliability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from beholder.errors import ConfigurationError, StudyError
from beholder.study.survey import (
    Instrument,
    instrument_toml,
    instruments,
    load_instrument,
    parse_instrument,
)

ITEM = '\n[[items]]\nkey = "a"\ntext = "am"\ntrait = "t"\n'
SCALE = "\n[scale]\nminimum = 1\nmaximum = 5\n"
HEAD = 'name = "n"\ntitle = "t"\nsource = "s"\nnotice = "x"\nstem = "I"\n'


@pytest.fixture(scope="module")
def bfi() -> Instrument:
    return load_instrument("bfi-10")


def test_both_instruments_come_with_beholder() -> None:
    assert instruments() == ("bfi-10", "ipip-10")
    for name in instruments():
        instrument = load_instrument(name)
        assert instrument.name == name
        assert (instrument.minimum, instrument.maximum) == (1, 5)
        assert len(instrument.labels) == 5
        assert sorted(instrument.traits) == [
            *("agreeableness", "conscientiousness", "extraversion", "neuroticism", "openness"),
        ]
        for trait in instrument.traits:
            items = [instrument.items[column] for column in instrument.columns_of(trait)]
            assert [item.reversed for item in items].count(True) == 1, trait


def test_the_items_of_the_bfi_10_stand_in_the_published_order(bfi: Instrument) -> None:
    assert [item.key for item in bfi.items] == [
        *("reserved", "trusting", "lazy", "relaxed", "artistic"),
        *("outgoing", "fault", "job", "nervous", "imagination"),
    ]
    assert [item.key for item in bfi.items if item.reversed] == [
        *("reserved", "lazy", "relaxed", "artistic", "fault"),
    ]


def test_a_person_scored_by_hand_on_the_bfi_10(bfi: Instrument) -> None:
    answers = [4, 5, 1, 2, 1, 3, 4, 5, 2, 4]
    assert dict(zip(bfi.traits, bfi.trait_scores([answers])[0].tolist(), strict=True)) == {
        "extraversion": ((6 - 4) + 3) / 2,
        "agreeableness": (5 + (6 - 4)) / 2,
        "conscientiousness": ((6 - 1) + 5) / 2,
        "neuroticism": ((6 - 2) + 2) / 2,
        "openness": ((6 - 1) + 4) / 2,
    }


def test_a_person_scored_by_hand_on_the_ipip_10() -> None:
    ipip = load_instrument("ipip-10")
    answers = [2, 5, 4, 1, 5, 4, 1, 3, 5, 2]
    assert dict(zip(ipip.traits, ipip.trait_scores([answers])[0].tolist(), strict=True)) == {
        "extraversion": (2 + (6 - 4)) / 2,
        "agreeableness": (5 + (6 - 1)) / 2,
        "conscientiousness": (4 + (6 - 3)) / 2,
        "neuroticism": (1 + (6 - 5)) / 2,
        "openness": (5 + (6 - 2)) / 2,
    }


def test_a_participant_without_a_survey_has_no_scores(bfi: Instrument) -> None:
    scores = bfi.trait_scores([[3.0] * 10, [np.nan] * 10])
    assert scores[0].tolist() == [3.0] * 5
    assert np.isnan(scores[1]).all()


def _slow_alpha(items: list[list[float]]) -> float:
    """Cronbach's alpha from the mean variance and the mean covariance of the items."""
    columns = list(zip(*items, strict=True))
    count = len(columns)

    def covariance(a: tuple[float, ...], b: tuple[float, ...]) -> float:
        mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
        return sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True)) / (len(a) - 1)

    variance = sum(covariance(c, c) for c in columns) / count
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b]
    between = sum(covariance(columns[a], columns[b]) for a, b in pairs) / len(pairs)
    return count * between / (variance + (count - 1) * between)


def test_alpha_matches_an_independent_computation(bfi: Instrument) -> None:
    answers = np.random.default_rng(3).integers(1, 6, (25, 10))
    found = bfi.reliability(answers)
    for trait in bfi.traits:
        keyed = [
            [6 - row[c] if bfi.items[c].reversed else row[c] for c in bfi.columns_of(trait)]
            for row in answers.tolist()
        ]
        assert found[trait] == pytest.approx(_slow_alpha(keyed))


def test_participants_without_a_survey_do_not_count_in_alpha(bfi: Instrument) -> None:
    answers = np.random.default_rng(3).integers(1, 6, (25, 10)).astype(float)
    with_blank = np.vstack([answers, np.full((1, 10), np.nan)])
    assert bfi.reliability(with_blank) == pytest.approx(bfi.reliability(answers))


def test_alpha_is_undefined_for_one_person_and_where_all_answer_alike(bfi: Instrument) -> None:
    assert np.isnan(list(bfi.reliability([[3] * 10]).values())).all()
    assert np.isnan(list(bfi.reliability([[3] * 10] * 4).values())).all()


def test_valid_answers_become_integers(bfi: Instrument) -> None:
    answers = bfi.validate([[1.0, 5, 3, 2, 4, 1, 5, 3, 2, 4]])
    assert answers.dtype == np.int8
    assert answers.tolist() == [[1, 5, 3, 2, 4, 1, 5, 3, 2, 4]]


@pytest.mark.parametrize("wrong", [0, 6, 2.5, np.nan, np.inf])
def test_a_wrong_answer_is_named(bfi: Instrument, wrong: float) -> None:
    answers = np.full((3, 10), 3.0)
    answers[1, 4] = wrong
    message = rf"bfi-10: answer {wrong:g} to item 5 \(artistic\) in row 2 is no whole number from 1"
    with pytest.raises(StudyError, match=message):
        bfi.validate(answers)


def test_answers_to_another_number_of_items_are_refused(bfi: Instrument) -> None:
    with pytest.raises(StudyError, match=r"has 10 items, but the answers have shape \(1, 9\)"):
        bfi.validate([[3] * 9])


def test_an_instrument_survives_its_toml(bfi: Instrument) -> None:
    odd = replace(bfi, title='"quoted" \\ back\tslash\nline \x7f 日本', minimum=-2, maximum=2)
    for instrument in (bfi, load_instrument("ipip-10"), odd):
        assert parse_instrument(instrument_toml(instrument)) == instrument


def test_an_instrument_is_read_from_a_file(tmp_path: Path, bfi: Instrument) -> None:
    (tmp_path / "mine.toml").write_text(instrument_toml(replace(bfi, name="mine")), "utf-8")
    assert load_instrument(tmp_path / "mine.toml").name == "mine"


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("not toml", "mine does not describe an instrument"),
        (HEAD + SCALE, "mine does not describe an instrument"),
        (HEAD + ITEM, "'scale'"),
        (HEAD + "scale = 3" + ITEM, "mine does not describe an instrument"),
        (HEAD + 'colour = "red"\n' + SCALE + ITEM, "unexpected keyword argument 'colour'"),
        (HEAD + SCALE + ITEM + "weight = 2\n", "unexpected keyword argument 'weight'"),
        (HEAD + "items = []\n" + SCALE, "has items, each with a key of its own"),
        (HEAD + SCALE + ITEM + ITEM, "has items, each with a key of its own"),
        (HEAD + SCALE + ITEM + 'reversed = "no"\n', "reversed is true or false"),
        (HEAD.replace('"t"', "7") + SCALE + ITEM, "is a text in quotation marks"),
        (HEAD + "[scale]\nminimum = 5\nmaximum = 1\n" + ITEM, "not from 5 to 1"),
        (HEAD + '[scale]\nminimum = "1"\nmaximum = 5\n' + ITEM, "not from '1' to 5"),
        (HEAD + "[scale]\nminimum = 0\nmaximum = 1000\n" + ITEM, "not from 0 to 1000"),
        (HEAD + SCALE + 'labels = ["no", "yes"]\n' + ITEM, "from 1 to 5 has 5 labels, not 2"),
    ],
)
def test_a_faulty_instrument_is_refused(toml: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^mine") as caught:
        parse_instrument(toml, "mine")
    assert sentence in str(caught.value)


def test_an_unknown_instrument_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="neither a file nor one of bfi-10, ipip-10"):
        load_instrument("mbti")


def test_an_instrument_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"mine\.toml cannot be read"):
        load_instrument(tmp_path / "mine.toml")


def test_reversing_twice_gives_the_answers_back(bfi: Instrument) -> None:
    answers = np.random.default_rng(0).integers(1, 6, (6, 10))
    assert_allclose(bfi.keyed(bfi.keyed(answers)), answers)
