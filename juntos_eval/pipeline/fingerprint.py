"""A fingerprint of the code that a step runs, so that changed code makes its results stale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__all__ = ["fingerprint"]

_PACKAGE = Path(__file__).parents[1]
_SUFFIXES = {".py", ".csv", ".toml", ".html", ".css", ".js", ".json"}


def fingerprint(rooms: Iterable[str]) -> str:
    """Return the SHA-256 of the files of some rooms of the package.

    Parameters
    ----------
    rooms : iterable of str
        Folders or modules of ``juntos_eval``, such as ``surveys`` or ``arrays.py``.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> from juntos_eval.pipeline.fingerprint import fingerprint
    >>> fingerprint(["errors.py"]) == fingerprint(["errors.py"])
    True
    """
    return hashlib.sha256("".join(_room(room) for room in sorted(set(rooms))).encode()).hexdigest()


@cache
def _room(room: str) -> str:
    place = _PACKAGE / room
    files = [place] if place.is_file() else sorted(place.rglob("*"))
    content = hashlib.sha256()
    for path in files:
        if path.suffix in _SUFFIXES and path.is_file():
            content.update(path.relative_to(_PACKAGE).as_posix().encode())
            content.update(path.read_bytes())
    return content.hexdigest()
