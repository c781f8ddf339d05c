"""What the names of a comparison mean, in the words of a report."""

from collections.abc import Mapping, Sequence

SPLITS: Mapping[str, str] = {
    "random": "test samples are new, their images and people were seen in training",
    "image": "test images are new",
    "participant": "test people are new",
    "both": "test images and test people are new",
}

_METHODS = {
    "chance": "every order of the gallery as likely; computed exactly",
    "image-only": "told the image of a gaze but not where anyone looked",
    "factorised": "user-conditioned factorisation (Veit et al., 2018), told who asks",
    "base": "one space in which what belongs to one sample lies together",
    "content": "a space in which whatever was made of one image lies together",
    "style": "a space in which whatever one person made lies together",
    "added": "base, content and style added, weighted on the validation part",
    "ours": "as added, less how popular an item is with every query",
    "manner": "as ours, plus how well the manner of looking fits the manner of writing",
    "canonical": "as manner, with a space of canonical variates beside the trained ones",
    "concepts": "as canonical, plus which of the image's labelled areas a text tells of",
}
_VARIANTS = {
    "joint": "one tower a modality shared by all tasks",
    "privileged": "the modalities that a task lacks taught in training and are gone at the test",
}


def meanings_of(methods: Sequence[str]) -> dict[str, str]:
    """Return each method's meaning."""
    return {method: _meaning(method) for method in methods}


def _meaning(method: str) -> str:
    if method in _METHODS:
        return _METHODS[method]
    space, plus, named = method.partition("+")
    if plus and space in _METHODS:
        given = " and ".join(named.split("+"))
        return f"{space}, where {given} taught in training and is gone at the test"
    space, _, variant = method.partition("-")
    if space in _METHODS and variant in _VARIANTS:
        return f"{space}, where {_VARIANTS[variant]}"
    return "a method of your own"
