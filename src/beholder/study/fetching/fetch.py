"""Fetches one of the authors' archives, unpacks it and reads it into a study, step by step.

A step is done when its output is there, and each output appears whole, so that the same
call goes on wherever an earlier one was stopped. Overwriting keeps what is there until it is
replaced; from when a new archive replaces the old one, a small file names what the old one
has left, so that a call that is stopped in between never mixes the two.
"""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from beholder import atomic
from beholder.errors import ConfigurationError, StudyError
from beholder.progress import Progress, silent
from beholder.study.fetching.archive import Limits, check_archive, unpack
from beholder.study.fetching.download import DownloadOptions, download, require_address
from beholder.study.readers import ReadOptions, read
from beholder.study.readers.crossmod import TABLE_NAMES
from beholder.study.readers.table import find_table
from beholder.study.study import Study
from beholder.study.writer import is_study

AUTHORS_URL = "http://people.cs.pitt.edu/~nineil/crossmod/"
DATASETS = ("ads", "coco")
NOTICE = (
    "the archive is its authors' (Murrugarra-Llerena and Kovashka, CVPR 2019), who state no "
    "licence: fetched by you, for yourself; do not pass it on"
)

DOWNLOAD, UNPACK, READ = "download", "unpack", "read"
STEPS = (DOWNLOAD, UNPACK, READ)
_ZIP_MEMBER = b"PK\x03\x04"  # what an archive with at least one member begins with


@dataclass(frozen=True)
class FetchOptions:
    """How to fetch; ``overwrite`` does every step anew (a part of a download is gone on with).

    Of ``reading`` the name defaults to the dataset's; its ``overwrite`` is not looked at.
    """

    overwrite: bool = False
    reading: ReadOptions = field(default_factory=ReadOptions)
    downloading: DownloadOptions = field(default_factory=DownloadOptions)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class FetchedPaths:
    """Where what is fetched of a dataset lies in a folder."""

    archive: Path
    unpacked: Path
    study: Path
    stale: Path  # names the outputs that come from an archive since replaced

    @classmethod
    def of(cls, dataset: str, folder: str | Path) -> "FetchedPaths":
        """Return the paths, or raise ConfigurationError for a dataset that is not known."""
        if dataset not in DATASETS:
            raise ConfigurationError(
                f"unknown dataset {dataset!r}, expected one of {', '.join(DATASETS)}"
            )
        folder = Path(folder)
        return cls(
            archive=folder / f"{dataset}.zip",
            unpacked=folder / dataset,
            study=folder / f"{dataset}.study",
            stale=folder / f".{dataset}.stale",
        )


@dataclass(frozen=True)
class FetchReport:
    """What was fetched: ``steps`` are those that this call did, of download, unpack and read.

    ``sha256`` is the archive's, to compare with another laboratory's as the authors publish
    none; it and ``archive_bytes`` are None where the archive is no longer there.
    """

    dataset: str
    url: str
    study: Path
    steps: tuple[str, ...]
    archive_bytes: int | None
    sha256: str | None
    participants: int
    images: int
    samples: int
    skipped_rows: int
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        return {**asdict(self), "study": str(self.study)}


