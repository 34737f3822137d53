"""Steps that clean Young Lives files, where a user has put them into the raw folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from juntos_eval.paths import RawFolder
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import young_lives
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.store import provenance_path, read_table, write_table
from juntos_eval.surveys.young_lives.locate import find_file
from juntos_eval.surveys.young_lives.study_files import SURVEY, load_deposit

__all__ = ["young_lives_steps"]

_ROOMS: Final = ("surveys", "numerics/lms.py", "arrays.py", "paths.py")
_JUNTOS: Final = "juntos_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A clean table: what makes it, the raw tables without which it is not made, and others that it reads.

    Of ``any_of`` one file of one round is enough.
    """

    clean: Callable[[RawFolder], CleanTable]
    all_of: tuple[str, ...] = ("panel",)
    any_of: tuple[tuple[str, tuple[int | None, ...]], ...] = ()


_HOUSEHOLDS: Final = (("household_younger", (3, 4, 5)), ("household_older", (3, 4, 5)))
_SCORES: Final = (
    ("household_younger", (2,)),
    ("child_younger", (3,)),
    ("cognitive_younger", (4, 5)),
    ("ppvt_irt", (None,)),
    ("maths_irt", (None,)),
    ("reading_irt", (None,)),
)
_SIBLINGS: Final = (("sibling_younger", (3, 5)), ("child_younger", (4, 5)), ("cognitive_younger", (4,)))
_TABLES: Final[dict[str, _Table]] = {
    "children_panel": _Table(clean=young_lives.clean_children_panel),
    "attrition": _Table(clean=young_lives.clean_attrition),
    "child_work": _Table(clean=young_lives.clean_child_work),
    _JUNTOS: _Table(clean=young_lives.clean_juntos_status, any_of=_HOUSEHOLDS),
    "tests": _Table(clean=young_lives.clean_tests, any_of=_SCORES),
    "siblings": _Table(clean=young_lives.clean_siblings, all_of=(), any_of=_SIBLINGS),
    "community_exposure": _Table(
        clean=young_lives.clean_community_exposure,
        all_of=(),
        any_of=(("community", (3, 5)), ("mini_community", (3,))),
    ),
}


def young_lives_steps(run: Run) -> list[Step]:
    """Return the steps of the Young Lives tables whose files lie in the raw folder; none where none do.

    The embedded run has none: its synthetic files are ENAHO's.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step

    Raises
    ------
    SourceError
        If a file lies there twice, only under another study's number, or in a damaged zip.
    """
    if run.synthetic is not None:
        return []
    raw = run.raw()
    found = {
        (file.table, file.round): place.path
        for file in load_deposit().files
        if (place := find_file(raw, file)) is not None
    }
    if not found:
        return []
    makeable = [name for name, table in _TABLES.items() if _has_files(table, set(found))]
    # every table may read every file of its rounds, and says so in its provenance
    files = tuple(sorted(set(found.values())))
    return [_step(run, name, files, with_juntos=_JUNTOS in makeable) for name in makeable]


def _has_files(table: _Table, found: set[tuple[str, int | None]]) -> bool:
    has_all = all((name, None) in found for name in table.all_of)
    has_any = any((name, one) in found for name, rounds in table.any_of for one in rounds)
    return has_all and (has_any or not table.any_of)


def _step(run: Run, name: str, files: tuple[Path, ...], *, with_juntos: bool) -> Step:
    target = run.paths.clean_table(SURVEY, name)
    juntos = run.paths.clean_table(SURVEY, _JUNTOS)
    needs_juntos = name == "siblings" and with_juntos

    def clean() -> None:
        raw = run.raw()
        if needs_juntos:
            made = young_lives.clean_siblings(raw, read_table(juntos).frame)
        else:
            made = _TABLES[name].clean(raw)
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"young-lives-{name.replace('_', '-')}",
        label=f"Cleaning Young Lives, {name.replace('_', ' ')}",
        stage="data",
        reads=(*files, *((juntos,) if needs_juntos else ())),
        writes=(target, provenance_path(target)),
        settings=fingerprint(_ROOMS),
        action=clean,
    )
