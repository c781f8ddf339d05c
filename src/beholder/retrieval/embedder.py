"""Rows of vectors from what people give: a run's encoders and towers, kept within a store."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from beholder.errors import BeholderError, StoreError
from beholder.features import Grid, ImageGrid, ModalityEncoder
from beholder.features.personality import Items
from beholder.features.pretrained import RECORD
from beholder.model import TrainingConfiguration
from beholder.model.combination import combine
from beholder.model.correlations import CANONICAL, Correlations, has_correlations
from beholder.model.folder import RunFolder, correlations_file
from beholder.model.networks import Pair, network_name
from beholder.model.popularity import SHARE, TEMPERATURE, popularity
from beholder.model.towers import Tower, embed
from beholder.retrieval.layout import MANNER, Description, PairLayout, Side, Vectors
from beholder.study.survey import Instrument


def model_files(folder: RunFolder, pairs: Sequence[Pair]) -> dict[str, bytes]:
    """Return the files of a run that embed an item, by their paths in the run.

    What a run keeps of single samples is not among them.
    """
    names = ["configuration.toml"]
    for modality in dict.fromkeys(modality for pair in pairs for modality in pair):
        names += [f"encoders/{modality}.json", f"encoders/{modality}.safetensors"]
    if (folder.encoders / RECORD).is_file():
        names.append(f"encoders/{RECORD}")
    configuration = folder.configuration()
    for pair in pairs:
        network = network_name(pair, joint=configuration.joint)
        names += [f"spaces/{network}/{space}.safetensors" for space in folder.weights(pair)]
        if has_correlations(configuration.method, pair):
            names.append(correlations_file(pair))
    return {name: (folder.path / name).read_bytes() for name in dict.fromkeys(names)}


class Embedder:
    """Embeds items of every modality in every space of the pairs of a store.

    ``grid`` describes what an image shows, as at the training.
    """

    def __init__(self, files: Mapping[str, bytes], description: Description) -> None:
        """Load `model_files`; raises StoreError where they are of another version."""
        self.description = description
        self.grid: Grid = ImageGrid()
        try:
            with tempfile.TemporaryDirectory() as name:
                for relative, data in files.items():
                    file = Path(name) / relative
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(data)
                self._load(RunFolder(Path(name)))
        except (BeholderError, OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise StoreError(
                f"the model of the run {description.run} cannot be loaded: {error}"
            ) from error

    def encode(self, modality: str, inputs: Any) -> Vectors:
        """Return the features of items, as of `ModalityEncoder.encode`, shape (n, width)."""
        return self._encoders[modality].encode(inputs)

    def rows(self, side: Side, features: Vectors, known: Vectors | None = None) -> Vectors:
        """Return the rows (n, width) of items by their features.

        ``known`` (m, d) are the combination's embeddings of training items of the pair's
        other modality; without them the items' popularity is 0, as that of a query is.
        """
        layout = self.description.layout(side)
        spaces = {
            space: self._in_space(space, layout, side.modality, features)
            for space in layout.weights
        }
        manner = []
        if MANNER in layout.widths:
            correlations = self._correlations[side.pair]
            manner = [correlations.manner(side.modality, features, TEMPERATURE)]
        taken = np.zeros(len(features), np.float32)
        if known is not None:
            taken = np.float32(SHARE) * popularity(combine(spaces, layout.weights), known)
        return np.concatenate([*spaces.values(), *manner, 0 - taken[:, None]], axis=1)

    def _in_space(
        self, space: str, layout: PairLayout, modality: str, features: Vectors
    ) -> Vectors:
        if space == CANONICAL:
            return self._correlations[layout.pair].space(modality, features)
        network = network_name(layout.pair, joint=self._configuration.joint)
        return embed(self._towers[network, space][modality], features)

    def typical_answers(self, instrument: Instrument) -> NDArray[np.float64]:
        """Return what the people that the run learnt from answered on average, (items,).

        To the encoders this is as good as no answer. A run that keeps no such mean gets the
        middle of the scale.
        """
        encoder = self._encoders["personality"]
        for kind, statistics in zip(encoder.encoders, encoder.statistics, strict=True):
            if isinstance(kind, Items):
                return statistics.arrays["mean"].astype(np.float64)
        return np.full(len(instrument.items), (instrument.minimum + instrument.maximum) / 2)

    @cached_property
    def _encoders(self) -> dict[str, ModalityEncoder]:
        return {}

    @cached_property
    def _towers(self) -> dict[tuple[str, str], dict[str, Tower]]:
        return {}

    @cached_property
    def _correlations(self) -> dict[Pair, Correlations]:
        return {}

    def _load(self, folder: RunFolder) -> None:
        self._configuration: TrainingConfiguration = folder.configuration()
        image = folder.pretrained().image
        if image is not None and "gaze" in self.description.modalities:
            image.check()
            self.grid = image
        for modality in self.description.modalities:
            self._encoders[modality] = ModalityEncoder.load(folder.encoders, modality)
        for layout in self.description.pairs:
            network = network_name(layout.pair, joint=self._configuration.joint)
            if has_correlations(self._configuration.method, layout.pair):
                self._correlations[layout.pair] = folder.correlations(layout.pair)
            for space in layout.weights:
                if space != CANONICAL and (network, space) not in self._towers:
                    towers = folder.towers(network, space, self._configuration)
                    self._towers[network, space] = towers
