"""The verbs that run the cited studies again: list, show, run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from juntos_eval.cli.console import plain_errors
from juntos_eval.cli.evidence import Overlay, chosen_overlay
from juntos_eval.errors import DesignError

if TYPE_CHECKING:
    from juntos_eval.studies.run_cited import StudyRun

__all__ = ["app"]

app = typer.Typer(
    name="study",
    help="The cited studies run again: on simulated data, on your files, or on other real data.",
    no_args_is_help=True,
)

StudyId = Annotated[str, typer.Argument(metavar="ID", help="Such as andersen_2015.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(overlay: Overlay = None, *, as_json: AsJson = False) -> None:
    """List every study of the evidence: what can be run, in which ways, and why the others cannot."""
    with plain_errors():
        from juntos_eval.evidence.load import load_records
        from juntos_eval.studies.registry import load_study, runnable, why_not

        rows = []
        for record in load_records(chosen_overlay(overlay)):
            if record.id in runnable():
                study = load_study(record.id)
                ways = ["synthetic", *(["real"] if study.frames else [])]
                rows.append({"id": record.id, "runs": ", ".join(ways), "why_not": ""})
            else:
                rows.append({"id": record.id, "runs": "", "why_not": why_not(record)})
        if as_json:
            _json(rows)
            return
        table = Table("study", "ways to run it", Column("why not", overflow="fold"))
        for row in rows:
            table.add_row(row["id"], row["runs"], row["why_not"])
        console = Console(soft_wrap=True)
        console.print(table)
        console.print(f"{len(runnable())} of {len(rows)} can be run.")


@app.command()
def show(id: StudyId, data_raw: Annotated[Path, typer.Option("--data-raw")] = Path("data_raw")) -> None:  # noqa: A002
    """Show a study's design, the gaps that choices of ours fill, and which files its real mode needs."""
    with plain_errors():
        from juntos_eval.paths import RawFolder
        from juntos_eval.studies.registry import load_study

        study = load_study(id)
        console = Console(soft_wrap=True)
        say = _plain(console)
        say(f"{study.id}: {study.title.en}")
        say(f"design: {study.equation}")
        for question in study.questions:
            planted = question.planted
            say(
                f"question {question.id}: {question.label.en} ({question.units}); planted "
                f"{planted.effect * question.scale:g}, {planted.origin}"
            )
            for one in question.specifications:
                fault = "" if one.is_valid else " (not valid in the simulated world)"
                say(f"    {one.role:<9} {one.id}: {one.label.en}{fault}")
        for line in study.assumptions:
            say(f"assumed: {line}")
        raw = RawFolder.at(data_raw) if data_raw.is_dir() else None
        for need in study.needs:
            found = None if raw is None else need.found(raw)
            where = f"as {' or '.join(need.names)}, into {data_raw / need.folder}"
            state = f"found: {found}" if found else "not found"
            say(f"needs: {need.what} {where}; from {need.source}; {state}")
        if study.frames is None:
            say("real mode: none; the data are not to be had, or the design leaves too much open")
        for line in study.would_change:
            say(f"would change the conclusion: {line}")


