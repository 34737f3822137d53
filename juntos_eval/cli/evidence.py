"""The verbs about what the cited studies published."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from juntos_eval.cli.console import plain_errors
from juntos_eval.errors import DesignError

if TYPE_CHECKING:
    from juntos_eval.evidence.record import PublishedNumber, StudyRecord

__all__ = ["app", "chosen_overlay"]

app = typer.Typer(
    name="evidence",
    help="What the cited studies published: numbers, signs, how each was seen, what is missing.",
    no_args_is_help=True,
)

#: Read beside the package's own records where it is there, so that a reader's numbers need no option.
USUAL_OVERLAY = Path("data_raw/evidence")

Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", metavar="FOLDER", help="Your own records; data_raw/evidence where it exists."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
AsBibtex = Annotated[bool, typer.Option("--bibtex", help="Print BibTeX.")]
AsRis = Annotated[bool, typer.Option("--ris", help="Print RIS, for reference managers.")]
Topic = Annotated[str, typer.Option("--topic", help="An outcome domain, such as schooling or nutrition.")]


def chosen_overlay(overlay: Path | None) -> Path | None:
    """Return the overlay asked for, or the usual one where it exists."""
    return USUAL_OVERLAY if overlay is None and USUAL_OVERLAY.is_dir() else overlay


@app.command("list")
def list_(
    topic: Topic = "",
    overlay: Overlay = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_bibtex: AsBibtex = False,
    as_ris: AsRis = False,
) -> None:
    """List the cited studies: design, data, how many numbers and signs were seen.

    Examples:  juntos-eval evidence list --topic schooling   ·   juntos-eval evidence list --bibtex
    """
    with plain_errors():
        form = _one_form(json=as_json, csv=as_csv, bibtex=as_bibtex, ris=as_ris)
        _print_records(_records(overlay, topic), form)


@app.command()
def search(
    words: Annotated[str, typer.Argument(help='Such as "school attendance".')],
    topic: Topic = "",
    overlay: Overlay = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_bibtex: AsBibtex = False,
    as_ris: AsRis = False,
) -> None:
    """Find studies that have every word, the best first.

    Example:  juntos-eval evidence search "school attendance"
    """
    with plain_errors():
        from juntos_eval.evidence.find import search as find

        form = _one_form(json=as_json, csv=as_csv, bibtex=as_bibtex, ris=as_ris)
        hits = find(_records(overlay, topic), words)
        if form:
            _print_records(tuple(hit.record for hit in hits), form)
            return
        console = Console(soft_wrap=True)
        for hit in hits:
            console.print(f"[bold]{hit.record.id}[/bold]  {_short(hit.record.citation, 110)}")
            for passage in hit.passages[:3]:
                console.print(f"    {_short(passage, 130)}", markup=False)
        console.print(f"{len(hits)} studies.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Such as andersen_2015.")],  # noqa: A002
    overlay: Overlay = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show one study: bibliography, design, every published number and sign, what is missing.

    Example:  juntos-eval evidence show andersen_2015
    """
    with plain_errors():
        from juntos_eval.evidence.load import load_record

        record = load_record(id, chosen_overlay(overlay))
        form = _one_form(json=as_json, csv=as_csv)
        if form == "json":
            _json(asdict(record) | {"status": record.status})
        elif form == "csv":
            _csv([_number_cells(record, row) for row in record.results])
        else:
            _print_record(record)


