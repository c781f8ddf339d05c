"""What a study supports of a training that was asked for, decided before anything is learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beholder.errors import UnsupportedError
from beholder.model.configuration import TrainingConfiguration
from beholder.model.networks import Network, Pair, networks_of
from beholder.model.spaces import Space, missing_for_space
from beholder.study.splits import PARTS, Split
from beholder.study.study import Study
from beholder.study.tasks import Codes, Task, item_codes, missing_for


@dataclass(frozen=True)
class Plan:
    """What can be trained of what was asked, and one sentence on each thing that cannot."""

    tasks: tuple[Task, ...]
    networks: tuple[Network, ...]
    spaces: Mapping[str, tuple[Space, ...]]  # by the network's name
    warnings: tuple[str, ...]


def plan_training(study: Study, split: Split, configuration: TrainingConfiguration) -> Plan:
    """Return what to train; UnsupportedError if nothing is left, or nothing of what was named."""
    reasons = {task: missing_for_task(study, split, task) for task in configuration.parsed_tasks}
    warnings = [reason for reason in reasons.values() if reason is not None]
    tasks = [task for task, reason in reasons.items() if reason is None]
    networks = networks_of(
        tasks, joint=configuration.joint, privileged=configuration.privileged_modalities
    )
    if tasks:
        _check_network(study, split, configuration, networks)
    spaces: dict[str, tuple[Space, ...]] = {}
    for network in networks:
        rows = linked(study, split.rows("train"), network.links)
        lacks = {space: missing_for_space(study, space, rows) for space in configuration.spaces}
        spaces[network.name] = tuple(space for space, lack in lacks.items() if lack is None)
        warnings += [f"{network.name}: {lack}" for lack in lacks.values() if lack]
    possible = tuple(network for network in networks if spaces[network.name])
    kept = tuple(task for task in tasks if any(task.pair in n.pairs for n in possible))
    if not kept:
        raise UnsupportedError("; ".join(warnings))
    return Plan(kept, possible, spaces, tuple(warnings))


def _check_network(
    study: Study,
    split: Split,
    configuration: TrainingConfiguration,
    networks: Sequence[Network],
) -> None:
    """Raise UnsupportedError if a training would silently be another one than was asked."""
    train = split.rows("train")
    for modality in configuration.privileged_modalities:
        if not study.has(modality)[train].any():
            raise UnsupportedError(
                f"{modality} cannot be privileged: no training sample of this study has it"
            )
        if not any(modality in network.privileged for network in networks):
            raise UnsupportedError(f"{modality} is privileged for no task that this study supports")
    if configuration.joint and len(networks[0].modalities) < 3:
        raise UnsupportedError(
            "joint training needs tasks of at least two pairs of modalities; of those asked for, "
            f"this study supports {networks[0]} alone"
        )


def missing_for_task(study: Study, split: Split, task: Task) -> str | None:
    """Return one sentence on what a study or its parts lack for a task, or None."""
    return missing_for(study, task) or _missing_in_parts(study, split, task)


def _missing_in_parts(study: Study, split: Split, task: Task) -> str | None:
    for part in PARTS:
        if not len(with_both(study, split.rows(part), task.pair)):
            return f"{task.name} has no sample with both modalities in the {part} part"
    rows = with_both(study, split.rows("train"), task.pair)
    for modality in task.pair:
        if len(np.unique(item_codes(study, modality)[rows])) < 2:
            return f"{task.name} has a single {modality} in the train part, too few to learn from"
    return None


def with_both(study: Study, rows: Codes, pair: Pair) -> Codes:
    """Return those of the samples ``rows`` that have both modalities of a pair."""
    return rows[study.has(pair[0])[rows] & study.has(pair[1])[rows]]


def linked(study: Study, rows: Codes, links: Sequence[Pair]) -> Codes:
    """Return those of the samples ``rows`` that have both modalities of some pair."""
    both = [study.has(first)[rows] & study.has(second)[rows] for first, second in links]
    return rows[np.any(both, axis=0)]