@app.command()
def run(  # noqa: PLR0913 - each is a choice of the caller
    id: Annotated[str, typer.Argument(metavar="[ID]", help="Such as andersen_2015; or --all.")] = "",  # noqa: A002
    mode: Annotated[Literal["synthetic", "real"], typer.Option("--mode")] = "synthetic",
    data_raw: Annotated[
        Path, typer.Option("--data-raw", metavar="FOLDER", help="Where raw files lie.")
    ] = Path("data_raw"),
    replications: Annotated[int, typer.Option("--replications", min=0, help="Of the simulation.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 20051,
    overlay: Overlay = None,
    pages: Annotated[
        Path | None, typer.Option("--pages", metavar="FOLDER", help="Write a page a study there.")
    ] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="Every study that has the mode.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a study: synthetic (planted truth) or real (your files).

    Examples:  juntos-eval study run andersen_2015   ·   juntos-eval study run --all --replications 40
    """
    with plain_errors():
        from juntos_eval.studies.run_cited import run_many

        ids = _chosen(id, mode, is_all=is_all)
        raw = _raw(data_raw) if mode != "synthetic" else None
        columns = (
            TextColumn("{task.description}"),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("studies", total=len(ids))
            runs: list[StudyRun] = []
            for name in ids:
                bar.update(task, description=name)

                def told(study: str, done: int, total: int) -> None:
                    bar.update(task, description=f"{study}: question {done} of {total}")

                runs += run_many(
                    (name,), mode=mode, raw=raw, replications=replications, seed=seed,
                    overlay=chosen_overlay(overlay), progress=told,
                )  # fmt: skip
                bar.advance(task)
        if pages is not None:
            _write_pages(runs, pages, chosen_overlay(overlay))
        if as_json:
            _json([_record(one) for one in runs])
        else:
            for one in runs:
                _print(one)
        if all(one.failure for one in runs):
            raise typer.Exit(code=2)


def _chosen(id: str, mode: str, *, is_all: bool) -> tuple[str, ...]:  # noqa: A002
    from juntos_eval.studies.registry import load_study, runnable

    if bool(id) == is_all:
        raise DesignError(
            "name one study, or ask for --all", where="study run", remedy="see `juntos-eval study list`"
        )
    if id:
        load_study(id)
        return (id,)
    studies = [load_study(name) for name in runnable()]
    if mode == "synthetic":
        return runnable()
    return tuple(study.id for study in studies if study.frames)


def _raw(folder: Path) -> Any:
    from juntos_eval.paths import RawFolder

    return RawFolder.at(folder)


def _write_pages(runs: list[StudyRun], folder: Path, overlay: Path | None) -> None:
    from juntos_eval.paths import write_atomically
    from juntos_eval.studies.page import page

    for one in runs:
        write_atomically(folder / f"{one.study}.md", page(one, overlay=overlay))


def _print(run: StudyRun) -> None:
    from juntos_eval.studies.cited_study import MODE_LABELS

    console = Console(soft_wrap=True)
    say = _plain(console)
    say(f"{run.study}  [{MODE_LABELS[run.mode].en}]")
    if run.failure:
        say(f"    gave nothing: {run.failure}")
        return
    if run.recoveries:
        say("SYNTHETIC recovery, in published units:")
    for one in run.recoveries:
        say(f"    {one.question}, {one.specification}{'' if one.is_valid else ' (not valid here)'}")
        fitted = f"{one.replications} of {one.replications + one.failed} samples"
        mean = f"{_number(one.mean)} ± {_number(one.simulation_error)}"
        say(f"        planted {_number(one.truth)}, mean {mean} by simulation, {fitted}")
        say(
            f"        coverage {_percent(one.coverage)}, power {_percent(one.power)}, detectable "
            f"{_number(one.detectable)}, exaggeration {_number(one.exaggeration)}"
        )
    for data in dict.fromkeys(answer.data for answer in run.answers):
        say(f"estimates on {data}:")
        for answer in run.answers:
            if answer.data == data:
                said = f"{_number(answer.value)} [{_number(answer.low)}, {_number(answer.high)}]"
                say(
                    f"    {answer.question}, {answer.specification} ({answer.role}): {said}, "
                    f"{answer.estimate.sample.units:,} units"
                )
    for verdict in run.verdicts:
        compared = f"published {_number(verdict.published)}, ours {_number(verdict.ours)}"
        say(f"    {verdict.verdict}: {verdict.row}, {compared}; {verdict.detail}")
    for line in run.troubles:
        say(f"    could not be fitted: {line}")
    say(f"    {len(run.assumptions)} assumptions fill gaps: `juntos-eval study show {run.study}`, or --json")


def _plain(console: Console) -> Any:
    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False)

    return say


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _record(run: StudyRun) -> dict[str, Any]:
    from juntos_eval.studies.cited_study import MODE_LABELS

    answers = [
        {
            **{item.name: getattr(answer, item.name) for item in fields(answer)},
            "label": answer.label.en,
            "estimate": answer.estimate.to_record(digits=9),
        }
        for answer in run.answers
    ]
    return {
        "study": run.study,
        "mode": run.mode,
        "label": MODE_LABELS[run.mode].en,
        "failure": run.failure,
        "recoveries": [asdict(one) for one in run.recoveries],
        "answers": answers,
        "verdicts": [asdict(one) for one in run.verdicts],
        "assumptions": list(run.assumptions),
        "troubles": list(run.troubles),
    }


def _json(content: Any) -> None:
    typer.echo(json.dumps(_plain_numbers(content), ensure_ascii=False, indent=2))


def _plain_numbers(content: Any) -> Any:
    """JSON has no NaN: null in its place."""
    if isinstance(content, float) and math.isnan(content):
        return None
    if isinstance(content, dict):
        return {key: _plain_numbers(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain_numbers(value) for value in content]
    return content
