"""Steps from clean tables to records of estimates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from juntos_eval.pipeline.data_steps import LINKED, tables_of, years_of
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.presentation import present_comparison, present_demonstration
from juntos_eval.pipeline.records import write_estimates, write_survey
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.pipeline.survey_facts import survey_facts
from juntos_eval.reporting.suppression import THRESHOLD, is_publishable
from juntos_eval.studies.comparison import Comparison
from juntos_eval.studies.demonstration import EntrantsDemonstration
from juntos_eval.studies.juntos_households import STUDY
from juntos_eval.studies.run import run_comparison, run_demonstration
from juntos_eval.surveys.store import provenance_path, read_table
from juntos_eval.surveys.synthetic.truth import TRUTH_FILE, SyntheticTruth, read_truth

__all__ = ["estimate_steps", "record_paths", "survey_record"]

# the reporting rooms here decide what a record may tell
_ROOMS = (
    "studies",
    "estimators",
    "inference",
    "estimate",
    "numerics",
    "arrays.py",
    "pipeline/presentation.py",
    "pipeline/records.py",
    "pipeline/survey_facts.py",
    "reporting/reported.py",
    "reporting/suppression.py",
)


def record_paths(run: Run) -> dict[str, Path]:
    """Return the record of each comparison and demonstration that the run's years allow.

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict of str to Path
        In the order of the study.
    """
    parts = [part.id for part in _comparisons(run)]
    parts += [part.id for part in _demonstrations(run)]
    return {part: run.paths.report_file("estimates", f"{part}.json") for part in parts}


def survey_record(run: Run) -> Path:
    """Return the record of shares and counts."""
    return run.paths.report_file("estimates", "survey.json")


def estimate_steps(run: Run) -> list[Step]:
    """Return one step a comparison, one a demonstration, and the facts of the surveys.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step
    """
    return [
        _survey(run),
        *(_comparison(run, part) for part in _comparisons(run)),
        *(_demonstration(run, part) for part in _demonstrations(run)),
    ]


def _comparisons(run: Run) -> tuple[Comparison, ...]:
    years = years_of(run)
    with_food = {year for year in years if "food_security" in tables_of(run, year)}
    return tuple(
        part
        for part in STUDY.comparisons
        if part.year in years and (part.people is not None or part.year in with_food)
    )


def _demonstrations(run: Run) -> tuple[EntrantsDemonstration, ...]:
    return STUDY.demonstrations if len(years_of(run)) > 1 else ()


def _truth_files(run: Run) -> tuple[Path, ...]:
    """Return the file of the planted truth, where the raw folder has one."""
    path = run.place / TRUTH_FILE
    known = run.is_synthetic and (run.synthetic is not None or path.is_file())
    return (path,) if known else ()


def _truth(run: Run) -> SyntheticTruth | None:
    return read_truth(run.place) if _truth_files(run) else None


def _comparison(run: Run, part: Comparison) -> Step:
    table = run.paths.clean_table("enaho", "households", part.year)
    target = record_paths(run)[part.id]

    def estimate() -> None:
        results = run_comparison(part, STUDY.prepare(read_table(table).frame))
        shown = [one for one in present_comparison(part, results, _truth(run)) if is_publishable(one)]
        write_estimates(target, shown, is_synthetic=run.is_synthetic)

    return Step(
        name=f"estimate-{part.id}",
        label=f"Estimating {part.labels['population'].en} {part.year}: {part.labels['outcome'].en}",
        stage="estimates",
        reads=(table, provenance_path(table), *_truth_files(run)),
        writes=(target,),
        settings=fingerprint(_ROOMS),
        action=estimate,
    )


def _demonstration(run: Run, part: EntrantsDemonstration) -> Step:
    table = run.paths.clean_table("enaho", LINKED)
    target = record_paths(run)[part.id]

    def estimate() -> None:
        result = run_demonstration(part, STUDY.prepare(read_table(table).frame))
        shown = present_demonstration(part, result, _truth(run))
        few = any(0 < point.n < THRESHOLD for point in shown.trend)
        shown = replace(shown, trend=()) if few else shown
        write_estimates(target, [shown] if is_publishable(shown) else [], is_synthetic=run.is_synthetic)

    return Step(
        name=f"estimate-{part.id}",
        label="Estimating the demonstration on linked households",
        stage="estimates",
        reads=(table, provenance_path(table), *_truth_files(run)),
        writes=(target,),
        settings=fingerprint(_ROOMS),
        action=estimate,
    )


def _survey(run: Run) -> Step:
    years = years_of(run)
    households = {year: run.paths.clean_table("enaho", "households", year) for year in years}
    tables = [run.paths.clean_table("enaho", table, year) for year in years for table in tables_of(run, year)]
    linked = run.paths.clean_table("enaho", LINKED) if len(years) > 1 else None
    target = survey_record(run)

    def describe() -> None:
        facts = survey_facts(
            {year: read_table(path) for year, path in households.items()},
            [read_table(path) for path in tables],
            None if linked is None else read_table(linked),
        )
        write_survey(target, facts, is_synthetic=run.is_synthetic)

    read = [*households.values(), *tables, *([] if linked is None else [linked])]
    return Step(
        name="survey-facts",
        label="Describing the surveys",
        stage="estimates",
        reads=tuple(path for table in read for path in (table, provenance_path(table))),
        writes=(target,),
        settings=fingerprint(_ROOMS),
        action=describe,
    )
