"""A comparison in which all methods have pretrained encoders, here tiny ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

pytest.importorskip("sentence_transformers", reason="it is absent: beholder[pretrained]")

from beholder.cli import beholder
from beholder.errors import ConfigurationError, RunError
from beholder.evaluation import evaluate
from beholder.evaluation.comparison import ComparisonConfiguration, compare
from beholder.evaluation.comparison.configuration import Key
from beholder.evaluation.comparison.folder import ComparisonFolder
from beholder.evaluation.comparison.jobs import JobWork, jobs_left
from beholder.features import PatchGrid, Pretrained, Sentences
from beholder.model import TrainingConfiguration, train
from beholder.model.folder import RunFolder
from beholder.study import Study
from beholder.work import HERE
from made_models import save_sentences, save_vision
from made_study import QUICK

CONFIGURATION = ComparisonConfiguration(
    methods=("base",),
    tasks="g2t",
    splits=("random",),
    seeds=(0,),
    curve=(),
    hyperparameters=replace(QUICK, epochs=1),
)
SETTINGS = [
    part
    for name, value in vars(CONFIGURATION.hyperparameters).items()
    for part in ("--set", f"{name}={value}")
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_sentences(folder / "SENTENCES")
    save_vision(folder / "VISION", "dinov2")
    return folder


@pytest.fixture
def asked(models: Path) -> ComparisonConfiguration:
    text, image = str(models / "SENTENCES"), str(models / "VISION")
    return replace(CONFIGURATION, text_encoder=text, image_encoder=image)


def test_the_command_gives_every_method_the_encoders(
    models: Path,
    asked: ComparisonConfiguration,
    tiny_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(models)
    command = ["compare", str(tiny_study.path), str(tmp_path / "out"), "--json"]
    command += ["--methods", "base,image-only", "--tasks", "g2t", "--splits", "random"]
    command += ["--seeds", "0", "--curve", "", "--processes", "1", "--no-examples", *SETTINGS]
    encoders = ["--text-encoder", "SENTENCES", "--image-encoder", "VISION"]
    result = CliRunner().invoke(beholder, command + encoders, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    results = json.loads(result.stdout)
    report = (tmp_path / "out" / "report.html").read_text()
    for name, kind, model in (("text", Sentences, "SENTENCES"), ("image", PatchGrid, "VISION")):
        held = results["pretrained"][name]
        assert held["model"] == str(models / model) == results["configuration"][f"{name}_encoder"]
        assert held["identity"] == kind.open(model).identity
        assert f"{name} encoder {models / model} ({held['identity'][:12]})" in report
    # It is what a training with these encoders scores, and not what one without them does.
    mrr = {row["method"]: row["mrr"] for row in results["rows"]}
    own = TrainingConfiguration(
        "base",
        "g2t",
        hyperparameters=asked.hyperparameters,
        text_encoder=asked.text_encoder,
        image_encoder=asked.image_encoder,
    )
    alone = evaluate(train(tiny_study, tmp_path / "run", own)).as_json()
    assert mrr["base"] == pytest.approx(alone["tasks"]["g2t"]["mrr"], abs=0.01)
    both = replace(CONFIGURATION, methods=("base", "image-only"))
    plain = compare(tiny_study, tmp_path / "plain", both, workers=HERE, trec=False).results
    assert plain["pretrained"] == {"text": None, "image": None}
    assert all(row["mrr"] != mrr[row["method"]] for row in plain["rows"])


def test_a_comparison_keeps_its_encoders(
    models: Path, asked: ComparisonConfiguration, tiny_study: Study, tmp_path: Path
) -> None:
    found = compare(tiny_study, tmp_path / "out", asked, workers=HERE, trec=False)
    before = found.folder.results.read_bytes()
    for other in (CONFIGURATION, replace(asked, image_encoder=""), replace(asked, text_encoder="")):
        with pytest.raises(RunError, match="was begun with other pretrained encoders: use another"):
            compare(tiny_study, tmp_path / "out", other)
    weights = models / "VISION" / "model.safetensors"
    kept = weights.read_bytes()
    try:
        weights.write_bytes(kept[:-4] + b"\1\2\3\4")
        with pytest.raises(RunError, match="begun with other weights of its pretrained encoders"):
            compare(tiny_study, tmp_path / "out", asked)
    finally:
        weights.write_bytes(kept)
    compare(tiny_study, tmp_path / "out", asked, workers=HERE, trec=False)
    assert found.folder.results.read_bytes() == before


def test_a_comparison_of_before_had_none(tiny_study: Study, tmp_path: Path) -> None:
    asked = replace(CONFIGURATION, methods=("chance",))
    compare(tiny_study, tmp_path / "out", asked, workers=HERE, trec=False)
    about = tmp_path / "out" / "comparison.json"
    values = json.loads(about.read_text())
    del values["pretrained"], values["configuration"]["text_encoder"]
    about.write_text(json.dumps(values))
    compare(tiny_study, tmp_path / "out", asked, workers=HERE, trec=False)


def test_a_model_that_is_absent_or_another_one_is_named(
    asked: ComparisonConfiguration, tiny_study: Study, tmp_path: Path
) -> None:
    absent = replace(asked, text_encoder=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="none is not there: no such folder"):
        compare(tiny_study, tmp_path / "out", absent)
    assert not (tmp_path / "out").exists()
    # What a worker on another machine finds under the same name.
    pretrained = Pretrained.open(asked.text_encoder, asked.image_encoder)
    assert pretrained.image is not None
    other = replace(pretrained, image=replace(pretrained.image, identity="of another"))
    (job,) = jobs_left(ComparisonFolder(tmp_path / "empty"), asked)
    with pytest.raises(ConfigurationError, match="has other weights or another configuration"):
        JobWork(tiny_study, asked, pretrained=other)(job)


def test_a_run_is_told_only_the_encoders_that_it_has_a_use_for(
    asked: ComparisonConfiguration, tiny_study: Study, tmp_path: Path
) -> None:
    shutil.copytree(tiny_study.path, tmp_path / "silent")
    samples = pq.read_table(tmp_path / "silent" / "samples.parquet")
    place = samples.schema.get_field_index("text")
    field = samples.schema.field(place)
    samples = samples.set_column(place, field, pa.nulls(samples.num_rows, field.type))
    pq.write_table(samples, tmp_path / "silent" / "samples.parquet")
    silent = Study.open(tmp_path / "silent")

    def told(study: Study, method: str, group: str) -> TrainingConfiguration:
        out = tmp_path / f"{study.path.name}-{method}"
        tasks = replace(asked, methods=(method,), tasks="g2t,p2g" if study is silent else "p2g")
        found = compare(study, out, tasks, workers=HERE, keep_runs=True, trec=False)
        assert {row["task"] for row in found.results["rows"]} == {"p2g"}
        return RunFolder(found.folder.work(Key("random", 0), group) / "run").configuration()

    without = told(silent, "base", "spaces")
    assert (without.text_encoder, without.image_encoder) == ("", asked.image_encoder)
    taught = told(tiny_study, "base+text", "spaces+text")
    assert (taught.text_encoder, taught.image_encoder) == (asked.text_encoder, asked.image_encoder)
