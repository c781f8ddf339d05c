"""The storage behind an address: the few operations that mirroring and publishing take.

Of a backend this wants that one object is put whole or not at all and is then read by
everybody; nothing else: no rename, no lock, no listing that is up to date while others write.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from beholder import atomic
from beholder.errors import BeholderError, UnsupportedError
from beholder.extras import needs
from beholder.progress import Progress
from beholder.remote.address import ERRORS, MARKERS, WEB, Address, Kind
from beholder.remote.manifest import (
    FILE,
    NEVER_PUBLISHED,
    OBJECTS,
    Entry,
    Manifest,
    is_inside,
    parse_manifest,
)

T = TypeVar("T")

_LANES = 16
"""Requests at once where a backend takes several: most of a small object's time is waiting."""

_LOCAL = ("file", "local")
_NO_SECRETS = re.compile(r"//[^/\s]*@|\?[^\s'\")\]]*")
_VERSIONS = (
    *("ETag", "etag", "md5Hash", "generation", "mtime", "LastModified", "last_modified"),
    *("updated", "modified", "modify", "last_write_time", "created"),
)
"""What a listing may say of a file's version, by whichever backend."""


class Storage:
    """A folder of one kind on object storage; whatever goes wrong is one sentence."""

    def __init__(self, url: str, kind: Kind) -> None:
        self.address = Address.parse(url)
        self.kind = kind
        self.where = self.address.shown
        self._system, self._root = _opened(self.address)
        self._lanes = _LANES if getattr(self._system, "async_impl", False) else 1

    def error(self, text: str) -> BeholderError:
        """Return an error of this kind of folder."""
        return ERRORS[self.kind](text)

    def manifest(self) -> Manifest | None:
        """Return what is published here, or None."""
        with self._doing("read"):
            self._system.invalidate_cache()
            try:
                data = self._system.cat_file(self._path(FILE))
            except FileNotFoundError:
                return None
        manifest = parse_manifest(data, f"{self.where}/{FILE}", self.kind)
        if manifest.kind != self.kind:
            raise self.error(f"{self.where} is a {manifest.kind}, not a {self.kind}")
        return manifest

    def listed(self) -> Manifest:
        """Return the files of a folder that another tool copied here; the error where none is."""
        marker = MARKERS[self.kind]
        with self._doing("read"):
            has_marker = self.address.protocol not in WEB and self._system.exists(
                self._path(marker)
            )
            found = self._found("") if has_marker else {}
        if not found:
            raise self.error(
                f"{self.where} is not a {self.kind}: it has no {FILE}"
                + ("" if self.address.protocol in WEB else f" and no {marker}")
                + "; a publication that was stopped goes on when its command is given again"
            )
        try:
            entries = {is_inside(n): self._listed(n, info) for n, info in found.items()}
        except ValueError as error:
            raise self.error(f"{self.where} cannot be read: {error}") from None
        return Manifest(self.kind, entries)

    def require_writable(self) -> None:
        """Raise the error of this kind of folder where nothing is to be written."""
        if self.is_read_only:
            raise self.error(f"{self.where} is read only: {self.address.protocol} takes no files")
        if self.manifest() is not None:
            return
        with self._doing("read"):
            self._system.invalidate_cache()
            try:
                entries = self._system.ls(self._path(""), detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return
        names = {str(entry).rstrip("/").rpartition("/")[2] for entry in entries} - {FILE, OBJECTS}
        if not all(NEVER_PUBLISHED.fullmatch(name) for name in names):
            raise self.error(
                f"{self.where} holds files that Beholder did not publish: choose another address"
            )

    @property
    def is_read_only(self) -> bool:
        """Whether the protocol is one of those that are only read."""
        return self.address.protocol in WEB

    def for_each(
        self, do: Callable[[T], None], items: Collection[T], progress: Progress, description: str
    ) -> None:
        """Do something with every item, with several at once where the backend takes that.

        The first error, or an interruption, ends what has not begun.
        """
        threads = ThreadPoolExecutor(self._lanes)
        try:
            for _ in progress(threads.map(do, items), description, len(items)):
                pass
        finally:
            threads.shutdown(cancel_futures=True)

    def sizes(self) -> dict[str, int]:
        """Return the size of every object that is here, by its name."""
        with self._doing("read"):
            return {n: int(info["size"] or 0) for n, info in self._found(OBJECTS).items()}

    def send(self, file: Path, entry: Entry) -> None:
        """Put a file's bytes under their own name."""
        with self._doing("written"):
            self._system.put_file(str(file), self._path(entry.key))

    def put_manifest(self, manifest: Manifest, *, is_first: bool) -> None:
        """Put the object that makes all this a study or a run.

        The first one is put only if there is none, where the backend can tell that while
        putting (S3, Google Cloud Storage and Azure can).
        """
        data = manifest.text().encode()
        with self._doing("written"):
            if self.address.protocol in _LOCAL:
                atomic.write_bytes(Path(self._path(FILE)), data)
                return
            mode = "create" if is_first else "overwrite"
            try:
                self._system.pipe_file(self._path(FILE), data, mode=mode)
            except FileExistsError:
                raise self.published_meanwhile() from None

    def published_meanwhile(self) -> BeholderError:
        """Return the error of a publication that another one has overtaken."""
        return self.error(
            f"{self.where} was published by somebody else meanwhile; theirs was left as it is"
        )

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove objects that nothing names any more."""
        with self._doing("written"):
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    self._system.rm_file(self._path(entry.key))

    def fetch(self, name: str, entry: Entry, target: Path) -> None:
        """Write a file's bytes to ``target``; an error unless they are those of the entry."""
        with self._doing("read"):
            try:
                self._system.get_file(self._path(entry.key), str(target))
            except FileNotFoundError:
                raise self._changed(name) from None
        if target.stat().st_size != entry.size:
            raise self._changed(name)
        if entry.sha256 is not None:
            with target.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
                    raise self._changed(name)

    def _changed(self, name: str) -> BeholderError:
        return self.error(
            f"{name!r} of {self.where} is missing or not what was published: if somebody was "
            "replacing it just now, try again; else publish it again"
        )

    def _listed(self, name: str, info: dict[str, Any]) -> Entry:
        version = "; ".join(f"{key} {info[key]}" for key in _VERSIONS if key in info)
        return Entry(name, int(info["size"] or 0), None, f"{self.where}; {version}")

    def _found(self, below: str) -> dict[str, Any]:
        """Return what is listed below a folder, by the names from there."""
        self._system.invalidate_cache()
        base = self._path(below).rstrip("/") + "/"
        found = self._system.find(base.rstrip("/"), detail=True)
        names = {str(path).removeprefix(base): info for path, info in found.items()}
        # Some stores hold objects that stand for folders.
        return {name: info for name, info in names.items() if not name.endswith("/")}

    def _path(self, key: str) -> str:
        query = f"?{self.address.query}" if self.address.query else ""
        return (f"{self._root}/{key}" if key else self._root) + query

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Turn whatever a backend raises into one sentence without secrets."""
        try:
            yield
        except BeholderError:
            raise
        except Exception as error:
            # Not "from error": its text, and a traceback that shows it, may hold the address.
            raise self.error(
                f"{self.where} cannot be {what}: {_reason(error, self.address)}"
            ) from None


def _reason(error: Exception, address: Address) -> str:
    kind = type(error).__name__
    if address.has_secrets:
        status = getattr(error, "status", None)
        return f"{kind} {status}" if isinstance(status, int) else kind
    text = " ".join(_NO_SECRETS.sub("…", str(error)).split())
    return f"{text} ({kind})" if text else kind


def _opened(address: Address) -> tuple[Any, str]:
    """Return the file system of an address, and where in it the address leads."""
    with needs("storage"):
        import fsspec
    options = {"auto_mkdir": True} if address.protocol in _LOCAL else {}
    try:
        system, root = fsspec.core.url_to_fs(address.url, **options)
    except ImportError as error:
        raise UnsupportedError(
            f"{address.protocol}:// needs a library that is not installed: {_needed(address)}"
        ) from error
    except Exception as error:
        if address.protocol not in fsspec.available_protocols():
            raise UnsupportedError(f"no storage is known as {address.protocol}://") from None
        raise UnsupportedError(
            f"{address.shown} cannot be opened: {_reason(error, address)}"
        ) from None
    return system, str(root).rstrip("/")


def _needed(address: Address) -> str:
    """Return what to install for a protocol."""
    from fsspec.registry import known_implementations

    known = known_implementations[address.protocol]
    library = "aiohttp" if address.protocol in WEB else known["class"].partition(".")[0]
    return known.get("err", "") if library == "fsspec" else f"pip install {library}"
