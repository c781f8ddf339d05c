"""Downloads a large file so that a stop, a stall or a lost connection costs little.

A later attempt, also of a later process, asks for the missing bytes alone (Range) and only
of the very same version of the file (If-Range with the ETag or the date); RFC 9110, 13 and 14.
"""

import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from beholder import __version__
from beholder.errors import ConfigurationError, StudyError
from beholder.progress import Progress, silent
from beholder.study.fetching.part import Part, Version

_CHUNK_BYTES = 2**16
_MEBIBYTE = 2**20
_PASSING = (408, 425, 429)  # and from 500: the server may do better in a while


@dataclass(frozen=True)
class DownloadOptions:
    """How patient a download is, and how much it takes.

    ``timeout_s`` is the longest wait for a connection and for the next bytes. The pause after
    a failure doubles from ``first_pause_s`` up to ``longest_pause_s``; ``attempts`` in a row
    without a new byte end the download. ``sleep`` makes the pause.
    """

    timeout_s: float = 30.0
    attempts: int = 6
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0
    largest_bytes: int = 50 * 2**30
    sleep: Callable[[float], None] = time.sleep


def download(
    url: str,
    target: Path,
    *,
    begins_with: bytes,
    check: Callable[[Path], None],
    options: DownloadOptions | None = None,
    progress: Progress = silent,
) -> None:
    """Download ``url`` to ``target``, which appears whole, from where an earlier call stopped.

    ``begins_with`` are the first bytes of every file of the expected kind, so that a web page
    is refused at once; ``check`` gets the whole file before it has its name and raises
    StudyError where it is not sound. Raises StudyError, saying what to do, and
    ConfigurationError for an address that is none.
    """
    require_address(url)
    options = options or DownloadOptions()
    with Part(target) as part:
        _complete(url, part, begins_with, options, progress)
        part.flush()
        try:
            check(part.path)
        except StudyError:
            part.discard()
            raise
        part.become_target()


def require_address(url: str) -> None:
    """Raise ConfigurationError unless ``url`` is a plain http or https address."""
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_plain = False
    if (
        not is_plain
        or parts.scheme not in ("http", "https")
        or "@" in parts.netloc
        or not re.fullmatch(r"[!-~]+", url)
        or "?" in url
        or "#" in url
    ):
        raise ConfigurationError(
            f"{url!r} is no address to download from, expected http://HOST/FOLDER/ or https://"
        )


def _complete(
    url: str, part: Part, begins_with: bytes, options: DownloadOptions, progress: Progress
) -> None:
    """Attempt the download until the part is whole, or raise StudyError saying why it is not."""
    furthest, failures = part.size, 0
    while (fault := _attempt(url, part, begins_with, options, progress)) is not None:
        # An attempt that got further than any before costs nothing.
        failures = 1 if part.size > furthest else failures + 1
        furthest = max(furthest, part.size)
        if failures >= options.attempts:
            raise StudyError(
                f"{url} could not be downloaded in {failures} attempts ({fault}); what came is "
                "kept, and the same command goes on with it"
            )
        pause = min(options.first_pause_s * 2 ** (failures - 1), options.longest_pause_s)
        for _ in progress(_pausing(options, pause), f"{fault}; waiting {pause:g} s", 1):
            pass


def _pausing(options: DownloadOptions, pause_s: float) -> Iterator[None]:
    options.sleep(pause_s)
    yield


def _attempt(
    url: str, part: Part, begins_with: bytes, options: DownloadOptions, progress: Progress
) -> str | None:
    """Ask for what is missing and add it; return what went wrong if a later attempt may mend it."""
    begun = part.version if part.size and part.version and part.version.url == url else None
    if begun and begun.total == part.size:
        return None  # stopped between the last byte and the check
    headers = {"User-Agent": f"beholder/{__version__}"}
    is_rest = begun is not None and begun.validator is not None
    if begun and begun.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": begun.validator}
    try:
        request = urllib.request.Request(url, headers=headers)
        with _opener().open(request, timeout=options.timeout_s) as response:
            return _take(response, url, part, begins_with, is_rest, options, progress)
    except HTTPError as error:
        with error:
            if error.code == 416 and is_rest:
                part.forget_version()
                return f"the server has nothing after the first {part.size:,} bytes"
            return _passing_fault(url, error)
    except (OSError, HTTPException) as error:
        return _network_fault(url, error)