@app.command()
def audit(overlay: Overlay = None, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Recompute stars, p, intervals, shares and sizes from what was printed; list what does not agree."""
    with plain_errors():
        from juntos_eval.evidence.audit import audit_records, audit_row
        from juntos_eval.evidence.pooled import load_reviews

        form = _one_form(json=as_json, csv=as_csv)
        records = _records(overlay, "")
        reviews = load_reviews()
        found = list(audit_records(records))
        found += [one for review in reviews for row in review.results for one in audit_row(row, review.id)]
        rows = [asdict(one) for one in found]
        if form:
            _json(rows) if form == "json" else _csv(rows)
            return
        table = Table("study", "number", "check", "printed", "recomputed", "rounding could explain it")
        for one in found:
            table.add_row(
                one.study, one.row, one.check, one.printed, one.implied, "yes" if one.rounding else "no"
            )
        console = Console(soft_wrap=True)
        console.print(table)
        looked = sum(len(record.results) for record in records) + sum(len(r.results) for r in reviews)
        console.print(f"{len(found)} inconsistencies in {looked} numbers; none was changed.")


@app.command("map")
def map_(overlay: Overlay = None, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Show which component was studied with which outcome, with signs, and what was not studied at all."""
    with plain_errors():
        from juntos_eval.evidence.codings import evidence_map
        from juntos_eval.evidence.vocabulary import DOMAINS

        form = _one_form(json=as_json, csv=as_csv)
        cells = evidence_map(_records(overlay, ""))
        rows = [asdict(cell) | {"studies": " ".join(cell.studies)} for cell in cells]
        if form:
            _json(rows) if form == "json" else _csv(rows)
            return
        table = Table("component", "outcome", "good", "bad", "none", "mixed", "studies", "words only")
        for cell in cells:
            counts = (cell.favourable, cell.unfavourable, cell.none, cell.mixed, len(cell.studies))
            table.add_row(cell.row, cell.domain, *map(str, counts), "yes" if cell.is_qualitative else "")
        console = Console(soft_wrap=True)
        console.print(table)
        gaps = [domain for domain in DOMAINS if domain not in {cell.domain for cell in cells}]
        console.print(f"No study at all: {', '.join(gaps) or 'none'}.")


@app.command()
def template(
    id: Annotated[str, typer.Argument(metavar="ID", help="Such as gaentzsch_2020.")],  # noqa: A002
    folder: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Write FOLDER/ID.yaml; else print it.")
    ] = None,
) -> None:
    """Write a YAML to fill in with the numbers of an article that you have.

    Example:  juntos-eval evidence template gaentzsch_2020 --into data_raw/evidence
    """
    with plain_errors():
        from juntos_eval.evidence.load import load_record
        from juntos_eval.evidence.template import fill_in
        from juntos_eval.paths import write_atomically

        text = fill_in(load_record(id))
        if folder is None:
            typer.echo(text, nl=False)
            return
        path = folder / f"{id}.yaml"
        if path.exists():
            raise DesignError(
                "a template would overwrite what is filled in", where=str(path), remedy="name another folder"
            )
        write_atomically(path, text)
        typer.echo(f"{path}: fill it in; `juntos-eval evidence show {id} --overlay {folder}` checks it")


def _records(overlay: Path | None, topic: str) -> tuple[StudyRecord, ...]:
    from juntos_eval.evidence.find import with_topic
    from juntos_eval.evidence.load import load_records

    records = load_records(chosen_overlay(overlay))
    return with_topic(records, topic) if topic else records


def _one_form(**asked: bool) -> str:
    forms = [name for name, is_asked in asked.items() if is_asked]
    if len(forms) > 1:
        raise DesignError(
            "only one form can be printed at a time", where=" ".join(f"--{form}" for form in forms)
        )
    return forms[0] if forms else ""


def _print_records(records: tuple[StudyRecord, ...], form: str) -> None:
    from juntos_eval.evidence import bibliography

    if form in {"bibtex", "ris"}:
        typer.echo(getattr(bibliography, form)(records), nl=False)
    elif form == "json":
        _json([asdict(record) | {"status": record.status} for record in records])
    elif form == "csv":
        _csv([_line(record) for record in records])
    else:
        table = Table("#", "id", "year", "domain", "design", "data", "seen", "numbers", "signs", "also yours")
        for record in records:
            line = _line(record)
            yours = "yes" if _from_overlay(record) else ""
            shown = (
                "list_order",
                "id",
                "year",
                "domain",
                "family",
                "access",
                "status",
                "impacts",
                "findings",
            )
            table.add_row(*(str(line[name]) for name in shown), yours)
        console = Console(soft_wrap=True)
        console.print(table)
        cited = sum(record.is_cited for record in records)
        console.print(f"{len(records)} studies, {cited} of the cited list; numbers are effects of Juntos.")


