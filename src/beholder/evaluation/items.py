"""Items as a page shows them, and the page's templates."""

from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, Template, select_autoescape

from beholder.evaluation.pictures import gaze_picture
from beholder.study.study import Study
from beholder.study.tasks import Task

_MEANINGS = {
    "gaze": "where a person looked",
    "text": "what a person wrote",
    "personality": "a person's survey",
}


@dataclass(frozen=True)
class Item:
    """One item of a modality as the page shows it: a picture, a text or traits as z-scores."""

    participant: str
    picture: str | None = None
    caption: str | None = None
    text: str | None = None
    traits: dict[str, float] | None = None
    is_right: bool = False


def template(name: str) -> Template:
    """Return a template of the reports; whatever is put into it is escaped."""
    loader = PackageLoader("beholder.evaluation", "templates")
    return Environment(loader=loader, autoescape=select_autoescape()).get_template(name)


def meaning_of(task: Task) -> str:
    """Return a task in words."""
    return f"from {_MEANINGS[task.source]}, find {_MEANINGS[task.target]}"


def item_of(study: Study, modality: str, sample: int, is_right: bool = False) -> Item:
    """Return what a sample holds of a modality."""
    row = study[sample]
    participant = row.participant or "unknown"
    if modality == "gaze":
        picture = gaze_picture(study, sample)
        return Item(participant, picture=picture, caption=row.image, is_right=is_right)
    if modality == "text":
        return Item(participant, text=row.text, is_right=is_right)
    assert study.instrument is not None  # a task with personality has a survey
    answers = study.answers[~np.isnan(study.answers).any(axis=1)]
    everyone = study.instrument.trait_scores(answers)
    own = study.instrument.trait_scores(study.answers[[study.participant_codes[sample]]])[0]
    spread = np.where(everyone.std(axis=0) > 0, everyone.std(axis=0), 1.0)
    scores = (own - everyone.mean(axis=0)) / spread  # no norms exist: z-scores within the study
    traits = dict(zip(study.instrument.traits, map(float, scores), strict=True))
    return Item(participant, traits=traits, is_right=is_right)
