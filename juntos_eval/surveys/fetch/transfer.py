"""One zip from the portal to a file: resumed where it broke, retried with patience, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from juntos_eval.errors import SourceError
from juntos_eval.paths import write_atomically
from juntos_eval.surveys.extract import check_archive
from juntos_eval.surveys.fetch.policy import Pacer, Policy, Progress
from juntos_eval.surveys.fetch.session import request
from juntos_eval.surveys.read import sha256_of

__all__ = ["Arrived", "download"]

_ZIP: Final = b"PK\x03\x04"
#: What a broken connection loses at most.
_CHUNK: Final = 1 << 13
_THROTTLED: Final = frozenset({429, 503})
_TRANSIENT: Final = frozenset({408, 500, 502, 504})
_GONE: Final = frozenset({403, 404, 410})
_LONGEST_RETRY_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A zip that came whole.

    Attributes
    ----------
    part : Path
        Still under its temporary name.
    url, sha256, last_modified : str
    size_bytes : int
    """

    part: Path
    url: str
    sha256: str
    last_modified: str
    size_bytes: int


class _RetryError(Exception):
    """Try again after a pause."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


class _GoneError(Exception):
    """A host will not give it."""


def download(
    session: requests.Session,
    urls: tuple[str, ...],
    target: Path,
    policy: Policy,
    pacer: Pacer,
    progress: Progress,
) -> Arrived:
    """Fetch a zip from the first address that gives it.

    What arrives is written to ``<target>.part``. A later call goes on where it broke if the portal names the
    edition (``ETag`` or ``Last-Modified``) and it is the same; else it starts again.

    Parameters
    ----------
    session : requests.Session
    urls : tuple of str
        The same file at several hosts.
    target : Path
    policy : Policy
    pacer : Pacer
    progress : Progress

    Returns
    -------
    Arrived
        The caller renames it.

    Raises
    ------
    SourceError
        If no host gives a sound zip, with what each did.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    refusals = []
    for url in urls:
        try:
            return _from_host(session, url, part, policy, pacer, progress)
        except _GoneError as error:
            refusals.append(f"{url}: {error}")
    raise SourceError(
        f"{target.name} cannot be fetched: {'; '.join(refusals)}",
        where=str(target),
        remedy="what has arrived is kept and the same command goes on; else open the address in a browser",
    )


def _from_host(
    session: requests.Session, url: str, part: Path, policy: Policy, pacer: Pacer, progress: Progress
) -> Arrived:
    reason = ""
    for attempt in range(policy.attempts):
        pacer.wait()
        try:
            with request(session, url, _resume_headers(part, url), policy) as response:
                last_modified = _receive(response, url, part, policy, progress)
            _check_whole(part)
        except _RetryError as error:
            reason, pause_s = str(error), error.pause_s
        except requests.RequestException as error:
            reason, pause_s = _in_short(error), None
        except OSError as error:
            raise _cannot_write(part, error) from error
        else:
            return Arrived(
                part=part,
                url=url,
                sha256=sha256_of(part),
                last_modified=last_modified,
                size_bytes=part.stat().st_size,
            )
        if attempt + 1 < policy.attempts:
            policy.sleep(policy.retry_s * 2**attempt if pause_s is None else pause_s)
    raise _GoneError(f"{reason} ({policy.attempts} attempts)")


def _receive(response: requests.Response, url: str, part: Path, policy: Policy, progress: Progress) -> str:
    _check_status(response, part, policy)
    start = part.stat().st_size if response.status_code == 206 else 0
    total = _total_bytes(response, start, part)
    if total is not None and total > policy.max_bytes:
        raise SourceError(
            f"The portal announces {total:,} bytes, at most {policy.max_bytes:,} are taken",
            where=url,
            remedy="look at what the portal serves there",
        )
    if start == 0:
        _remember_edition(part, url, response.headers)
    done = start
    with part.open("ab" if start else "wb") as sink:
        for piece in response.iter_content(_CHUNK):
            if done == 0:
                _check_first_bytes(piece, url, policy)
            sink.write(piece)
            done += len(piece)
            if done > policy.max_bytes:
                raise SourceError(f"The file is longer than {policy.max_bytes:,} bytes", where=url)
            progress(part.name.removesuffix(".part"), done, total)
        sink.flush()
        os.fsync(sink.fileno())
    if done == 0:
        raise _RetryError("an empty answer")
    if total is not None and done < total:
        raise _RetryError(f"the connection broke after {done:,} of {total:,} bytes")
    return response.headers.get("Last-Modified", "")


