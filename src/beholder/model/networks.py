"""Networks: the modalities that are learnt together, and the pairs that teach them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from beholder.study.tasks import MODALITIES, Task

Pair = tuple[str, str]

JOINT = "joint"
"""The name of the one network that all tasks share when they are trained jointly."""


@dataclass(frozen=True)
class Network:
    """One tower a modality. Every pair of ``links`` teaches; only ``pairs`` are tested.

    ``privileged`` modalities teach as well and are gone at the test: no pair has them, and
    their towers are not kept.
    """

    name: str
    pairs: tuple[Pair, ...]
    privileged: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """The modalities that are there at the test."""
        return in_order({modality for pair in self.pairs for modality in pair})

    @property
    def modalities(self) -> tuple[str, ...]:
        """All modalities of the training, the privileged ones last."""
        return (*self.kept, *self.privileged)

    @property
    def links(self) -> tuple[Pair, ...]:
        """The pairs that teach: those of the test, and each privileged modality with any other."""
        taught = combinations(in_order(self.modalities), 2)
        return tuple(
            pair for pair in taught if pair in self.pairs or set(pair) & set(self.privileged)
        )

    def __str__(self) -> str:
        names = " and ".join(self.kept)
        return f"{names} with {' and '.join(self.privileged)}" if self.privileged else names


def network_name(pair: Pair, *, joint: bool) -> str:
    """Return the name of the network that a pair is tested with."""
    return JOINT if joint else "-".join(pair)


def networks_of(
    tasks: Sequence[Task], *, joint: bool, privileged: Sequence[str]
) -> tuple[Network, ...]:
    """Return the networks that tasks need: one a pair, or one for all of them."""
    pairs = tuple(dict.fromkeys(task.pair for task in tasks))
    grouped = [pairs] if joint and pairs else [(pair,) for pair in pairs]
    return tuple(
        Network(
            network_name(together[0], joint=joint),
            together,
            in_order(set(privileged) - {modality for pair in together for modality in pair}),
        )
        for together in grouped
    )


def in_order(modalities: set[str] | Sequence[str]) -> tuple[str, ...]:
    """Return modalities in the order of `MODALITIES`."""
    return tuple(modality for modality in MODALITIES.values() if modality in modalities)
