"""A run: one finished training, opened to embed what it has seen and what it has not."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError

from beholder.errors import ConfigurationError, RunError, StudyError, UnsupportedError
from beholder.features import (
    FeatureCache,
    Grid,
    ModalityEncoder,
    StudyInputs,
    Surveys,
    Viewings,
    encode_samples,
)
from beholder.features.cache import take
from beholder.model.combination import combine
from beholder.model.configuration import COMBINED
from beholder.model.correlations import (
    CANONICAL,
    Correlations,
    has_correlations,
    weights_with_canonical,
)
from beholder.model.folder import RunFolder
from beholder.model.networks import Pair, network_name
from beholder.model.popularity import LENGTH, TEMPERATURE, less_popularity
from beholder.model.towers import Tower, embed
from beholder.progress import Progress, silent
from beholder.remote import in_its_words, is_remote, local
from beholder.study.gaze import Gaze
from beholder.study.image_files import upright_size
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task, parse_tasks

EMBEDDED_AT_ONCE = 16_384
"""The features of so many samples are in memory while these are embedded."""

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, SafetensorError, ConfigurationError)
"""What reading an encoder of a damaged or incomplete run raises."""


class Run:
    """A finished run, opened: embeds samples of its study, and items it has never seen."""

    def __init__(self, folder: RunFolder, study: Study | None = None) -> None:
        self.folder = folder
        self.configuration = folder.configuration()
        self.provenance = folder.provenance()
        self.split = folder.split(self.configuration)
        self._study = study

    @classmethod
    def open(cls, path: str | Path, progress: Progress = silent) -> "Run":
        """Open a finished run, or raise RunError saying what is wrong with the folder.

        A URL such as ``s3://bucket/run`` is mirrored in the cache first.
        """
        if isinstance(path, str) and is_remote(path):
            mirror = local(path, "run", progress)
            with in_its_words(mirror, path):
                return cls(RunFolder(mirror))
        return cls(RunFolder(Path(path)))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {self.configuration.method}, {self.configuration.split})"

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that the run was trained for, without those that the study cannot support."""
        return parse_tasks(",".join(self.provenance.tasks))

    @cached_property
    def study(self) -> Study:
        """The study that the run was trained on; RunError if it is gone or has changed."""
        study = self._study
        try:
            study = study or Study.open(self.provenance.study_path)
        except StudyError as error:
            raise RunError(f"the study of {self.path} cannot be opened: {error}") from error
        if study.fingerprint != self.provenance.fingerprint:
            raise RunError(
                f"the study {study.path} has changed since {self.path} was trained on it"
            )
        self.split.check(study)
        return study

    def method_for(self, pair: Pair) -> str:
        """Return the run's method for a pair: `ours` where it adds nothing to that."""
        method = self.configuration.method
        adds_more = method in COMBINED and not has_correlations(method, pair)
        return "ours" if adds_more else method

    def methods(self, pair: Pair) -> tuple[str, ...]:
        """Return what can be evaluated for a pair: each space, and what is made of all of them."""
        method, spaces = self.method_for(pair), tuple(self.folder.weights(pair))
        combined = COMBINED[: COMBINED.index(method) + 1] if method in COMBINED else ()
        return (*spaces, *combined)

    def weights(self, pair: Pair, method: str) -> dict[str, float]:
        """Return the weights of the spaces that make up a method for a pair."""
        if method not in COMBINED:
            return {method: 1.0}
        weights = self.folder.weights(pair)
        return weights_with_canonical(weights) if method == CANONICAL else weights

    def correlations(self, pair: Pair) -> Correlations:
        """Return the correlations of a pair, for which the method has them."""
        if pair not in self._correlations:
            self._correlations[pair] = self.folder.correlations(pair)
        return self._correlations[pair]

    def known(self, pair: Pair, modality: str, method: str) -> NDArray[np.float32]:
        """Return a method's embeddings (m, d) of samples that taught, all spaces combined."""
        key = (pair, modality, method)
        if key not in self._known:
            weights = self.weights(pair, method)
            found = self.folder.known(pair, modality, tuple(weights))
            self._known[key] = combine(found, weights)
        return self._known[key]

    def network(self, pair: Pair) -> str:
        """Return the name of the network that a pair is tested with."""
        return network_name(pair, joint=self.configuration.joint)

    def embed_samples(
        self, pair: Pair, modality: str, samples: Codes, method: str | None = None
    ) -> NDArray[np.float32]:
        """Return the embeddings of samples of the study, shape (n, d); see `embed`."""
        known, features = self._features(modality, samples)
        row = np.searchsorted(known, samples)
        if len(row) <= EMBEDDED_AT_ONCE:
            return self._embed(pair, modality, take(features, row), method)
        blocks = (
            self._embed(
                pair, modality, take(features, row[start : start + EMBEDDED_AT_ONCE]), method
            )
            for start in range(0, len(row), EMBEDDED_AT_ONCE)
        )
        return np.concatenate(list(blocks))

    def embed(
        self,
        *,
        gaze: Sequence[Gaze] | None = None,
        images: Sequence[str | Path] | None = None,
        text: Sequence[str] | None = None,
        personality: Sequence[Sequence[int]] | None = None,
        task: str | None = None,
        method: str | None = None,
    ) -> NDArray[np.float32]:
        """Return the embeddings of items of one modality, shape (n, d).

        The inner product of two modalities' embeddings is the method's score. All are of length
        one, but for `manner` and `canonical`, where the length tells how unusual a manner is.
        Give one of ``gaze`` (with the image file of each), ``text`` or ``personality`` (whole
        surveys). ``task`` chooses the network where the run has several for the modality.
        """
        given = {"gaze": gaze, "text": text, "personality": personality}
        named = [modality for modality, items in given.items() if items is not None]
        if len(named) != 1:
            raise ConfigurationError("embed takes one of gaze, text and personality")
        modality = named[0]
        if not len(given[modality] or ()):
            raise ConfigurationError(f"embed takes at least one {modality}")
        inputs: Any = text
        if gaze is not None:
            if images is None or len(images) != len(gaze):
                raise ConfigurationError("a gaze is embedded with the image file that it is of")
            inputs = _viewings(gaze, [Path(image) for image in images], self.grid)
        elif personality is not None:
            if self.study.instrument is None:
                raise UnsupportedError("the study of this run has no survey instrument")
            answers = self.study.instrument.validate(personality).astype(float)
            inputs = Surveys(answers, self.study.instrument)
        elif isinstance(text, str) or not all(isinstance(one, str) for one in text or ()):
            raise ConfigurationError("embed takes a list of texts")
        pair = self._pair_with(modality, task)
        features = self.encoder(modality).encode(inputs)
        if not np.isfinite(features).all():
            raise ConfigurationError(f"a {modality} to embed holds values that are not numbers")
        return self._embed(pair, modality, features, method)

    def encoder(self, modality: str) -> ModalityEncoder:
        """Return the encoder of a modality as fitted to the training part."""
        if modality not in self._encoders:
            try:
                self._encoders[modality] = ModalityEncoder.load(self.folder.encoders, modality)
            except _UNREADABLE as error:
                raise RunError(
                    f"the {modality} encoder of {self.path} cannot be read: {error}"
                ) from error
        return self._encoders[modality]

    @cached_property
    def grid(self) -> Grid:
        """What describes an image, as at the training; RunError if it is gone or has changed."""
        image = self.folder.pretrained().image
        try:
            if image is not None:
                image.check()
        except ConfigurationError as error:
            raise RunError(f"the image encoder of {self.path} cannot be used: {error}") from error
        return self.folder.pretrained().grid

    @cached_property
    def _encoders(self) -> dict[str, ModalityEncoder]:
        return {}

    @cached_property
    def _known(self) -> dict[tuple[Pair, str, str], NDArray[np.float32]]:
        return {}

    @cached_property
    def _correlations(self) -> dict[Pair, Correlations]:
        return {}

    @cached_property
    def _towers(self) -> dict[tuple[str, str], dict[str, Tower]]:
        return {}

    @cached_property
    def _inputs(self) -> StudyInputs:
        return StudyInputs(self.study, FeatureCache.default(), self.grid)

    @cached_property
    def _latest(self) -> dict[str, tuple[Codes, NDArray[np.float32]]]:
        """Features of the last samples asked for, by modality: spaces share them."""
        return {}

    def _features(self, modality: str, samples: Codes) -> tuple[Codes, NDArray[np.float32]]:
        """Return features and the samples that they are of, among them all that are asked for."""
        known = self._latest.get(modality)
        if known is None or not np.isin(samples, known[0]).all():
            wanted = np.unique(samples)
            features = encode_samples(self._inputs, self.encoder(modality), modality, wanted)
            known = self._latest[modality] = (wanted, features)
        return known

    def _embed(
        self,
        pair: Pair,
        modality: str,
        features: NDArray[np.float32],
        method: str | None,
    ) -> NDArray[np.float32]:
        method = method or self.method_for(pair)
        if method not in self.methods(pair):
            raise UnsupportedError(f"{self.path} has no method {method} for {' and '.join(pair)}")
        weights = self.weights(pair, method)
        spaces = {space: self._in_space(space, pair, modality, features) for space in weights}
        combined = combine(spaces, weights)
        if method not in COMBINED or method == "added":
            return combined
        first, second = pair
        known = self.known(pair, second if modality == first else first, method)
        vectors = less_popularity(combined, known, first=modality == first)
        if not has_correlations(method, pair):
            return vectors
        manner = self.correlations(pair).manner(modality, features, TEMPERATURE / LENGTH)
        return np.concatenate([vectors, manner], axis=1)

    def _in_space(
        self, space: str, pair: Pair, modality: str, features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the embeddings of items in one space, by their features."""
        if space == CANONICAL:
            return self.correlations(pair).space(modality, features)
        key = (self.network(pair), space)
        if key not in self._towers:
            self._towers[key] = self.folder.towers(*key, self.configuration)
        return embed(self._towers[key][modality], features)

    def _pair_with(self, modality: str, task: str | None) -> Pair:
        pairs = {
            t.pair for t in self.tasks if modality in t.pair and (task is None or t.name == task)
        }
        if not pairs:
            trained = ", ".join(t.name for t in self.tasks)
            wanted = f"{modality} in {task}" if task else modality
            raise UnsupportedError(f"{self.path} was not trained for {wanted}, only for {trained}")
        if len(pairs) > 1:
            raise ConfigurationError(f"{modality} has several networks here: name a task")
        return pairs.pop()


def _viewings(gazes: Sequence[Gaze], images: Sequence[Path], grid: Grid) -> Viewings:
    distinct = {file: row for row, file in enumerate(dict.fromkeys(images))}
    aspects = []
    for file in distinct:
        try:
            with Image.open(file) as image:
                width, height = upright_size(image)
                aspects.append(width / height)
        except OSError as error:
            raise StudyError(f"image {file} cannot be read: {error}") from error
    grids = np.stack([grid.describe(file) for file in distinct])
    rows = np.array([distinct[image] for image in images])
    return Viewings(gazes, rows, grids, np.array(aspects))
