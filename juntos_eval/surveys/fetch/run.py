"""A fetch: from what was asked for to files in the raw folder, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import filelock
import requests

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog import CatalogFile
from juntos_eval.surveys.fetch.ledger import Ledger, Record
from juntos_eval.surveys.fetch.policy import NO_PROGRESS, Pacer, Policy, Progress
from juntos_eval.surveys.fetch.session import open_session
from juntos_eval.surveys.fetch.transfer import Arrived, download, settle
from juntos_eval.surveys.fetch.unpack import Unpacked, room_for, unpack
from juntos_eval.surveys.read import sha256_of

__all__ = ["ZIPS", "Fetched", "fetch"]

#: Folder of the zips as they came, below the raw folder.
ZIPS: Final = "zips"

_LOCK: Final = ".fetch.lock"

#: ``fetched``; ``there``: nothing to do; ``reissued``: INEI changed it; ``failed``.
Outcome = Literal["fetched", "there", "reissued", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of one zip.

    Attributes
    ----------
    file : CatalogFile
    outcome : str
        ``fetched``, ``there`` (nothing to do), ``reissued`` (another edition than the one seen first; what is
        on disk stays) or ``failed``.
    files : tuple of str
        Data files below the raw folder.
    notes : tuple of str
        Declared tables that are not in it.
    error : SourceError or None
        Why it failed, or what a re-issue is.
    """

    file: CatalogFile
    outcome: Outcome
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: SourceError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all zips of a fetch share."""

    root: Path
    policy: Policy
    pacer: Pacer
    progress: Progress
    is_again: bool
    takes_reissues: bool
    today: str


def fetch(
    files: tuple[CatalogFile, ...],
    root: Path,
    *,
    policy: Policy | None = None,
    progress: Progress = NO_PROGRESS,
    is_again: bool = False,
    takes_reissues: bool = False,
) -> Iterator[Fetched]:
    """Fetch zips, unpack what is wanted of them, and write down what was seen.

    A zip is kept as ``<root>/zips/<survey>/<code>-Modulo<MM>.<FORMAT>.zip``, its data files as
    ``<root>/<survey>/<year>/<file>``, and the sha256 of both in ``<root>/fetched.json``. What is there with
    the sha256 written down is not fetched again. A failure of one zip does not stop the others.

    Parameters
    ----------
    files : tuple of CatalogFile
    root : Path
        The raw folder.
    policy : Policy, optional
    progress : Progress, optional
    is_again : bool
        Fetch also what is there, to see whether INEI issued it anew.
    takes_reissues : bool
        Replace what is there by a new edition; else a new edition is named and left aside.

    Yields
    ------
    Fetched

    Raises
    ------
    SourceError
        If another process fetches into the same folder, or the disk is full.
    """
    root.mkdir(parents=True, exist_ok=True)
    policy = policy or Policy()
    run = _Run(
        root=root,
        policy=policy,
        pacer=Pacer(policy),
        progress=progress,
        is_again=is_again,
        takes_reissues=takes_reissues,
        today=datetime.now(UTC).date().isoformat(),
    )
    with _alone(root), open_session() as session:
        for file in files:
            yield _fetch_one(file, run, session)


def _fetch_one(file: CatalogFile, run: _Run, session: requests.Session) -> Fetched:
    key = f"{file.survey}/{file.stored_name}"
    ledger = Ledger.read(run.root)
    known = ledger.records.get(key)
    target = run.root / ZIPS / file.survey / file.stored_name
    if known is not None and not run.is_again and _is_sound(known, run.root):
        return Fetched(file=file, outcome="there", files=tuple(known.files))
    try:
        if known is not None and not run.is_again and _has(target, known.sha256):
            return _unpack(file, target, known, run, key)
        urls = tuple(file.address(host) for host in run.policy.hosts)
        arrived = download(session, urls, target, run.policy, run.pacer, run.progress)
        if known is not None and arrived.sha256 != known.sha256 and not run.takes_reissues:
            return _set_aside(file, arrived, target, known)
        return _unpack(file, settle(arrived, target), _record(arrived, run.today), run, key)
    except SourceError as error:
        if "disk is full" in error.what:
            raise
        return Fetched(file=file, outcome="failed", error=error)


def _unpack(file: CatalogFile, target: Path, record: Record, run: _Run, key: str) -> Fetched:
    room_for(target, run.root)
    made: Unpacked = unpack(target, file, run.root)
    names = {path.relative_to(run.root).as_posix(): sha256_of(path) for path in made.files}
    # read again: the ledger on disk may have grown while this zip came
    ledger = Ledger.read(run.root).with_record(key, replace(record, files=names))
    ledger.write(run.root)
    return Fetched(file=file, outcome="fetched", files=tuple(names), notes=made.absent)


def _set_aside(file: CatalogFile, arrived: Arrived, target: Path, known: Record) -> Fetched:
    aside = target.with_name(f"{target.stem}.reissued-{arrived.sha256[:8]}.zip")
    settle(arrived, aside)
    return Fetched(
        file=file,
        outcome="reissued",
        files=tuple(known.files),
        error=SourceError(
            f"INEI issued {file.zip_name} ({file.file_format}) anew: sha256 {arrived.sha256[:12]}…, "
            f"{arrived.size_bytes:,} bytes; first seen {known.first_seen} with {known.sha256[:12]}…, "
            f"{known.size_bytes:,} bytes",
            where=str(aside),
            remedy="what is on disk stays; compare the two, then fetch with --take-reissues to replace it",
        ),
    )


def _record(arrived: Arrived, today: str) -> Record:
    return Record(
        url=arrived.url,
        sha256=arrived.sha256,
        first_seen=today,
        last_modified=arrived.last_modified,
        size_bytes=arrived.size_bytes,
    )


def _is_sound(record: Record, root: Path) -> bool:
    return bool(record.files) and all(_has(root / name, sha256) for name, sha256 in record.files.items())


def _has(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it when the process ends, however it ends."""
    lock = filelock.FileLock(root / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise SourceError(
            "Another process is fetching into this folder",
            where=str(root),
            remedy="wait until it is done, or name another folder",
        ) from error
    try:
        yield
    finally:
        lock.release()
