"""The verb that writes synthetic raw files of any survey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from juntos_eval.cli.console import plain_errors
from juntos_eval.errors import DesignError, SourceError

__all__ = ["synthetic"]


#: Last wave of the panel release that is written without --years.
DEFAULT_RELEASE: Final = 2024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What was asked for, as given."""

    seed: int
    households: int
    years: tuple[int, ...]
    modules: str
    studies: tuple[int, ...]
    share: float


def synthetic(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    survey: Annotated[
        str,
        typer.Option("--survey", help="enaho, enaho_panel, endes, young_lives, or several: enaho,endes."),
    ] = "enaho",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the synthetic files.")] = 20051,
    households: Annotated[
        int, typer.Option("--households", min=300, help="A year, of ENAHO and ENDES; ENAHO has about 33,700.")
    ] = 33_700,
    years: Annotated[
        str,
        typer.Option(
            "--years",
            help="Such as 2005-2013,2018: ENAHO 2004-2025, ENDES 2004-2024; last waves of ENAHO's panel.",
        ),
    ] = "",
    modules: Annotated[
        str,
        typer.Option(
            "--modules",
            help="Of ENAHO and its panel: sumaria,members or INEI's 34,02; of Young Lives: studies "
            "7483,5307; else all.",
        ),
    ] = "",
    share: Annotated[
        float, typer.Option("--share", help="Of Young Lives: share of the published 2,766 children.")
    ] = 1.0,
) -> None:
    """Write raw-shaped SYNTHETIC survey files: the publisher's names, formats and codes, and a planted truth.

    Without --years and --modules ENAHO's are the files of 2024 and 2025 that the main job reads, and ENDES is
    that of 2019, the panel that of 2020-2024. Several surveys of one seed share their districts.

    Examples:  juntos-eval synthetic /tmp/raw --years 2004-2013 --modules 34,02 --households 2000   ·
    juntos-eval synthetic /tmp/raw --survey endes,young_lives --years 2015-2019 --share 0.2
    """
    with plain_errors():
        from juntos_eval.surveys.catalog import parse_years

        of_enaho, studies = _apart(modules)
        choice = _Choice(
            seed=seed,
            households=households,
            years=tuple(sorted(parse_years(years))),
            modules=of_enaho,
            studies=studies,
            share=share,
        )
        writers = _chosen(survey, choice)
        if folder.exists() and any(folder.iterdir()):
            raise SourceError(
                "synthetic files are only written into an empty folder",
                where=str(folder),
                remedy="name another folder, or empty this one",
            )
        for write in writers:
            said = write(folder, choice)
            Console(stderr=True, soft_wrap=True).print(f"SYNTHETIC DATA: {said}, in {folder}", markup=False)


def _enaho(folder: Path, choice: _Choice) -> str:
    from juntos_eval.surveys.synthetic import HISTORY_YEARS, history_modules, write_history, write_synthetic

    if choice.years or choice.modules:
        write_history(
            folder,
            seed=choice.seed,
            households=choice.households,
            years=choice.years or HISTORY_YEARS,
            modules=history_modules(choice.modules),
        )
    else:
        write_synthetic(folder, seed=choice.seed, households=choice.households)
    return f"ENAHO, {choice.households:,} households a year"


def _enaho_panel(folder: Path, choice: _Choice) -> str:
    from juntos_eval.surveys.enaho.panel_release import PANEL_TABLES
    from juntos_eval.surveys.synthetic import history_modules, write_panel

    releases = choice.years or (DEFAULT_RELEASE,)
    # programmes have no file in the panel
    wanted = [name for name in history_modules(choice.modules) if name in PANEL_TABLES]
    write_panel(folder, seed=choice.seed, households=choice.households, releases=releases, modules=wanted)
    return f"ENAHO's panel, {choice.households:,} households a year"


def _endes(folder: Path, choice: _Choice) -> str:
    from juntos_eval.surveys.synthetic.endes import write_synthetic_endes

    years = choice.years or (2019,)
    write_synthetic_endes(folder, seed=choice.seed, households=choice.households, years=years)
    return f"ENDES, {choice.households:,} households a year"


def _young_lives(folder: Path, choice: _Choice) -> str:
    from juntos_eval.surveys.synthetic.young_lives import write_young_lives

    if choice.studies:
        write_young_lives(folder, seed=choice.seed, share=choice.share, studies=choice.studies)
    else:
        write_young_lives(folder, seed=choice.seed, share=choice.share)
    return f"Young Lives, {choice.share:g} of its children"


#: ENAHO first: it opens the folder's manifest, to which the others add.
_WRITERS: Final[dict[str, Callable[[Path, _Choice], str]]] = {
    "enaho": _enaho,
    "enaho_panel": _enaho_panel,
    "endes": _endes,
    "young_lives": _young_lives,
}


def _chosen(survey: str, choice: _Choice) -> list[Callable[[Path, _Choice], str]]:
    """Return the writers asked for, and refuse what they could not write before anything is written."""
    names = {part.strip().replace("-", "_") for part in survey.split(",") if part.strip()}
    unknown = sorted(names - set(_WRITERS))
    if unknown or not names:
        raise DesignError(
            f"There is no synthetic survey {', '.join(unknown) or '(none named)'}",
            where="--survey",
            remedy=f"one or more of {', '.join(_WRITERS)}, with commas between",
        )
    for option, given, owner in (
        (f"--modules {choice.modules}", bool(choice.modules), {"enaho", "enaho_panel"}),
        (f"--modules {choice.studies}", bool(choice.studies), {"young_lives"}),
        ("--share", choice.share != 1.0, {"young_lives"}),
        ("--years", bool(choice.years), {"enaho", "enaho_panel", "endes"}),
    ):
        if given and not names & owner:
            raise DesignError(
                f"{option} is an option of {', '.join(sorted(owner))}",
                where=f"--survey {survey}",
                remedy="leave it out, or name the survey",
            )
    _check_years(names, choice.years)
    if names & {"enaho", "enaho_panel"}:
        from juntos_eval.surveys.synthetic import history_modules

        history_modules(choice.modules)
    return [writer for name, writer in _WRITERS.items() if name in names]


def _check_years(names: set[str], years: tuple[int, ...]) -> None:
    from juntos_eval.surveys.enaho.panel_release import load_releases
    from juntos_eval.surveys.synthetic import HISTORY_YEARS
    from juntos_eval.surveys.synthetic.endes.parameters import DOCUMENTED_YEARS

    for name, known in (
        ("enaho", HISTORY_YEARS),
        ("enaho_panel", tuple(load_releases())),
        ("endes", DOCUMENTED_YEARS),
    ):
        lost = sorted(set(years) - set(known)) if name in names else []
        if lost:
            raise DesignError(
                f"{name} has no synthetic files of {', '.join(map(str, lost))}",
                where="--years",
                remedy=f"ask for {', '.join(map(str, known))}"
                if name == "enaho_panel"
                else f"ask for years from {known[0]} to {known[-1]}",
            )


def _apart(modules: str) -> tuple[str, tuple[int, ...]]:
    """Return ENAHO's modules, and the studies of Young Lives, which are known by their number."""
    from juntos_eval.surveys.young_lives.study_files import load_deposit

    words = [word.strip() for word in modules.split(",") if word.strip()]
    studies = [word for word in words if word.isdigit() and int(word) in load_deposit().studies]
    return ",".join(word for word in words if word not in studies), tuple(map(int, studies))
