"""A storage in memory on which a process can be killed, or met by another, at any operation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class Killed(BaseException):
    """What nobody handles, as nobody handles SIGKILL."""


class FlakyFileSystem(MemoryFileSystem):
    """Counts operations, and kills or calls somebody before, during or after one of them."""

    protocol = "flaky"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]
    cachable = False
    done: list[tuple[str, str]] = []
    at: int | None = None
    when = "before"
    then: Callable[[], None] | None = None
    dead = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("flaky://", "memory://")))

    @classmethod
    def reset(cls) -> None:
        cls.store.clear()
        cls.be_well()

    @classmethod
    def be_well(cls) -> None:
        cls.done, cls.at, cls.then, cls.dead, cls.when = [], None, None, False, "before"

    @classmethod
    def strike(cls, at: int, when: str = "before", then: Callable[[], None] | None = None) -> None:
        """Kill at the operation of this number, or do ``then`` and go on."""
        cls.be_well()
        cls.at, cls.when, cls.then = at, when, then

    def _step(self, name: str, path: str, do: Callable[[], Any], half: Callable[[], Any]) -> Any:
        kind = type(self)
        if kind.dead:
            raise Killed
        kind.done.append((name, str(path)))
        if kind.at != len(kind.done):
            return do()
        if kind.then is not None:
            then, kind.at = kind.then, None
            then()
            return do()
        kind.dead = True
        if kind.when == "half":
            half()
        elif kind.when == "after":
            do()
        raise Killed

    def put_file(self, lpath: str, rpath: str, **options: Any) -> None:
        data = Path(lpath).read_bytes()

        def put(bytes_: bytes) -> None:
            MemoryFileSystem.pipe_file(self, rpath, bytes_)

        self._step("put", rpath, lambda: put(data), lambda: put(data[: len(data) // 2]))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        def put(data: bytes) -> None:
            MemoryFileSystem.pipe_file(self, path, data, mode=mode)

        self._step("pipe", path, lambda: put(value), lambda: put(value[: len(value) // 2]))

    def rm_file(self, path: str) -> None:
        parent = super().rm_file
        self._step("rm", path, lambda: parent(path), lambda: None)

    def cat_file(self, path: str, *args: Any, **options: Any) -> Any:
        parent = super().cat_file
        return self._step("cat", path, lambda: parent(path, *args, **options), lambda: None)

    def get_file(self, rpath: str, lpath: str, **options: Any) -> None:
        def get(share: float) -> None:
            data = MemoryFileSystem.cat_file(self, rpath)
            Path(lpath).write_bytes(data[: int(len(data) * share)])

        self._step("get", rpath, lambda: get(1), lambda: get(0.5))

    def find(self, path: str, **options: Any) -> Any:
        parent = super().find
        return self._step("find", path, lambda: parent(path, **options), lambda: None)

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        parent = super().ls
        return self._step("ls", path, lambda: parent(path, detail, **options), lambda: None)


fsspec.register_implementation("flaky", FlakyFileSystem, clobber=True)
