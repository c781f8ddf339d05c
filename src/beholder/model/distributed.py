"""Training in several processes: who they are and what they give each other.

All draw the same batches from the same seed. Each embeds its share of a batch's rows, gathers
the others' and works out its share of the loss: the shares add up to the loss of the whole
batch, so their gradients, added up, are its gradient, and the weights stay equal everywhere.
Whatever is no such share (the folder, the fitted encoders, when to stop) is the first process's
to do or to say. One process is a group too, in which nothing is sent.
"""

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor
from torch.distributed import PrefixStore, Store, rendezvous  # type: ignore[attr-defined]

from beholder.errors import BeholderError, TrainingError

PATIENCE = timedelta(minutes=30)
"""A process that gives nothing for so long is lost; the first may fit or choose for a while."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes that train one run, seen by the one of this ``rank``, from 0.

    ``launch`` names what started them, the same after a restart; empty where nothing restarts.
    ``local`` numbers the processes of one machine, from 0.
    """

    rank: int = 0
    size: int = 1
    launch: frozenset[str] = frozenset()
    local: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of ``count`` rows are this process's; the sizes differ by one at most."""
        return _share(count, self.rank, self.size)

    def gather(self, own: Tensor, count: int) -> Tensor:
        """Return all ``count`` rows, of which ``own`` are this process's share.

        A row's gradient is the sum of what all processes make of it.
        """
        if self.size == 1:
            return own
        gathered: Tensor = _Gather.apply(own, count, self)  # type: ignore[no-untyped-call]
        return gathered

    def gather_array(self, own: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Return all ``count`` rows of an array, of which ``own`` are this process's share."""
        if self.size == 1:
            return own
        sent = torch.from_numpy(np.require(own, requirements=["C", "W"]))
        return self.gather(sent, count).numpy()

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, all of one kind of number, by its sum over the processes."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
        with _together(self):
            dist.all_reduce(flat)
        sums = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, sums, strict=True):
            tensor.detach().copy_(total.view_as(tensor))

    def first(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``do`` gives in the first process, which alone does it.

        Where it fails there, it fails in all.
        """
        if self.size == 1:
            return do(*args, **kwargs)
        if not self.is_first:
            found, failure = self._sent((None, None))
            if failure is not None:
                raise failure
            return found  # type: ignore[no-any-return]
        try:
            result = do(*args, **kwargs)
        except Exception as error:
            self._sent((None, self._told(error)))
            raise
        self._sent((result, None))
        return result

    def each(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``do`` gives in this process; where it fails in one, it fails in all."""
        try:
            result = do(*args, **kwargs)
        except Exception as error:
            self.values(self._told(error))
            raise
        for failure in self.values(None):
            if failure is not None:
                raise failure
        return result

    def values(self, own: Any) -> list[Any]:
        """Return every process's value, by rank."""
        if self.size == 1:
            return [own]
        values: list[Any] = [None] * self.size
        with _together(self):
            dist.all_gather_object(values, own)
        return values

    def _sent(self, value: Any) -> Any:
        box = [value]
        with _together(self):
            dist.broadcast_object_list(box, src=0)
        return box[0]

    def _told(self, error: Exception) -> Exception:
        """Return an error as the other processes raise it."""
        if isinstance(error, BeholderError | OSError):
            return error
        kind = type(error).__name__
        return TrainingError(f"process {self.rank} of {self.size} failed: {kind}: {error}")


LONE = Group()
"""One process by itself."""


@contextlib.contextmanager
def joined() -> Iterator[Group]:
    """Join the processes that torchrun started, and leave them at the end; else give `LONE`."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield LONE
        return
    rank, size, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    group = Group(rank, size, local=local)
    with _together(group):
        store = _met(group, next(rendezvous("env://", timeout=PATIENCE))[0])
        dist.init_process_group(
            # What is in main memory goes by gloo, whatever the towers are worked out by.
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            store=store,
            rank=group.rank,
            world_size=group.size,
            timeout=PATIENCE,
        )
    try:
        yield replace(group, launch=frozenset(filter(None, group.values(_agent()))))
    finally:
        dist.destroy_process_group()


def _agent() -> str | None:
    """Return what tells the agent that started this process from every other there ever was.

    The agent makes a folder of a random name, in which each attempt has its own.
    """
    file = os.environ.get("TORCHELASTIC_ERROR_FILE")  # agent's/attempt_0/0/error.json
    return f"{socket.gethostname()}:{Path(file).parents[2]}" if file else None


def _met(group: Group, agents: Store) -> Store:
    """Return a corner of the agents' store that only the processes of this attempt know.

    The store outlives an attempt, and what the dead left in it must not be taken for what the
    living put there. No number tells attempts apart on all machines, as an agent counts only
    those that its own processes ended. So each says who it is and waits for the first to answer
    that very process; the first goes on answering until all that now live have heard it.
    """
    store, own = PrefixStore("beholder", agents), uuid.uuid4().hex
    if not group.is_first:
        store.set(f"here/{group.rank}", own)
        first = store.get(f"first/{own}").decode()
        store.set(f"{first}/heard/{group.rank}", "")
        return PrefixStore(first, store)
    last = time.monotonic() + PATIENCE.total_seconds()
    missing = list(range(1, group.size))
    while missing:
        for rank in missing:
            if store.check([f"here/{rank}"]):
                store.set(f"first/{store.get(f'here/{rank}').decode()}", own)
        missing = [rank for rank in missing if not store.check([f"{own}/heard/{rank}"])]
        if time.monotonic() > last:
            raise RuntimeError(f"processes {missing} did not come")
        time.sleep(0.02)
    return PrefixStore(own, store)


def _share(count: int, rank: int, size: int) -> slice:
    return slice(count * rank // size, count * (rank + 1) // size)


@contextlib.contextmanager
def _together(group: Group) -> Iterator[None]:
    """Say in one sentence that the others are gone."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0].rpartition("] ")[2] or type(error).__name__
        raise TrainingError(
            f"process {group.rank} of {group.size} lost the others: one of them ended, and its own "
            f"message says why, or none answered for {PATIENCE.seconds // 60} minutes ({reason})"
        ) from error


class _Gather(torch.autograd.Function):
    """Every process's rows, and back: the sum of the gradients that all have for one's own."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, count: int, group: Group) -> Tensor:
        ctx.group, ctx.count = group, count
        # All send as much as the largest share; what is beyond one's own is cut off again.
        height = -(-count // group.size)
        sent = own.new_zeros((height, *own.shape[1:]))
        sent[: len(own)] = own
        parts = [torch.empty_like(sent) for _ in range(group.size)]
        with _together(group):
            dist.all_gather(parts, sent)
        shares = [_share(count, rank, group.size) for rank in range(group.size)]
        return torch.cat(
            [part[: share.stop - share.start] for part, share in zip(parts, shares, strict=True)]
        )

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None, None]:
        total = above[0].clone()
        ctx.group.add_up([total])
        return total[ctx.group.share(ctx.count)], None, None
