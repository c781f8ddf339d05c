"""The definition: what it says, and the one sentence for whatever is wrong with it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_study import DEFINITION, as_toml

from beholder.collect.definition import Definition
from beholder.collect.example import write_example
from beholder.collect.lengths import ImageLength, parse_length
from beholder.collect.loading import load_definition
from beholder.collect.messages import languages_with_messages, load_messages
from beholder.collect.public import public_definition
from beholder.collect.sets import all_images, image_sets
from beholder.collect.summary import summary_of
from beholder.errors import ConfigurationError


@pytest.fixture
def write(study_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the small definition, changed at a path of keys; return its file."""

    def written(change: Callable[[dict[str, Any]], object] = lambda data: None) -> Path:
        data = copy.deepcopy(DEFINITION)
        change(data)
        shutil.copytree(study_folder, tmp_path, dirs_exist_ok=True)
        path = tmp_path / "definition.toml"
        path.write_text(as_toml(data), "utf-8")
        return path

    return written


def test_a_definition_is_read(write: Callable[..., Path]) -> None:
    definition = load_definition(write())
    assert definition.bubbles is not None
    assert definition.bubbles.bubble_radius.pixels(40, 30) == 4
    assert definition.instrument is not None
    assert [item.key for item in definition.instrument.items] == ["a", "b"]
    assert all_images(definition)[0] == "practice.png"
    assert len(all_images(definition)) == 6


def test_the_example_runs_and_its_validation_can_be_passed(tmp_path: Path) -> None:
    definition = load_definition(write_example(tmp_path / "example"))
    summary = summary_of(definition)
    assert (summary.images, summary.sets, summary.trials_most) == (8, 2, 6)
    assert summary.participants_wanted == 6
    assert definition.languages == ("en", "es")
    with pytest.raises(ConfigurationError, match="exists already"):
        write_example(tmp_path / "example")