def _line(record: StudyRecord) -> dict[str, Any]:
    return {
        "list_order": record.list_order or "",
        "id": record.id,
        "year": record.year or "",
        "domain": record.domain,
        "family": record.design.family + ("" if record.design.verified else " (not verified)"),
        "survey": record.data.survey or "",
        "access": record.data.access,
        "status": record.status,
        "impacts": len(record.impacts),
        "findings": len(record.findings),
        "modes": " ".join(record.reproduction.modes),
        "title": record.title,
    }


def _from_overlay(record: StudyRecord) -> bool:
    marks = {record.provenance, *(row.provenance for row in record.results)}
    return bool((marks | {finding.provenance for finding in record.findings}) - {"package"})


def _print_record(record: StudyRecord) -> None:
    console = Console(soft_wrap=True)
    console.print(f"[bold]{record.id}[/bold] ({record.status})")
    design = f"{record.design.family}, {'verified' if record.design.verified else 'not verified'}"
    for name, text in (
        ("citation", record.citation),
        ("link", record.link),
        ("design", f"{design} ({record.design.basis})"),
        ("data", record.data.survey),
        ("treatment", record.treatment),
        ("comparison", record.comparison),
        ("identification", record.identification),
        ("reproduction", f"{', '.join(record.reproduction.modes)}: {record.reproduction.text}"),
    ):
        if text:
            console.print(f"{name}: {' '.join(text.split())}", markup=False)
    if record.results:
        console.print(_numbers_table(record))
    for finding in record.findings:
        who = f" ({finding.subgroup})" if finding.subgroup else ""
        mark = _mark(finding.provenance)
        console.print(
            f"  {finding.direction}  {finding.outcome}{who}: {finding.strength or ''}{mark}", markup=False
        )
    for item in record.missing:
        console.print(f"missing, {item.kind}: {item.item}", markup=False)
    for note in record.notes:
        console.print(f"note: {note}", markup=False)


def _numbers_table(record: StudyRecord) -> Table:
    table = Table("number", "outcome", "who", Column("value", justify="right"), "error", "n", "units", "seen")
    for row in record.results:
        cells = _number_cells(record, row)
        value = row.estimate if row.estimate is not None else f"{row.range_low} to {row.range_high}"
        error = f"{cells['std_error']} ({cells['std_error_rule']})" if cells["std_error"] else ""
        table.add_row(
            row.id + _mark(row.provenance),
            row.outcome,
            row.subgroup or "",
            f"{value}{row.stars or ''}",
            error,
            str(row.n or ""),
            row.units,
            row.seen,
        )
    return table


def _mark(provenance: str) -> str:
    return "" if provenance == "package" else f"  [{provenance}]"


def _number_cells(record: StudyRecord, row: PublishedNumber) -> dict[str, Any]:
    from math import isnan

    from juntos_eval.evidence.published import standard_error

    se, rule = standard_error(row)
    cells = {"study": record.id, **asdict(row)}
    cells["extra"] = json.dumps(dict(row.extra), ensure_ascii=False) if row.extra else ""
    return cells | {"std_error": "" if isnan(se) else f"{se:.4g}", "std_error_rule": rule}


def _json(content: Any) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, default=dict))


def _csv(rows: list[dict[str, Any]]) -> None:
    sheet = io.StringIO()
    if rows:
        writer = csv.DictWriter(sheet, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    typer.echo(sheet.getvalue(), nl=False)


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
