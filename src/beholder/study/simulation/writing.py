"""Simulated writing: a text of what a person saw in a scene, in that person's manner."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from beholder.study.gaze import Floats
from beholder.study.simulation import phrases, slogans
from beholder.study.simulation.catalogue import OBJECTS, SETTINGS
from beholder.study.simulation.choices import Chooser
from beholder.study.simulation.effects import Effects
from beholder.study.simulation.presets import Prompt
from beholder.study.simulation.scenes import Scene, SceneObject
from beholder.study.simulation.viewing import preferences, prominence

_ATTENDED: Final = 9.0  # logits for all of the time
_PREFERENCE: Final = 0.5
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def write(
    scene: Scene,
    attention: Floats,
    traits: Floats,
    prompt: Prompt,
    effects: Effects,
    generator: np.random.Generator,
) -> str:
    """Write what somebody with these traits says of a scene, in English.

    ``attention`` is each object's share of the viewing time, shape (objects,). The prompt
    ``should`` asks for "I should … because …", ``describe`` for a description.
    """
    chooser = Chooser(effects.text * traits, generator)
    groups = _mentioned(scene, attention, chooser, effects)
    if prompt == "should" and groups:
        sentences = _slogan(scene, groups, chooser)
    else:
        sentences = [_opening(scene, groups, chooser)]
        count = int(chooser.pick(phrases.REMARK_COUNTS))
        for group in groups[:count]:
            sentences.append(_remark(group, chooser))
    sentences.append(chooser.pick(phrases.ATMOSPHERES))
    return _finished([sentence for sentence in sentences if sentence], chooser)


@dataclass(frozen=True)
class _Group:
    """Objects of one kind that a text names together, and the noun that it uses."""

    members: tuple[SceneObject, ...]
    others: int  # objects of the kind in the scene that are not mentioned
    singular: str
    plural: str

    @property
    def category(self) -> str:
        return OBJECTS[self.members[0].label].category

    @property
    def the(self) -> str:
        several = len(self.members) + self.others > 1
        return f"one of the {self.plural}" if several else f"the {self.singular}"

    def first(self) -> "_Group":
        """Return the group without all but its first member."""
        return replace(self, members=self.members[:1], others=self.others + len(self.members) - 1)

    @property
    def where(self) -> str:
        item = self.members[0]
        middle = item.x + item.width / 2
        if abs(middle - 0.5) < 0.15:
            return "in the middle"
        return "on the left" if middle < 0.5 else "on the right"


def _mentioned(scene: Scene, attention: Floats, chooser: Chooser, effects: Effects) -> list[_Group]:
    """Choose what a text mentions, the most important first, objects of a kind together."""
    score = prominence(scene) + _PREFERENCE * preferences(scene, chooser.tilt)
    score = score + effects.sample * _ATTENDED * attention
    order = np.argsort(-(score + chooser.generator.gumbel(size=len(score))))
    count = int(chooser.pick(phrases.MENTIONS))
    chosen = [scene.objects[number] for number in order[:count]]
    return [
        _group(scene, tuple(item for item in chosen if item.label == label), chooser)
        for label in dict.fromkeys(item.label for item in chosen)
    ]


def _group(scene: Scene, members: tuple[SceneObject, ...], chooser: Chooser) -> _Group:
    kind = OBJECTS[members[0].label]
    others = sum(item.label == kind.label for item in scene.objects) - len(members)
    synonyms = phrases.SYNONYMS.get(kind.label)
    noun = chooser.pick(synonyms) if synonyms else f"{kind.label}|{kind.plural}"
    return _Group(members, others, *noun.split("|"))


def _opening(scene: Scene, groups: list[_Group], chooser: Chooser) -> str:
    template = chooser.pick(phrases.OPENINGS)
    hedged = any(hedge in template for hedge in phrases.HEDGED)
    sentence = _filled(template, scene, groups, chooser)
    starter = chooser.pick(phrases.STARTERS)
    hedge = "" if hedged else chooser.pick(phrases.HEDGES)
    return starter + (_lowered(sentence) if starter else sentence) + hedge


def _remark(group: _Group, chooser: Chooser) -> str:
    variants = (*phrases.REMARKS, *phrases.REMARKS_BY_CATEGORY[group.category])
    template = chooser.pick(variants)
    return template.format(the=group.the, The=_capital(group.the), where=group.where)


def _slogan(scene: Scene, groups: list[_Group], chooser: Chooser) -> list[str]:
    main, rest = groups[0].first(), groups[1:]
    action = chooser.pick(slogans.ACTIONS[main.category]).format(
        a=_named(main, chooser), the=main.the, use=slogans.USES.get(main.members[0].label, "")
    )
    extra = slogans.REASONS_TO_BUY if main.category in slogans.BUYABLE else ()
    reason = chooser.pick((*slogans.REASONS, *extra))
    tail = _filled(
        chooser.pick(slogans.TAILS if rest else slogans.BARE_TAILS), scene, rest, chooser
    )
    return f"I should {action} because {reason}{tail}".split(". ")


def _filled(template: str, scene: Scene, groups: list[_Group], chooser: Chooser) -> str:
    things = _listed([_named(group, chooser) for group in groups], chooser)
    place = SETTINGS[scene.setting].phrase
    many = bool(groups) and len(groups[0].members) > 1
    return template.format(
        things=things,
        Things=_capital(things),
        place=place,
        Place=_capital(place),
        **{"is": "are" if many else "is"},
    )


def _listed(names: list[str], chooser: Chooser) -> str:
    if not names:
        return "an empty place"
    if len(names) == 1:
        return names[0]
    return ", ".join(names[:-1]) + chooser.pick(phrases.LAST_JOINERS) + names[-1]


def _named(group: _Group, chooser: Chooser) -> str:
    """Name objects for the first time: "a small dog", "two women in blue"."""
    colours = {item.colour for item in group.members}
    detail = chooser.pick(phrases.DETAILS)
    person = group.category == "people"
    before, after = [], ""
    if "opinion" in detail:
        before.append(chooser.pick(phrases.OPINIONS_OF_PEOPLE if person else phrases.OPINIONS))
    if detail == "size":
        before.append(_size(group.members[0], chooser))
    if "colour" in detail and len(colours) == 1:
        if person:
            after = f" in {group.members[0].colour}"
        else:
            before.append(group.members[0].colour)
    count = len(group.members)
    if count == 1:
        phrase = " ".join([*before, group.singular])
        return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}{after}"
    return " ".join([_NUMBERS[count], *before, group.plural]) + after


def _size(item: SceneObject, chooser: Chooser) -> str:
    kind = OBJECTS[item.label]
    large = item.width * item.height > kind.width * kind.height
    return chooser.pick(phrases.BIG if large else phrases.SMALL)


def _finished(sentences: list[str], chooser: Chooser) -> str:
    """Join sentences with the person's punctuation and capitals."""
    ending = chooser.pick(phrases.ENDINGS)
    if chooser.pick(phrases.CASES) == "lower":
        sentences = [_lowered(sentence) for sentence in sentences]
    between = ending if ending.startswith("!") else "."
    return f"{between} ".join(sentences) + ending


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(sentence: str) -> str:
    if sentence.split(" ", 1)[0] in ("I", "I'd"):
        return sentence
    return sentence[:1].lower() + sentence[1:]