def _set(*keys: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change: the last of the keys is the value to be put at the others."""
    *path, last, value = keys

    def change(data: dict[str, Any]) -> None:
        inner: Any = data
        for key in path:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value

    return change


AREA = {"x": 0.9, "y": 0.1, "width": 0.2, "height": 0.1}

FAULTS = [
    (_set("schema_version", 2), "schema_version"),
    (_set("extra", 1), "extra: Extra inputs"),
    (_set("name", "../up"), "name: "),
    (_set("languages", ["en", "en"]), "languages: a language stands there twice"),
    (_set("languages", ["en", "fr"]), "has no text in 'fr'"),
    (_set("title", {"en": "only"}), "title has no text in 'es'"),
    (_set("tasks", 1, "prompt", {"en": "x"}), r"tasks\[1\].prompt has no text in 'es'"),
    (
        _set("practice", 0, "areas", 0, "name", {"en": "cup"}),
        r"practice\[0\].areas\[0\].name has no text in 'es'",
    ),
    (_set("consent", None), "consent: Field required"),
    (_set("tasks", []), "tasks: "),
    (_set("tasks", 0, "blur", "0px"), r"tasks\[0\].blur: '0px' is no length above 0"),
    (_set("tasks", 0, "blur", "4 cm"), "is no length"),
    (_set("tasks", 0, "bubble_radius", 4), "is no length"),
    (_set("tasks", 0, "minimum_clicks", 6), "minimum_clicks is above maximum_clicks"),
    (_set("tasks", 1, "minimum_characters", 51), "minimum_characters is above"),
    (_set("tasks", 1, "name", "look"), "two tasks are named 'look'"),
    (_set("tasks", 1, copy.deepcopy(DEFINITION["tasks"][0]) | {"name": "b"}), "more than one task"),
    (_set("tasks", DEFINITION["tasks"][1:]), "needs a task of kind|need a task of kind"),
    (_set("images", "folder", "nowhere"), "is no folder"),
    (_set("practice", 0, "image", "none.png"), "none.png does not exist"),
    (_set("practice", 0, "image", "../short.toml"), "does not lie below"),
    (_set("practice", 0, "image", "/etc/passwd"), "does not lie below"),
    (_set("practice", 0, "areas", [AREA]), r"practice\[0\]: an area reaches beyond"),
    (_set("validation", 0, "required", 2), "2 areas are required, but there are 1"),
    (_set("validation", DEFINITION["validation"] * 2), "validation has 'check.png' twice"),
    (_set("sets", [{"name": "a", "images": ["1.png", "1.png"]}]), "has an image twice"),
    (_set("sets", [{"name": "a", "images": ["1.png"]}] * 2), "two sets are named 'a'"),
    (_set("sets", [{"name": "a", "images": ["check.png"]}]), "also for practice or validation"),
    (_set("survey", "instrument", "unknown"), "neither a file nor one of"),
    (_set("survey", "texts", {}), "survey.texts.es is missing"),
    (_set("survey", "texts", "es", "items", {"a": "A"}), "differs from short in b"),
    (_set("survey", "texts", "es", "labels", ["no"]), "has 1 labels; short has 3"),
    (_set("messages", {"es": {"no.such": "x"}}), "there is no message 'no.such'"),
    (_set("messages", {"fr": {"a": "x"}}), "'fr' is none of the languages"),
    (_set("completion", "codes", "complete", None), "Prolific needs it"),
    (_set("completion", "codes", "full", "C0DE"), "must be no other outcome's"),
    (_set("completion", "codes", "complete", "a b"), "completion.codes.complete"),
    (_set("platforms", "allowed", ["other"]), "platforms.allowed"),
    (_set("session", "seat_minutes", 0), "session.seat_minutes"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_named(
    write: Callable[..., Path], change: Callable[..., None], sentence: str
) -> None:
    path = write(change)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        load_definition(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_definition_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("= 1")
    with pytest.raises(ConfigurationError, match=r"broken\.toml is not valid TOML"):
        load_definition(tmp_path / "broken.toml")
    with pytest.raises(ConfigurationError, match=r"none\.toml cannot be read"):
        load_definition(tmp_path / "none.toml")


def test_an_image_that_leads_out_of_the_folder_is_refused(write: Callable[..., Path]) -> None:
    path = write(_set("practice", 0, "image", "link.png"))
    (path.parent / "images" / "link.png").symlink_to(path)
    with pytest.raises(ConfigurationError, match="leads out of"):
        load_definition(path)


def test_an_image_that_is_damaged_is_named(write: Callable[..., Path]) -> None:
    path = write()
    image = path.parent / "images" / "3.png"
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(ConfigurationError, match=r"3\.png is"):
        summary_of(load_definition(path))


@given(count=st.integers(1, 40), size=st.integers(1, 12), seed=st.integers(0, 5))
def test_sets_share_out_the_images(count: int, size: int, seed: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "images").mkdir()
        for number in range(count):
            (Path(folder) / "images" / f"{number}.jpg").touch()
        images = {"folder": "images", "set_size": size, "seed": seed, "viewers": 3}
        changes = {"images": images, "practice": [], "validation": []}
        definition = Definition.model_validate(DEFINITION | changes).beside(Path(folder) / "d")
        sets = image_sets(definition)
        shown = [image for each in sets for image in each.images]
        assert sorted(shown) == sorted(f"{number}.jpg" for number in range(count))
        assert all(len(each.images) == size for each in sets[:-1])
        assert len({each.name for each in sets}) == len(sets)
        assert image_sets(definition) == sets


def test_lengths() -> None:
    assert parse_length("30px").pixels(400, 300) == 30
    assert parse_length("2.5%").pixels(300, 400) == 10
    assert parse_length(" 4 % ") == ImageLength(4, "%")
    assert str(parse_length("2.5%")) == "2.5%"
    for wrong in ("", "-1px", "101%", "4", "px", None, 4, "1e3px"):
        with pytest.raises(ValueError, match="no length"):
            parse_length(wrong)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("es", "es"), ("es-MX", "es"), ("fr", "en"), (None, "en"), ("", "en"), ("e", "en")],
)
def test_the_nearest_language_is_chosen(definition: Definition, wanted, language) -> None:
    assert definition.language(wanted) == language


def test_what_is_public_tells_no_secret(definition: Definition) -> None:
    stated = public_definition(definition, "es").model_dump_json()
    assert "Descríbala" in stated
    for secret in ("C0DE", "secret dog", "check.png", "viewers", "trait", "reversed"):
        assert secret not in stated


def test_what_is_public_is_in_the_language_asked_for(definition: Definition) -> None:
    public = public_definition(definition, "es")
    assert (public.title, public.consent.text) == ("Imágenes", "¿Está de acuerdo?")
    assert public.survey is not None
    assert [item.text for item in public.survey.items] == ["A", "B"]
    english = public_definition(definition, "en").survey
    assert english is not None
    assert [item.text for item in english.items] == ["am A", "am B"]


def test_every_language_has_every_message() -> None:
    assert languages_with_messages() >= {"en", "es"}
    keys = {language: set(load_messages(language)) for language in languages_with_messages()}
    assert all(each == keys["en"] for each in keys.values())
    key = min(keys["en"])
    assert load_messages("es", {key: "otra"})[key] == "otra"
