"""Where the towers of a training are worked out: the processor or a CUDA device, compiled or not.

What is drawn, which batches there are and what is written are the processor's matter and hang on
no device; what is learnt is the same everywhere to rounding. Embeddings leave a device as float32.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from beholder.errors import ConfigurationError, UnsupportedError
from beholder.model.distributed import LONE, Group

_NAMES = re.compile(r"auto|cpu|cuda(?::(\d+))?")

MOST_SHAPES = 64
"""So many widths of towers are compiled in one process."""


@dataclass(frozen=True)
class Device:
    """What works the towers out; ``backend`` is what compiles them, or None."""

    at: torch.device
    backend: str | None = None

    @classmethod
    def chosen(cls, name: str = "auto", *, compiled: bool = False, group: Group = LONE) -> "Device":
        """Return the device of a name: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

        Each process of a group has a CUDA device of its own, and ``auto`` is CUDA where all have
        one. Raises UnsupportedError where the device is absent.
        """
        if len(set(group.values((name, compiled)))) > 1:
            raise ConfigurationError("all processes train one run, but were asked for two devices")
        at = group.each(_found, name, group)
        if name == "auto" and not all(group.values(at.type == "cuda")):
            at = PROCESSOR.at
        return cls(at, "inductor" if compiled else None)

    def __str__(self) -> str:
        if self.at.type != "cuda":
            return str(self.at)
        return f"{self.at.type}: {torch.cuda.get_device_name(self.at)}"

    def prepare(self, towers: nn.ModuleDict) -> nn.ModuleDict:
        """Return towers, put on the device and compiled for training; their names stay."""
        towers = towers.to(self.at)
        if self.backend is not None:
            for tower in towers.values():
                # Compiled once a width: the rows of a batch may be as many as they like.
                tower.compile(
                    backend=self.backend,
                    dynamic=True,
                    fullgraph=True,
                    recompile_limit=MOST_SHAPES,
                )
        return towers

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Make CUDA repeat itself, and say in one sentence if nothing can be compiled here."""
        with contextlib.ExitStack() as held:
            if self.at.type == "cuda":
                held.enter_context(torch.cuda.device(self.at))
                held.enter_context(_repeatable())
            if self.backend is not None:
                held.enter_context(_compiling())
            yield


PROCESSOR = Device(torch.device("cpu"))


def put(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of main memory on a device; nothing waits for the copy but what uses it."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")


def _found(name: str, group: Group) -> torch.device:
    """Return the device of a name for one process of a group."""
    match = _NAMES.fullmatch(name)
    if match is None:
        raise ConfigurationError(f"unknown device {name!r}, expected auto, cpu, cuda or cuda:N")
    if match[1] and group.size > 1:
        raise ConfigurationError(
            f"{name} is one device, and {group.size} processes need one each: ask for cuda"
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(match[1] or group.local)
    if name == "cpu" or (name == "auto" and number >= count):
        return PROCESSOR.at
    if number >= count:
        built = ", as it is built without CUDA" if torch.version.cuda is None else ""
        raise UnsupportedError(
            f"there is no device cuda:{number}: PyTorch sees {count} CUDA devices here{built}"
        )
    return torch.device("cuda", number)


@contextlib.contextmanager
def _repeatable() -> Iterator[None]:
    """Let CUDA give the same numbers again; where it has no such way it says so and goes on."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    was = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was, warn_only=only_warned)


@contextlib.contextmanager
def _compiling() -> Iterator[None]:
    from torch._dynamo.exc import BackendCompilerFailed
    from torch.fx.experimental import _config as shapes

    try:
        # A batch of as many rows as a tower has hidden units is no other than its successors.
        with shapes.patch(use_duck_shape=False):  # type: ignore[attr-defined]
            yield
    except BackendCompilerFailed as error:
        reason = str(error.inner_exception).partition("\n")[0]
        raise UnsupportedError(
            "the towers cannot be compiled here: that needs a C++ compiler such as g++, or the one "
            f"that CXX names, and for CUDA Triton ({reason}); without --compile nothing is needed"
        ) from error
