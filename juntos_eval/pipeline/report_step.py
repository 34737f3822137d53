"""The step from records to tables, figures and the page."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from juntos_eval.pipeline.data_steps import tables_of, years_of
from juntos_eval.pipeline.estimate_steps import record_paths, survey_record
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.records import read_estimates, read_survey
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.reporting.report_input import InputFile, Label, ReportInput, RunFacts, Source
from juntos_eval.studies.comparison import HEADLINE
from juntos_eval.studies.juntos_households import STUDY
from juntos_eval.surveys.provenance import CleanTable, code_version
from juntos_eval.surveys.source import load_source
from juntos_eval.surveys.store import provenance_path, read_table
from juntos_eval.surveys.synthetic.truth import TRUTH_FILE, read_truth

__all__ = ["report_input", "report_step"]

_ROOMS = ("reporting", "estimate", "pipeline", "paths.py", "arrays.py")
_PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "scikit-learn",
    "linearmodels",
    "matplotlib",
    "pyarrow",
)

_SYNTHETIC = Label(
    "SYNTHETIC DATA: raw-shaped files drawn from a statistical model with a planted effect; "
    "no record is real.",
    "DATOS SINTÉTICOS: archivos con la forma de los originales, sorteados de un modelo estadístico "
    "con un efecto plantado; ningún registro es real.",
)
_REAL = Label(
    "Survey files as published, given by whoever ran this report; they are not part of the package.",
    "Archivos de encuesta tal como se publicaron, dados por quien generó este informe; "
    "no son parte del paquete.",
)


def report_step(run: Run) -> Step:
    """Return the step that writes the report of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Step
    """
    records = [*record_paths(run).values(), survey_record(run)]
    tables = _clean_tables(run)

    def write() -> None:
        # drawing is loaded only where something is drawn: a run that makes nothing stays quick
        from juntos_eval.reporting.write import write_report

        write_report(report_input(run), run.paths)

    return Step(
        name="report",
        label="Writing tables, figures and the page",
        stage="report",
        reads=(*records, *(provenance_path(table) for table in tables)),
        writes=(run.paths.index,),
        settings=fingerprint(_ROOMS),
        action=write,
    )


def report_input(run: Run) -> ReportInput:
    """Gather what the report shows from the records and the provenance of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    ReportInput

    Raises
    ------
    SourceError
        If a record or a clean table is missing.
    """
    estimates = [shown for path in record_paths(run).values() for shown in read_estimates(path)]
    known = {shown.id for shown in estimates}
    # where the study's own headline needs a year that is not there, the first comparison speaks
    wanted = f"{STUDY.headline}.{HEADLINE}"
    first = next(shown.id for shown in estimates if shown.design == HEADLINE)
    return ReportInput(
        run=_run_facts(run, [read_table(path) for path in _clean_tables(run)]),
        estimates=tuple(estimates),
        survey=read_survey(survey_record(run)),
        headline=wanted if wanted in known else first,
    )


def _clean_tables(run: Run) -> list[Path]:
    by_year = [
        run.paths.clean_table("enaho", table, year)
        for year in years_of(run)
        for table in tables_of(run, year)
    ]
    return [run.paths.clean_table("geo", "districts"), *by_year]


def _run_facts(run: Run, tables: Iterable[CleanTable]) -> RunFacts:
    tables = list(tables)
    return RunFacts(
        name=run.paths.run,
        is_synthetic=run.is_synthetic,
        seed=_seed(run),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        code_version=code_version(),
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        input_files=tuple(_input_files(tables)),
        data_raw=_SYNTHETIC if run.is_synthetic else _REAL,
        sources=tuple(
            _source(survey, [table for table in tables if table.provenance.survey == survey])
            for survey in sorted({table.provenance.survey for table in tables})
        ),
    )


def _seed(run: Run) -> int | None:
    if run.synthetic is not None:
        return run.synthetic.seed
    return read_truth(run.place).seed if (run.place / TRUTH_FILE).is_file() else None


def _input_files(tables: Iterable[CleanTable]) -> Iterable[InputFile]:
    for table in tables:
        facts = table.provenance
        for file in facts.inputs:
            yield InputFile(
                survey=facts.survey,
                year=facts.year,
                name=file.name,
                rows=file.rows,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
            )


def _source(survey: str, tables: Iterable[CleanTable]) -> Source:
    facts = load_source(survey)
    read = [table.provenance for table in tables]
    years = sorted({str(table.year) for table in read if table.year is not None})
    modules = sorted({facts.table(table.table).module for table in read} - {""})
    return Source(
        survey=survey,
        title=facts.title,
        producer=facts.producer,
        licence=facts.licence,
        citation=facts.citation.format(year=", ".join(years), module=", ".join(modules)),
        # up to the first part that differs from file to file
        url=facts.url.partition("{")[0],
        seen=facts.seen,
    )
