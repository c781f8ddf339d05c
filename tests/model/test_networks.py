"""Which modalities are learnt together, by which pairs, and what is gone at the test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beholder.model.networks import networks_of
from beholder.study.tasks import MODALITIES, TASKS, parse_tasks

GT, GP, TP = ("gaze", "text"), ("gaze", "personality"), ("text", "personality")


@pytest.mark.parametrize(
    ("tasks", "joint", "privileged", "expected"),
    [
        ("g2t,t2g", False, (), [("gaze-text", (GT,), (), (GT,))]),
        (
            "t2g,g2p",
            False,
            (),
            [("gaze-text", (GT,), (), (GT,)), ("gaze-personality", (GP,), (), (GP,))],
        ),
        ("t2g,g2p", True, (), [("joint", (GT, GP), (), (GT, GP))]),
        ("g2t", False, ("personality",), [("gaze-text", (GT,), ("personality",), (GT, GP, TP))]),
        (
            "g2t,g2p",
            False,
            ("personality",),
            [
                ("gaze-text", (GT,), ("personality",), (GT, GP, TP)),
                ("gaze-personality", (GP,), (), (GP,)),
            ],
        ),
        ("t2p", False, ("gaze",), [("text-personality", (TP,), ("gaze",), (GT, GP, TP))]),
    ],
)
def test_networks_of_tasks(
    tasks: str, joint: bool, privileged: tuple[str, ...], expected: list[tuple[object, ...]]
) -> None:
    found = networks_of(parse_tasks(tasks), joint=joint, privileged=privileged)
    assert [(n.name, n.pairs, n.privileged, n.links) for n in found] == expected


@given(
    tasks=st.lists(st.sampled_from(list(TASKS.values())), min_size=1, unique=True),
    joint=st.booleans(),
    privileged=st.sets(st.sampled_from(list(MODALITIES.values()))),
)
def test_every_task_has_a_network_that_lacks_what_is_privileged(
    tasks: list, joint: bool, privileged: set[str]
) -> None:
    found = networks_of(tasks, joint=joint, privileged=sorted(privileged))
    tested = [pair for network in found for pair in network.pairs]
    assert sorted(tested) == sorted({task.pair for task in tasks})
    for network in found:
        assert not set(network.kept) & set(network.privileged)
        assert set(network.pairs) <= set(network.links)
        for first, second in set(network.links) - set(network.pairs):
            assert {first, second} & set(network.privileged)
    assert len(found) == (1 if joint else len(tested))
