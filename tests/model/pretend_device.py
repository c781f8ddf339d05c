"""A device that is none: it computes on the processor, and refuses what a real one would.

Its tensors hold tensors of main memory. An operation on tensors of both is an error, as on a
real device, but for numbers of no dimension; so nothing can have been left behind. Whatever a
real device would have to be waited for is counted: reading a value, or a size that hangs on
values. `Tensor.numpy` has no way in, as on a real device.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("pretend")
PRETEND = torch.device("pretend", 0)

_WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "bincount", "unique", "equal")


class _Held(Tensor):
    """A tensor that says it is on the pretend device, and the one in main memory behind it."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> _Held:
        held: _Held = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=PRETEND,
        )
        held.inner = inner
        return held

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with Pretend():
            return func(*args, **(kwargs or {}))


class Pretend(TorchDispatchMode):
    """While it is entered, the pretend device is there; ``waits`` counts by operation."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        leaves = tree_leaves((args, kwargs))
        asked = kwargs.get("device")
        name = func.overloadpacket.__name__
        if not any(isinstance(leaf, _Held) for leaf in leaves) and asked != PRETEND:
            return func(*args, **kwargs)
        with self:  # what an operation is put together of comes here by itself
            parts = func.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        is_copy = name in ("_to_copy", "copy_")
        here = [leaf for leaf in leaves if isinstance(leaf, Tensor) and not isinstance(leaf, _Held)]
        strangers = [leaf for leaf in here if leaf.dim() > 0 or name == "index_put_"]
        if strangers and not is_copy and asked is None:
            raise RuntimeError(f"{func} of tensors on two devices")
        is_read = is_copy and asked is not None and asked != PRETEND
        indexed = name.startswith("index") and any(
            isinstance(leaf, Tensor) and leaf.dtype == torch.bool for leaf in tree_leaves(args[1:])
        )
        if name.startswith(_WAITING) or is_read or indexed:
            self.waits[name] += 1
        if asked == PRETEND:
            kwargs["device"] = torch.device("cpu")
        result = func(
            *tree_map(_bare, args), **{key: tree_map(_bare, own) for key, own in kwargs.items()}
        )
        if is_read or name.startswith("_local_scalar_dense"):
            return result
        known = {id(leaf.inner): leaf for leaf in leaves if isinstance(leaf, _Held)}

        def held(one: Any) -> Any:
            if not isinstance(one, Tensor):
                return one
            return known[id(one)] if id(one) in known else _Held(one)

        return tree_map(held, result)


def _bare(value: Any) -> Any:
    return value.inner if isinstance(value, _Held) else value
