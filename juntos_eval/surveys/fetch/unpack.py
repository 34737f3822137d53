"""From a zip of the portal to data files in the layout of a raw folder."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog import CatalogFile
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.extract import MemberRule, extract_all, extract_member, pick_member
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.source import SURVEYS, TableSource, load_source

__all__ = ["Unpacked", "folder_of", "member_rules", "unpack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of a zip.

    Attributes
    ----------
    files : tuple of Path
    absent : tuple of str
        Tables that are declared in the module and that this zip does not hold, with the reason.
    """

    files: tuple[Path, ...]
    absent: tuple[str, ...] = ()


def folder_of(root: Path, file: CatalogFile) -> Path:
    """Return where the data files of a zip go: ``<root>/<survey>/<year>``, of the poverty map by department.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.catalog import published
    >>> from juntos_eval.surveys.fetch.unpack import folder_of
    >>> folder_of(Path("data_raw"), published("enaho", years=(2012,))[0]).as_posix()
    'data_raw/enaho/2012'
    """
    folder = root / file.survey / str(file.year)
    return folder / file.code if file.survey == "poverty_map" else folder


def unpack(archive: Path, file: CatalogFile, root: Path) -> Unpacked:
    """Take the data files of a zip out into the raw folder.

    Of a module with declared tables, the member of each by name **and** needed variables; of any other module
    all data files. A member that has the variables under another name gets the name declared.

    Parameters
    ----------
    archive : Path
    file : CatalogFile
    root : Path
        The raw folder.

    Returns
    -------
    Unpacked

    Raises
    ------
    SourceError
        If no declared table is in the zip, or a member wanted is damaged or encrypted.
    """
    folder = folder_of(root, file)
    rules = member_rules(file)
    if not rules:
        made = extract_all(archive, folder)
        if not made:
            raise SourceError(
                "The archive holds no data file", where=str(archive), remedy="look at what INEI publishes now"
            )
        return Unpacked(files=made)
    made_by_name: dict[str, Path] = {}
    refusals: list[SourceError] = []
    for names, rule in rules:
        try:
            member = pick_member(archive, rule, column_names)
        except SourceError as error:
            refusals.append(error)
            continue
        own_name = PurePosixPath(member).name
        name = own_name if rule.rank(member) == 0 else names[0]
        if name not in made_by_name:
            made_by_name[name] = extract_member(archive, member, folder / name)
    if not made_by_name:
        raise refusals[0]
    return Unpacked(files=tuple(made_by_name.values()), absent=tuple(error.what for error in refusals))


def member_rules(file: CatalogFile) -> tuple[tuple[tuple[str, ...], MemberRule], ...]:
    """Return, for each declared table of a module, its file names and the rule that finds its member.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog import published
    >>> from juntos_eval.surveys.fetch.unpack import member_rules
    >>> module = published("enaho", years=(2019,), modules=("34",), formats=("STATA",))[0]
    >>> names, rule = member_rules(module)[0]
    >>> names, "pobreza" in rule.needs
    (('sumaria-2019.dta',), True)
    """
    if file.survey not in SURVEYS:
        return ()
    source = load_source(file.survey)
    tables = [
        table
        for table in source.tables.values()
        if source.module(table.name, file.year) == file.module and table.producer == source.producer
    ]
    return tuple(_rule(file, table) for table in tables)


def _rule(file: CatalogFile, table: TableSource) -> tuple[tuple[str, ...], MemberRule]:
    stems = dict.fromkeys(PurePosixPath(name).stem for name in table.names(file.year))
    names = tuple(f"{stem}{file.suffix}" for stem in stems)
    exact = "|".join(re.escape(name) for name in names)
    needs = _needed(file, table.name)
    # a name that drifted is found by its variables; without any that it must have, a guess would be blind
    patterns = (exact, rf".*\{file.suffix}") if needs else (exact,)
    return names, MemberRule(patterns=patterns, needs=needs)


def _needed(file: CatalogFile, table: str) -> tuple[str, ...]:
    codebook = load_codebook(file.survey)
    if not codebook.maps(table, file.year):
        return ()
    columns = codebook.columns_of(table, file.year)
    # the year's own column arrives mangled, a different way each time
    return tuple(
        column.raw[str(file.year)] for column in columns if column.is_needed and column.name != "year"
    )


def room_for(archive: Path, root: Path) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises
    ------
    SourceError
        If less is free than twice the zip.
    """
    free, needed = shutil.disk_usage(root).free, 2 * archive.stat().st_size
    if free < needed:
        raise SourceError(
            f"The disk is full: {free:,} bytes are free, unpacking wants {needed:,}",
            where=str(root),
            remedy="make room, then give the same command",
        )
