"""The verbs about raw files: what INEI publishes, fetching it, and the examination of what is on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from juntos_eval.cli.console import plain_errors, print_error
from juntos_eval.errors import SourceError

if TYPE_CHECKING:
    from juntos_eval.surveys.catalog import CatalogFile
    from juntos_eval.surveys.catalog_needs import StudyNeed
    from juntos_eval.surveys.fetch import Fetched
    from juntos_eval.surveys.fetch.policy import Progress
    from juntos_eval.surveys.findings import Diagnosis

__all__ = ["catalog", "doctor", "fetch"]

_FORMATS = ("STATA", "SPSS", "CSV", "DBF")  # the preferred first

Years = Annotated[str, typer.Option("--years", help="Such as 2009-2013,2015; all without it.")]
Modules = Annotated[str, typer.Option("--modules", help="Such as 02,34,37; all without it.")]
Folder = Annotated[Path, typer.Option("--data-raw", metavar="FOLDER", help="Where raw files lie.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]


def catalog(
    survey: Annotated[
        str, typer.Argument(help="enaho, enaho_panel, endes, poverty_map or young_lives.")
    ] = "",
    years: Years = "",
    modules: Modules = "",
    data_raw: Folder = Path("data_raw"),
    *,
    as_json: AsJson = False,
) -> None:
    """List what is published, what is on disk, and what each cited study needs.

    Examples:  juntos-eval catalog   ·   juntos-eval catalog enaho --years 2012 --modules 34,37
    """
    with plain_errors():
        from juntos_eval.surveys.catalog import parse_years, published
        from juntos_eval.surveys.catalog_needs import study_needs

        if survey == "young_lives":
            _young_lives(data_raw, as_json=as_json)
            return
        files = published(survey or None, years=parse_years(years), modules=_words(modules))
        needs = study_needs(survey or None)
        if as_json:
            on_disk = _on_disk(data_raw, files)
            zips = [_zip(file, on_disk) for file in files]
            _print_json({"zips": zips, "studies": [_need(need) for need in needs]})
        elif survey and (years or modules):
            Console(soft_wrap=True).print(_modules_table(files, _on_disk(data_raw, files)))
        else:
            Console(soft_wrap=True).print(_editions_table(files, _on_disk(data_raw, files)))
            if not (survey or years or modules):
                Console(soft_wrap=True).print(_studies_table(data_raw))
            Console(soft_wrap=True).print(_needs_table(needs))


def fetch(
    survey: Annotated[str, typer.Argument(help="enaho, enaho_panel, endes, poverty_map or young_lives.")],
    years: Years = "",
    modules: Modules = "",
    file_format: Annotated[
        str, typer.Option("--format", help="STATA, SPSS or CSV; without it the first of these that exists.")
    ] = "",
    data_raw: Folder = Path("data_raw"),
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Also what is there, to see whether INEI issued it anew.")
    ] = False,
    take_reissues: Annotated[
        bool, typer.Option("--take-reissues", help="Replace what is there by a new edition.")
    ] = False,
) -> None:
    """Fetch zips from INEI's portal and put their data files into the raw folder.

    Of Young Lives, say how to get the files, and unpack those that were placed by hand.

    Example:  juntos-eval fetch enaho --years 2009-2013 --modules 02,34,37
    """
    with plain_errors():
        from juntos_eval.surveys.catalog import parse_years, published
        from juntos_eval.surveys.fetch import fetch as fetch_zips
        from juntos_eval.surveys.fetch import how_to_get, unpack_deposits

        if survey in {"young_lives", "young-lives"}:
            made = unpack_deposits(data_raw)
            typer.echo(f"{len(made)} files unpacked below {data_raw}" if made else how_to_get(data_raw))
            return
        formats = (file_format,) if file_format else ()
        listed = published(survey, years=parse_years(years), modules=_words(modules), formats=formats)
        files = _one_format(listed)
        if not years and survey != "poverty_map":
            raise SourceError(
                f"All years of {survey} would be {len(files):,} zips",
                remedy="name the years, such as --years 2009-2013, and if need be --modules",
            )
        with _bar(len(files)) as progress:
            done = list(
                fetch_zips(files, data_raw, progress=progress, is_again=again, takes_reissues=take_reissues)
            )
        _say_what_came(done)
        if any(zip_.outcome in {"failed", "reissued"} for zip_ in done):
            raise typer.Exit(code=2)


def doctor(
    data_raw: Annotated[
        Path, typer.Option("--data-raw", metavar="FOLDER|TOML", help="Raw files to look at.")
    ] = Path("data_raw"),
    root: Annotated[Path, typer.Option("--root", help="Folder in which data_clean/ lies.")] = Path(),
    *,
    as_json: AsJson = False,
) -> None:
    """Look at raw files and clean tables: what is missing, stale, cut, damaged or of another edition.

    Exit code 0: sound; 1: something is missing or stale; 2: a file would give wrong numbers.
    """
    with plain_errors():
        from juntos_eval.paths import SYNTHETIC_RUN, RawFolder, RunPaths
        from juntos_eval.surveys.doctor import examine

        raw = RawFolder.at(data_raw)
        run = RunPaths(root=root, run=SYNTHETIC_RUN if raw.is_synthetic else "real")
        diagnosis = examine(raw, run.data_clean)
        _print_json(diagnosis.to_record()) if as_json else _print_diagnosis(diagnosis)
    raise typer.Exit(code=diagnosis.exit_code)


def _young_lives(data_raw: Path, *, as_json: bool) -> None:
    from juntos_eval.surveys.catalog_needs import study_needs
    from juntos_eval.surveys.catalog_young_lives import deposited_files, names_on_disk
    from juntos_eval.surveys.fetch import how_to_get

    on_disk = names_on_disk(data_raw / "young_lives")
    files = [
        {
            "study": file.study,
            "round": file.round,
            "cohort": file.cohort,
            "file": file.stem,
            "id": file.id_rule,
            "on_disk": on_disk.get(file.stem.lower(), ""),
        }
        for file in deposited_files()
    ]
    needs = study_needs("young_lives")
    if as_json:
        _print_json({"files": files, "studies": [_need(need) for need in needs]})
        return
    table = Table("study", "round", "cohort", "file", "on disk", title="Held by the UK Data Service")
    for file in files:
        table.add_row(*(str(file[name]) for name in ("study", "round", "cohort", "file", "on_disk")))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(_needs_table(needs))
    typer.echo(how_to_get(data_raw))


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _one_format(files: tuple[CatalogFile, ...]) -> tuple[CatalogFile, ...]:
    """Keep of each module the format that is preferred."""
    best: dict[tuple[str, str], CatalogFile] = {}
    for file in sorted(files, key=lambda file: _FORMATS.index(file.file_format)):
        best.setdefault((file.code, file.module), file)
    return tuple(file for file in files if best[file.code, file.module] is file)


def _on_disk(root: Path, files: tuple[CatalogFile, ...]) -> dict[str, tuple[str, ...]]:
    """Return the data files of each zip that are there."""
    from juntos_eval.surveys.fetch import Ledger
    from juntos_eval.surveys.fetch.on_disk import files_on_disk

    ledger = Ledger.read(root)
    found = {f"{file.survey}/{file.stored_name}": files_on_disk(root, file, ledger) for file in files}
    return {key: names for key, names in found.items() if names}


def _files_there(file: CatalogFile, on_disk: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return on_disk.get(f"{file.survey}/{file.stored_name}", ())


def _zip(file: CatalogFile, on_disk: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "survey": file.survey,
        "year": file.year,
        "period": file.period,
        "module": file.module,
        "title": file.title,
        "format": file.file_format,
        "url": file.address(),
        "rows": file.rows,
        "is_listed": file.is_listed,
        "on_disk": list(_files_there(file, on_disk)),
    }


def _need(need: StudyNeed) -> dict[str, Any]:
    return {
        "study": need.study,
        "survey": need.survey,
        "years": list(need.years),
        "access": need.access,
        "files": need.files,
    }


def _editions_table(files: tuple[CatalogFile, ...], on_disk: dict[str, tuple[str, ...]]) -> Table:
    table = Table("survey", "year", "code", "modules", "formats", "on disk", title="Published by INEI")
    editions: dict[tuple[str, int], list[CatalogFile]] = {}
    for file in files:
        editions.setdefault((file.survey, file.year), []).append(file)
    for (survey, year), of in editions.items():
        codes = list(dict.fromkeys(file.code for file in of))
        table.add_row(
            survey,
            str(year),
            codes[0] if len(codes) == 1 else f"{codes[0]} … {codes[-1]}",
            str(len({file.module for file in of})),
            " ".join(dict.fromkeys(file.file_format for file in of)),
            str(sum(bool(_files_there(file, on_disk)) for file in of) or ""),
        )
    return table


def _studies_table(data_raw: Path) -> Table:
    """Return the studies of Young Lives, which are placed by hand, and how many of their files are there."""
    from juntos_eval.paths import RawFolder
    from juntos_eval.surveys.young_lives import missing_files
    from juntos_eval.surveys.young_lives.study_files import load_deposit

    deposit = load_deposit()
    lost = missing_files(RawFolder(root=data_raw))
    table = Table("study", "title", "files read", "on disk", title="Young Lives, of the UK Data Service")
    for number, title in sorted(deposit.studies.items()):
        files = [file for file in deposit.files if file.study == number]
        there = sum(file not in lost for file in files)
        table.add_row(str(number), title, str(len(files)), str(there or ""))
    return table


def _modules_table(files: tuple[CatalogFile, ...], on_disk: dict[str, tuple[str, ...]]) -> Table:
    table = Table("year", "module", "title", "formats", "rows", Column("on disk", overflow="fold"))
    modules: dict[tuple[str, str], list[CatalogFile]] = {}
    for file in files:
        modules.setdefault((file.code, file.module), []).append(file)
    for of in modules.values():
        first = of[0]
        unsure = "" if first.is_listed else " (address built, not listed)"
        table.add_row(
            str(first.year) if first.survey != "poverty_map" else f"{first.year} {first.period}",
            first.module,
            first.title + unsure,
            " ".join(file.file_format for file in of),
            f"{first.rows:,}" if first.rows is not None else "",
            ", ".join(name for file in of for name in _files_there(file, on_disk)),
        )
    return table


def _needs_table(needs: tuple[StudyNeed, ...]) -> Table:
    table = Table("study", "survey", "years", "access", title="What the cited studies used")
    for need in needs:
        table.add_row(need.study, need.survey, _spans(need.years) or "not stated", need.access)
    return table


def _spans(years: tuple[int, ...]) -> str:
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _print_diagnosis(diagnosis: Diagnosis) -> None:
    console = Console(soft_wrap=True)
    for found in diagnosis.findings:
        style = "bold red" if found.is_error else "yellow"
        console.print(f"{found.kind}: {found.path}", style=style, markup=False, highlight=False)
        console.print(f"    {found.what}. {found.remedy}.", markup=False, highlight=False)
    looked_at = f"{diagnosis.raw_files} raw files and {diagnosis.clean_tables} clean tables looked at"
    verdict = {0: "sound", 1: "something is missing or stale", 2: "some would give wrong numbers"}
    console.print(f"{looked_at}: {verdict[diagnosis.exit_code]}.", markup=False, highlight=False)


def _say_what_came(done: list[Fetched]) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for zip_ in done:
        if zip_.error is not None:
            print_error(zip_.error, step=f"{zip_.file.survey} {zip_.file.year} {zip_.file.module}")
        for note in zip_.notes:
            console.print(f"Note on {zip_.file.zip_name}: {note}", style="yellow", markup=False)
    outcomes = [zip_.outcome for zip_ in done]
    told = (f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))
    console.print(f"{len(done)} zips: {', '.join(told)}.", markup=False)


@contextmanager
def _bar(zips: int) -> Iterator[Progress]:
    """Show a bar of the zip on its way; none where the error stream is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task("waiting for the portal")
        seen: dict[str, None] = {}

        def show(name: str, done: int, total: int | None) -> None:
            seen.setdefault(name)
            bar.update(task, description=f"{name} ({len(seen)} of {zips})", completed=done, total=total)

        yield show
