"""Zip archives of a publisher: which member is wanted, and nothing written outside the place given."""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from juntos_eval.errors import SourceError
from juntos_eval.paths import atomic_path

__all__ = [
    "ANY_DATA",
    "DATA_SUFFIXES",
    "LIMITS",
    "Limits",
    "MemberRule",
    "check_archive",
    "extract_all",
    "extract_member",
    "lent_member",
    "pick_member",
]

DATA_SUFFIXES: Final = (".dta", ".sav", ".zsav", ".csv", ".dbf", ".tab", ".parquet")

_CHUNK: Final = 1 << 20
_FETCH_AGAIN: Final = "delete it and fetch it again"
_ODD: Final = "do not use this file; ask its publisher for a sound one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an honest archive of survey files stays below.

    Attributes
    ----------
    ratio : float
        Unpacked over packed bytes of a member.
    member_bytes, total_bytes : int
        Unpacked, of one member and of all.
    members : int

    Examples
    --------
    >>> from juntos_eval.surveys.extract import Limits
    >>> Limits(members=10).ratio
    200.0
    """

    ratio: float = 200.0
    member_bytes: int = 8_000_000_000
    total_bytes: int = 40_000_000_000
    members: int = 5_000


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRule:
    r"""Which member of an archive holds a table: its name **and** the variables that it must have.

    Attributes
    ----------
    patterns : tuple of str
        Regular expressions of the whole file name without folders, the preferred first; case does not count.
    needs : tuple of str
        Variables without which it is another table: ``sumaria-2019-12.dta`` has no ``pobreza``.

    Examples
    --------
    >>> from juntos_eval.surveys.extract import MemberRule
    >>> rule = MemberRule(patterns=(r"sumaria-2019\.dta", r"sumaria-2019.*\.dta"), needs=("pobreza",))
    >>> rule.rank("687-Modulo34/Sumaria-2019-12.dta"), rule.rank("Diccionario.pdf")
    (1, None)
    """

    patterns: tuple[str, ...]
    needs: tuple[str, ...] = ()

    def rank(self, member: str) -> int | None:
        """Return the place of the first pattern that a name fits, None where none does."""
        name = PurePosixPath(member).name
        for place, pattern in enumerate(self.patterns):
            if re.fullmatch(pattern, name, flags=re.IGNORECASE):
                return place
        return None


#: Any data file, whatever it is called.
ANY_DATA: Final = MemberRule(patterns=tuple(rf".*\{suffix}" for suffix in DATA_SUFFIXES))


def check_archive(path: Path, limits: Limits = LIMITS) -> tuple[zipfile.ZipInfo, ...]:
    """Return the files of an archive, none of which may lead out of the place where it is unpacked.

    Parameters
    ----------
    path : Path
    limits : Limits

    Returns
    -------
    tuple of zipfile.ZipInfo
        Folders are left out.

    Raises
    ------
    SourceError
        If it is a web page, cut, no zip, or holds absolute or climbing names, links, two members of one
        name, or more than the limits allow.
    """
    with _opened(path) as archive:
        members = tuple(info for info in archive.infolist() if not info.is_dir())
    if not members:
        raise SourceError("The zip archive is empty", where=str(path), remedy=_FETCH_AGAIN)
    if len(members) > limits.members:
        raise SourceError(
            f"The zip archive has {len(members):,} members, at most {limits.members:,} are allowed",
            where=str(path),
            remedy=_ODD,
        )
    seen: set[str] = set()
    for info in members:
        _check_name(path, info)
        _check_size(path, info, limits)
        if info.filename.casefold() in seen:
            raise SourceError(f"Two members are named {info.filename}", where=str(path), remedy=_ODD)
        seen.add(info.filename.casefold())
    total = sum(info.file_size for info in members)
    if total > limits.total_bytes:
        raise SourceError(
            f"Unpacked the archive would fill {total:,} bytes, at most {limits.total_bytes:,} are allowed",
            where=str(path),
            remedy=_ODD,
        )
    return members


def extract_member(path: Path, member: str, target: Path, limits: Limits = LIMITS) -> Path:
    """Unpack one member, whole or not at all; damage in another member does not matter.

    Parameters
    ----------
    path : Path
    member : str
        Its name in the archive.
    target : Path
        The file to write; an existing one is replaced only by a whole one.
    limits : Limits

    Returns
    -------
    Path

    Raises
    ------
    SourceError
        If the member is not there, encrypted, damaged (its checksum differs), or longer than it announces.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.extract import extract_member
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.zip"
    ...     with zipfile.ZipFile(path, "w") as archive:
    ...         archive.writestr("280-Modulo02/a.csv", "A,B")
    ...     extract_member(path, "280-Modulo02/a.csv", Path(folder) / "a.csv").read_text()
    'A,B'
    """
    found = [info for info in check_archive(path, limits) if info.filename == member]
    if not found:
        raise SourceError(f"The archive has no member {member}", where=str(path), remedy=_FETCH_AGAIN)
    if found[0].flag_bits & 0x1:
        raise SourceError(
            f"The member {member} is encrypted",
            where=str(path),
            remedy="unpack it by hand with the password and put the data file in its place",
        )
    try:
        with _opened(path) as archive, archive.open(found[0]) as source, atomic_path(target) as partial:
            _copy(source, partial, found[0].file_size)
    except NotImplementedError as error:
        raise SourceError(
            f"The member {member} is packed in a way that cannot be unpacked here: {error}",
            where=str(path),
            remedy="unpack it by hand (7-Zip reads Deflate64) and put the data file in its place",
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(
            f"The member {member} is damaged: {error}", where=str(path), remedy=_FETCH_AGAIN
        ) from error
    return target


def _copy(source: IO[bytes], partial: Path, announced: int) -> None:
    written = 0
    with partial.open("wb") as sink:
        while written <= announced and (piece := source.read(_CHUNK)):
            written += len(piece)
            sink.write(piece)
    if written != announced:
        raise EOFError(f"{written:,} bytes, announced are {announced:,}")


def extract_all(
    path: Path, folder: Path, limits: Limits = LIMITS, *, keeps_folders: bool = False
) -> tuple[Path, ...]:
    """Unpack every data file of an archive into one folder.

    Parameters
    ----------
    path, folder : Path
    limits : Limits
    keeps_folders : bool
        Whether the archive's own folders are made again below it.

    Returns
    -------
    tuple of Path
        In the archive's order.

    Raises
    ------
    SourceError
        As ``extract_member``; or if two data files of the archive have one name.
    """
    wanted = [
        info.filename for info in check_archive(path, limits) if ANY_DATA.rank(info.filename) is not None
    ]
    names = wanted if keeps_folders else [PurePosixPath(name).name for name in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(
            f"Data files of different folders have one name: {', '.join(twice[:5])}",
            where=str(path),
            remedy="unpack it by hand and give them different names",
        )
    return tuple(
        extract_member(path, member, folder / name, limits)
        for member, name in zip(wanted, names, strict=True)
    )


def pick_member(
    path: Path, rule: MemberRule, columns_of: Callable[[Path], tuple[str, ...]], limits: Limits = LIMITS
) -> str:
    """Return the member that fits a rule: neither the first nor the largest is right by itself.

    Parameters
    ----------
    path : Path
    rule : MemberRule
    columns_of : callable
        Gives the column names of a data file.
    limits : Limits

    Returns
    -------
    str

    Raises
    ------
    SourceError
        If no member fits the name, none has the variables, or several fit equally well.
    """
    ranked = [(rule.rank(info.filename), info.filename) for info in check_archive(path, limits)]
    fitting = sorted((rank, name) for rank, name in ranked if rank is not None)
    if not fitting:
        held = ", ".join(PurePosixPath(name).name for _, name in ranked[:8])
        raise SourceError(
            f"No member of the archive has the name wanted; it holds {held}",
            where=str(path),
            remedy=f"is it the right module and year? Names wanted: {' or '.join(rule.patterns)}",
        )
    lacking: dict[str, list[str]] = {}
    for rank in sorted({rank for rank, _ in fitting}):
        best = []
        for name in (name for of_rank, name in fitting if of_rank == rank):
            if missing := _lacking(path, name, rule.needs, columns_of, limits):
                lacking[name] = missing
            else:
                best.append(name)
        if len(best) > 1:
            raise SourceError(
                f"{len(best)} members fit equally well: {', '.join(best)}",
                where=str(path),
                remedy="unpack by hand the one that is wanted",
            )
        if best:
            return best[0]
    told = "; ".join(f"{PurePosixPath(name).name} lacks {', '.join(of)}" for name, of in lacking.items())
    raise SourceError(
        f"No member has the variables needed: {told}",
        where=str(path),
        remedy="the archive holds another table than its number says: look at what INEI publishes now",
    )


@contextmanager
def lent_member(path: Path, member: str, limits: Limits = LIMITS) -> Iterator[Path]:
    """Lend one member as a file of its own name in a folder that goes away with the block."""
    with tempfile.TemporaryDirectory(prefix="juntos-eval-") as folder:
        yield extract_member(path, member, Path(folder) / PurePosixPath(member).name, limits)


def _lacking(
    path: Path,
    member: str,
    needs: tuple[str, ...],
    columns_of: Callable[[Path], tuple[str, ...]],
    limits: Limits,
) -> list[str]:
    if not needs:
        return []
    with lent_member(path, member, limits) as data_file:
        present = {name.casefold().replace("$", "_") for name in columns_of(data_file)}
    return [name for name in needs if name.casefold().replace("$", "_") not in present]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise SourceError("The zip archive is missing", where=str(path), remedy="fetch it")
    with path.open("rb") as stream:
        head = stream.read(256)
    if (
        head.lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<!doctype html", b"<html", b"<head", b"<?xml"))
    ):
        raise SourceError(
            "The file holds a web page, not a zip: the portal answered an error or a queue",
            where=str(path),
            remedy=f"wait a minute, then {_FETCH_AGAIN}",
        )
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        kind = "half-copied or damaged" if head.startswith(b"PK") else "not a zip archive"
        raise SourceError(
            f"The file is {kind}: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_FETCH_AGAIN,
        ) from error
    with archive:
        yield archive


def _check_name(path: Path, info: zipfile.ZipInfo) -> None:
    # zipfile cuts a name at its first NUL and turns the system's own separator into a slash
    name = info.orig_filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    climbs = ".." in parts or name.startswith("/") or re.match(r"^[A-Za-z]:", name) or "\0" in name
    if climbs:
        raise SourceError(
            f"A member's name leads out of the folder: {info.orig_filename!r}", where=str(path), remedy=_ODD
        )
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise SourceError(f"The member {info.filename} is a link", where=str(path), remedy=_ODD)


def _check_size(path: Path, info: zipfile.ZipInfo, limits: Limits) -> None:
    if info.file_size > limits.member_bytes:
        raise SourceError(
            f"Unpacked {info.filename} would fill {info.file_size:,} bytes, "
            f"at most {limits.member_bytes:,} are allowed",
            where=str(path),
            remedy=_ODD,
        )
    ratio = info.file_size / max(info.compress_size, 1)
    if ratio > limits.ratio and info.file_size > _CHUNK:
        raise SourceError(
            f"{info.filename} unpacks to {ratio:,.0f} times its size, allowed are {limits.ratio:,.0f}",
            where=str(path),
            remedy=_ODD,
        )