def fetch(
    dataset: str,
    folder: str | Path,
    *,
    source_url: str = AUTHORS_URL,
    options: FetchOptions | None = None,
    progress: Progress = silent,
) -> FetchReport:
    """Leave ``<dataset>.zip``, ``<dataset>/`` and ``<dataset>.study/`` in ``folder``.

    ``dataset`` is ads or coco and ``source_url`` the folder on the web that holds the
    archives. A step whose output, or a later one, is there already is not repeated. Raises
    ConfigurationError for a dataset or an address that cannot be, and StudyError, saying what
    to do, for a download, an archive or data that fail; finished steps stay.
    """
    options = options or FetchOptions()
    paths = FetchedPaths.of(dataset, folder)
    url = f"{source_url.rstrip('/')}/{paths.archive.name}"
    require_address(url)
    if options.overwrite:
        _require_replaceable(paths)
    steps = STEPS if options.overwrite else _missing_steps(paths)
    notes: tuple[str, ...] = ()
    if DOWNLOAD in steps:
        _download(url, paths, options.downloading, progress)
    if UNPACK in steps:
        unpack(
            paths.archive,
            paths.unpacked,
            limits=options.limits,
            overwrite=paths.unpacked.exists(),
            progress=progress,
        )
        _set_stale(paths, _stale(paths) - {UNPACK})
    if READ in steps:
        reading = replace(
            options.reading,
            name=options.reading.name or dataset,
            overwrite=paths.study.exists(),
        )
        source = _content(paths.unpacked) or paths.unpacked
        notes = read("crossmod", source, paths.study, reading, progress).notes
        _set_stale(paths, set())
    return _report(dataset, url, paths, steps, notes)


def _require_replaceable(paths: FetchedPaths) -> None:
    """Raise StudyError where overwriting would remove what no call of `fetch` has written."""
    for path, is_known, kind in (
        (paths.unpacked, _content(paths.unpacked) is not None, "no unpacked archive"),
        (paths.study, is_study(paths.study), "not a study"),
    ):
        if path.exists() and not is_known:
            raise StudyError(f"{path} exists and is {kind}: not overwriting it")


def _missing_steps(paths: FetchedPaths) -> tuple[str, ...]:
    """Return the steps after the last one whose output is there and not stale."""
    outputs = (paths.archive, paths.unpacked, paths.study)
    stale = _stale(paths)
    done = 0
    for number, (step, output) in enumerate(zip(STEPS, outputs, strict=True), start=1):
        if output.exists() and step not in stale:
            done = number
    return STEPS[done:]


def _download(url: str, paths: FetchedPaths, options: DownloadOptions, progress: Progress) -> None:
    def accept(part: Path) -> None:
        check_archive(part)
        left = {UNPACK: paths.unpacked, READ: paths.study}
        _set_stale(paths, {step for step, output in left.items() if output.exists()})

    try:
        paths.archive.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{paths.archive.parent}: {error.strerror or error}") from error
    download(
        url,
        paths.archive,
        begins_with=_ZIP_MEMBER,
        check=accept,
        options=options,
        progress=progress,
    )


def _stale(paths: FetchedPaths) -> set[str]:
    """Return the steps whose outputs come from an archive that has since been replaced."""
    try:
        return set(paths.stale.read_text("utf-8").split())
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _set_stale(paths: FetchedPaths, steps: set[str]) -> None:
    if steps:
        atomic.write_text(paths.stale, "\n".join(sorted(steps)) + "\n")
    else:
        paths.stale.unlink(missing_ok=True)


def _content(folder: Path) -> Path | None:
    """Return the folder with the table: the unpacked one, or the only such folder within it."""
    if any(find_table(folder, name) for name in TABLE_NAMES):
        return folder
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    within = [inner for inner in inside if any(find_table(inner, name) for name in TABLE_NAMES)]
    return within[0] if len(within) == 1 else None


def _report(
    dataset: str, url: str, paths: FetchedPaths, steps: tuple[str, ...], notes: tuple[str, ...]
) -> FetchReport:
    study = Study.open(paths.study)
    size, digest = _fingerprint(paths.archive)
    if not steps:
        notes = ("everything was there already; --overwrite begins anew",)
    return FetchReport(
        dataset=dataset,
        url=url,
        study=paths.study,
        steps=steps,
        archive_bytes=size,
        sha256=digest,
        participants=study.participants.num_rows,
        images=study.images.num_rows,
        samples=len(study),
        skipped_rows=study.info.skipped_rows,
        notes=(*notes, NOTICE),
    )


def _fingerprint(archive: Path) -> tuple[int | None, str | None]:
    """Return an archive's size in bytes and its SHA-256, or None twice where it is gone."""
    if not archive.is_file():
        return None, None
    with archive.open("rb") as file:
        return archive.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