def _check_status(response: requests.Response, part: Path, policy: Policy) -> None:
    status = response.status_code
    if status in _THROTTLED:
        raise _RetryError(f"the portal is asked too much (HTTP {status})", _retry_after(response, policy))
    if status in _TRANSIENT:
        raise _RetryError(f"the portal failed (HTTP {status})")
    if status in _GONE:
        raise _GoneError(f"not there (HTTP {status})")
    if status == 416:
        _forget(part)
        raise _RetryError("the part kept was of another edition")
    if status not in (200, 206):
        raise _GoneError(f"an answer that is not understood (HTTP {status})")


def _retry_after(response: requests.Response, policy: Policy) -> float:
    asked = response.headers.get("Retry-After", "")
    seconds = float(asked) if re.fullmatch(r"\d{1,6}", asked) else 0.0
    return max(policy.throttled_s, min(seconds, _LONGEST_RETRY_AFTER_S))


def _total_bytes(response: requests.Response, start: int, part: Path) -> int | None:
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        if found is None or int(found[1]) != start:
            _forget(part)
            raise _RetryError("the portal went on at another byte than asked")
        return None if found[2] == "*" else int(found[2])
    announced = response.headers.get("Content-Length", "")
    return int(announced) if announced.isdigit() else None


def _check_first_bytes(piece: bytes, url: str, policy: Policy) -> None:
    if piece.startswith(_ZIP):
        return
    text = piece[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        raise _RetryError("a web page came under HTTP 200 in place of the zip", policy.throttled_s)
    if piece.startswith(b"PK\x05\x06"):
        raise SourceError("The zip archive is empty", where=url, remedy="ask INEI for the module")
    raise _GoneError(f"no zip but something that starts with {piece[:8]!r}")


def _check_whole(part: Path) -> None:
    """Look for the directory at the end of the zip: a length can lie."""
    try:
        check_archive(part)
    except SourceError as error:
        if "half-copied" not in error.what:
            raise
        _forget(part)
        raise _RetryError("the zip that came was not whole") from error


def _resume_headers(part: Path, url: str) -> dict[str, str]:
    edition = _edition(part)
    if not part.is_file() or part.stat().st_size == 0 or edition.get("url") != url:
        return {}
    validator = edition.get("etag") or edition.get("last_modified")
    if not validator:
        return {}
    return {"Range": f"bytes={part.stat().st_size}-", "If-Range": validator}


def _remember_edition(part: Path, url: str, headers: Mapping[str, str]) -> None:
    etag = headers.get("ETag", "")
    edition = {
        "url": url,
        # a weak one does not promise the same bytes
        "etag": "" if etag.startswith("W/") else etag,
        "last_modified": headers.get("Last-Modified", ""),
    }
    write_atomically(_edition_path(part), json.dumps(edition, indent=2) + "\n")


def _edition(part: Path) -> dict[str, str]:
    try:
        found = json.loads(_edition_path(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _edition_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _edition_path(part).unlink(missing_ok=True)


def settle(arrived: Arrived, target: Path) -> Path:
    """Give what came its own name; the note that resuming needs goes."""
    arrived.part.replace(target)
    _edition_path(arrived.part).unlink(missing_ok=True)
    return target


def _in_short(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer (look at HTTPS_PROXY)"
    if isinstance(error, requests.exceptions.Timeout):
        return "the portal does not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke in the middle"
    return f"the connection failed ({type(error).__name__})"


def _cannot_write(part: Path, error: OSError) -> SourceError:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return SourceError(
        "The disk is full" if is_full else f"The file cannot be written: {error.strerror or error}",
        where=str(part),
        remedy="make room, then give the same command: what has arrived is kept"
        if is_full
        else "look at the folder's rights",
    )
