"""The manifest of a synthetic folder: what vouches for its files, kept when more are written beside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from juntos_eval.paths import MANIFEST, write_atomically

__all__ = ["add_to_manifest"]


def add_to_manifest(folder: Path, counts: Mapping[Path, int]) -> Path:
    """State rows, bytes and sha256 of files; what the manifest says of other files is kept.

    Parameters
    ----------
    folder : Path
    counts : mapping of Path to int
        Rows by file.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.manifest import add_to_manifest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("x")
    ...     text = add_to_manifest(Path(folder), {Path(folder) / "a.csv": 1}).read_text()
    >>> text.splitlines()[:3]
    ['synthetic = true', '', '[files."a.csv"]']
    """
    place = folder / MANIFEST
    before = place.read_text(encoding="utf-8") if place.is_file() else "synthetic = true\n"
    kept = _without(before, [path.relative_to(folder).as_posix() for path in counts])
    lines = [kept.rstrip()]
    for path, rows in counts.items():
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        lines += ["", f'[files."{path.relative_to(folder).as_posix()}"]']
        lines += [f"rows = {rows}", f"bytes = {path.stat().st_size}", f'sha256 = "{digest}"']
    return write_atomically(place, "\n".join(lines) + "\n")


def _without(manifest: str, names: list[str]) -> str:
    """Take the sections of some files out of a manifest."""
    sections = manifest.split("\n[files.")
    heads = {f'"{name}"]' for name in names}
    return "\n[files.".join(part for part in sections if part.split("\n", 1)[0] not in heads)