def _take(
    response: HTTPResponse,
    url: str,
    part: Part,
    begins_with: bytes,
    is_rest: bool,
    options: DownloadOptions,
    progress: Progress,
) -> str | None:
    """Write an answer to the part; return what is wrong if a later attempt may mend it."""
    version, start = _described(response, url)
    total = version.total
    if total is not None and total > options.largest_bytes:
        raise StudyError(
            f"{url} has {total:,} bytes, expected an archive of at most {options.largest_bytes:,}"
        )
    if response.status == 206:
        begun = part.version if is_rest else None
        if not begun or not begun.agrees_with(version) or start != part.size:
            part.forget_version()
            return "the server sent another part than the one asked for"
        total = begun.total if total is None else total
    elif response.status == 200:
        head = response.read(len(begins_with))
        if head != begins_with[: len(head)]:
            kind = response.headers.get_content_type()
            raise StudyError(
                f"{url} sent something else than a zip archive ({kind}; a page of a login or of "
                "a proxy?); open it in a browser, or name another address with --url"
            )
        part.begin(version)
        part.write(head)
    else:
        raise StudyError(f"{url} answered with status {response.status}, expected 200")
    received = _receive(response, part, options.largest_bytes)
    name = url.rpartition("/")[2]
    for _ in progress(received, f"downloading {name}, MiB", total and total // _MEBIBYTE):
        pass
    if part.size > options.largest_bytes:
        part.discard()
        raise StudyError(
            f"{url} sends no end, expected an archive of at most {options.largest_bytes:,} bytes"
        )
    if total is not None and part.size != total:
        return f"the connection ended after {part.size:,} of {total:,} bytes"
    return None


def _receive(response: HTTPResponse, part: Part, largest: int) -> Iterator[None]:
    """Write what comes as it comes; give one item a mebibyte, first those that are there."""
    given = 0
    while part.size <= largest:
        while given < part.size // _MEBIBYTE:
            given += 1
            yield
        # Not read(), which waits for a whole chunk: what has come survives a kill.
        data = response.read1(_CHUNK_BYTES)
        if not data:
            return
        part.write(data)


def _described(response: HTTPResponse, url: str) -> tuple[Version, int]:
    """Return which version of the file an answer is of, and its first byte's place there."""
    total, start = response.length, 0
    if response.status == 206:
        text = response.headers.get("Content-Range", "")
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", text.strip())
        start = int(found[1]) if found else -1
        total = int(found[2]) if found and found[2] != "*" else None
    headers = response.headers
    return Version(url, headers.get("ETag"), headers.get("Last-Modified"), total), start


def _passing_fault(url: str, error: HTTPError) -> str:
    """Return a refusal that may pass; raise StudyError for one that stays."""
    said = _one_line(error.reason)
    if error.code >= 500 or error.code in _PASSING:
        return f"the server answered {error.code} {said}".rstrip()
    raise StudyError(
        f"{url} answered {error.code} {said}; check the address, or name another with --url"
    ) from error


def _network_fault(url: str, error: Exception) -> str:
    """Return what a network did not do; raise StudyError where trying again cannot help."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise StudyError(f"{url} has no certificate to trust: {_one_line(cause)}") from error
    if isinstance(cause, TimeoutError):
        return "the server was silent for too long"
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return _one_line(said)


def _one_line(said: object) -> str:
    return " ".join(str(said).split())[:200]


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to the web alone, and never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in {"https", req.type}:
            raise HTTPError(
                req.full_url, code, f"a redirect to {newurl}, which is not followed", headers, fp
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens web addresses and nothing else (urllib's own opens files and FTP)."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
