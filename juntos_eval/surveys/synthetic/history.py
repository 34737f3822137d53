"""Write SYNTHETIC raw ENAHO files of any years 2004-2025, block by block, and what was planted in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import MANIFEST, write_atomically
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.source import load_source
from juntos_eval.surveys.synthetic.geo_files import district_rows, write_districts
from juntos_eval.surveys.synthetic.history_blocks import (
    PANEL_WAVES,
    Block,
    Families,
    Frame,
    YearState,
    draw_families,
    draw_year,
    make_frame,
)
from juntos_eval.surveys.synthetic.history_items import (
    LAST_SHORT_YEAR,
    Context,
    Items,
    Outcomes,
    People,
    draw_outcomes,
    list_people,
)
from juntos_eval.surveys.synthetic.history_model import HISTORY_YEARS, HistoryModel
from juntos_eval.surveys.synthetic.history_modules import MODULES, module_items
from juntos_eval.surveys.synthetic.history_truth import TRUTH_FILE, HistoryTruth, Sums
from juntos_eval.surveys.synthetic.raw_stream import RawStream
from juntos_eval.surveys.synthetic.write import NOTICE_FILE

__all__ = ["HISTORY_MODULES", "OUTCOMES", "Visit", "blocks_of", "history_modules", "visited", "write_history"]

HISTORY_MODULES: Final = tuple(MODULES)
#: Outcomes on which an effect is planted.
OUTCOMES: Final = ("attendance", "child_work", "women_hours", "men_hours")
ROLLOUT_FILE: Final = "synthetic_rollout.csv"
SMALLEST: Final = 300
#: Households of a block: what memory holds at a time, about 40 MB.
BLOCK_HOUSEHOLDS: Final = 12_000
#: What conglome can number to 2011, in four digits, and later, in six.
SHORT_NUMBERS: Final = 9_990
LONG_NUMBERS: Final = 990_000
DWELLINGS: Final = 6
#: A number given up rests for a year: what has the same keys in two years in a row is the same household.
PANEL_RANGES: Final = PANEL_WAVES + 1
MOST_DWELLINGS: Final = 900
NOTICE: Final = """SYNTHETIC DATA - DATOS SINTÉTICOS

The files below carry names, formats and codes of INEI's ENAHO of {years}, but no record of a real household:
every value was drawn from a statistical model by juntos_eval. Districts and their rollout are invented; only
yearly totals are anchored. Nothing about Peru can be learnt from them. What was planted stands in {truth}.

Los archivos de esta carpeta llevan nombres, formatos y códigos de la ENAHO del INEI, pero ningún registro de
un hogar real: cada valor se sorteó de un modelo estadístico de juntos_eval. Los distritos y su incorporación
son inventados. Nada sobre el Perú se puede aprender de ellos. Lo que se plantó está en {truth}.

seed / semilla: {seed}    households a year / hogares por año: about {households}
not written / no escritos: {skipped}
"""


def write_history(
    folder: Path,
    *,
    seed: int,
    households: int = 5_000,
    years: Sequence[int] = HISTORY_YEARS,
    modules: Sequence[str] = HISTORY_MODULES,
    model: HistoryModel | None = None,
) -> HistoryTruth:
    """Write raw-shaped synthetic ENAHO files of the years and modules asked for.

    Each year has the raw names and codes of ``columns.csv`` and ``codes.csv``: ``.dta`` of Stata 7 to 2011,
    of release 118 to 2024, INEI's CSV in 2025. A file holds the columns that this package maps, not all of
    INEI's. Clusters of the panel are visited five years in a row and lose households on the way; ``conglome``
    is renumbered, and wider, from 2012. A year's files are the same whichever other years are written, and
    the same seed gives the same bytes. Memory holds one block of households, whatever the sample.

    Parameters
    ----------
    folder : Path
        New, or one of synthetic files.
    seed : int
        Not negative.
    households : int
        A year, about: the panel's losses leave fewer.
    years : sequence of int
        Among 2004-2025.
    modules : sequence of str
        Among ``sumaria members education employment health housing programmes``. A module that a year does
        not have, or whose names in that year nobody documented, is left out and said so in the notice.
    model : HistoryModel, optional

    Returns
    -------
    HistoryTruth
        Also written to the folder, beside ``synthetic_rollout.csv``: district and month of entry, invented.

    Raises
    ------
    DesignError
        If a year or module is unknown, the seed negative or the sample too small.
    SourceError
        If the folder holds files that are not synthetic.
    """
    chosen, tables = _check(folder, seed, households, tuple(years), tuple(modules))
    model = model or HistoryModel()
    frame = make_frame(seed, model)
    counts: dict[Path, int] = {}
    districts = write_districts(folder / "geo" / "ubigeo_distrito.csv", frame.districts)
    counts[districts] = district_rows(districts)
    effects: list[dict[str, Any]] = []
    skipped: list[str] = []
    for year in chosen:
        own = [table for table in tables if load_codebook("enaho").maps(table, year)]
        skipped += [f"{table} {year}" for table in tables if table not in own]
        effects += _write_year(folder, year, own, frame, model, (seed, households), counts)
    truth = HistoryTruth(
        seed=seed, households=households, years=chosen, model=model.record(), effects=tuple(effects)
    )
    _describe(folder, truth, frame, counts, skipped)
    return truth


def history_modules(text: str) -> tuple[str, ...]:
    """Read a list of modules by name or by INEI's number; all, where it is empty.

    Raises
    ------
    DesignError
        If one is unknown.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.history import history_modules
    >>> history_modules("34,members")
    ('sumaria', 'members')
    """
    numbers = {load_source("enaho").table(name).module: name for name in MODULES}
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in MODULES and word.zfill(2) not in numbers]
    if unknown:
        raise DesignError(
            f"No module is called {', '.join(unknown)}",
            where="history_modules",
            remedy=f"one of {', '.join(f'{name} ({number})' for number, name in numbers.items())}",
        )
    return tuple(word if word in MODULES else numbers[word.zfill(2)] for word in words) or HISTORY_MODULES


def _check(
    folder: Path, seed: int, households: int, years: tuple[int, ...], modules: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    problems = {
        "The seed is negative": seed < 0,
        f"{households} households are too few": households < SMALLEST,
        "No year or module was asked for": not years or not modules,
        f"The model has no year {sorted(set(years) - set(HISTORY_YEARS))}": not set(years)
        <= set(HISTORY_YEARS),
        f"No module is called {sorted(set(modules) - set(MODULES))}": not set(modules) <= set(MODULES),
    }
    for problem, is_there in problems.items():
        if is_there:
            raise DesignError(
                problem,
                where="write_history",
                remedy=f"years 2004-2025, {SMALLEST} households or more, modules {', '.join(MODULES)}",
            )
    if not (folder / NOTICE_FILE).exists() and any((folder / name).exists() for name in ("enaho", "geo")):
        raise SourceError(
            "This folder holds survey files that are not marked as synthetic",
            where=str(folder),
            remedy="write synthetic files to a folder of their own",
        )
    return tuple(sorted(set(years))), tuple(name for name in MODULES if name in modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """Clusters of a cohort of the panel and of one year alone, dwellings a cluster, numbers that are used."""

    of_cohort: int
    alone: int
    dwellings: int

    @property
    def numbers(self) -> int:
        return PANEL_RANGES * self.of_cohort + 2 * self.alone

    def turns(self, year: int) -> int:
        """Years after which the number of a cluster visited once comes back: two or more, up to ten."""
        most = SHORT_NUMBERS if year <= LAST_SHORT_YEAR and self.numbers <= SHORT_NUMBERS else LONG_NUMBERS
        return min(10, (most - PANEL_RANGES * self.of_cohort) // self.alone)


def _size(households: int, panel_share: float) -> _Size:
    """Fit the sample into vivienda's three digits and conglome's four, or six where four do not do."""
    for numbers in (SHORT_NUMBERS, LONG_NUMBERS):
        most = int(numbers / (2 - 0.8 * panel_share)) - 2 * PANEL_RANGES
        dwellings = max(DWELLINGS, -(-households // most))
        if dwellings <= MOST_DWELLINGS:
            break
    clusters = max(2 * PANEL_WAVES, households // dwellings)
    of_cohort = round(clusters * panel_share / PANEL_WAVES)
    return _Size(of_cohort=of_cohort, alone=clusters - PANEL_WAVES * of_cohort, dwellings=dwellings)


def blocks_of(year: int, seed: int, households: int, model: HistoryModel) -> Iterator[Block]:
    """Yield the blocks visited in a year: five cohorts of the panel, then the clusters of this year alone."""
    size = _size(households, model.panel_share)
    step = max(1, BLOCK_HOUSEHOLDS // size.dwellings)
    sets = [
        (0, cohort, PANEL_WAVES, (cohort % PANEL_RANGES) * size.of_cohort, size.of_cohort)
        for cohort in range(year - PANEL_WAVES + 1, year + 1)
    ]
    start_alone = PANEL_RANGES * size.of_cohort + (year % size.turns(year)) * size.alone
    sets.append((1, year, 1, start_alone, size.alone))
    for kind, first_year, waves, start, count in sets:
        for piece in range(0, count, step):
            numbers = start + np.arange(piece, min(piece + step, count))
            key = (seed, kind, first_year, piece)
            yield Block(
                key=key, first_year=first_year, waves=waves, clusters=numbers, dwellings=size.dwellings
            )


def _write_year(
    folder: Path,
    year: int,
    tables: Sequence[str],
    frame: Frame,
    model: HistoryModel,
    size: tuple[int, int],
    counts: dict[Path, int],
) -> list[dict[str, Any]]:
    sums = {outcome: Sums() for outcome in OUTCOMES}
    seed, households = size
    with ExitStack() as open_files:
        streams = {
            table: open_files.enter_context(RawStream.open(folder / "enaho" / str(year), table, year))
            for table in tables
        }
        for block in blocks_of(year, seed, households, model):
            visit = visited(block, draw_families(block, frame, model), frame, model, (year, households))
            visit.add_to(sums)
            for table, stream in streams.items():
                stream.append(visit.items(table))
    counts |= {stream.path: stream.rows for stream in streams.values()}
    return [own.record(outcome, year) for outcome, own in sums.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A block in one year: who is there and both potential outcomes of everyone."""

    block: Block
    families: Families
    frame: Frame
    model: HistoryModel
    households: int
    state: YearState
    people: People
    outcomes: Outcomes

    def items(self, table: str) -> Items:
        """Return the items of a module under canonical names."""
        stream = [*self.block.key, self.state.year, 2 + list(MODULES).index(table)]
        context = Context(
            rng=np.random.default_rng(np.random.SeedSequence(stream)),
            frame=self.frame,
            families=self.families,
            state=self.state,
            people=self.people,
            outcomes=self.outcomes,
            households=self.households,
            numbers=_size(self.households, self.model.panel_share).numbers,
        )
        return module_items(table, context)

    def add_to(self, sums: Mapping[str, Sums]) -> None:
        """Add what Juntos did to everyone to running sums by outcome."""
        outcomes, weight, is_female = self.outcomes, self.people.weight, self.people.is_female
        treated = self.state.has_juntos[self.people.home]
        for outcome, (without, with_juntos), seen in (
            ("attendance", outcomes.attends, outcomes.attends_seen),
            ("child_work", outcomes.works, outcomes.works_seen),
        ):
            sums[outcome].add(weight, treated, with_juntos - without, seen)
        effect = outcomes.hours[1] - outcomes.hours[0]
        for outcome, rows in (("women_hours", is_female), ("men_hours", ~is_female)):
            sums[outcome].add(weight[rows], treated[rows], effect[rows], outcomes.hours_seen[rows])


def visited(
    block: Block, families: Families, frame: Frame, model: HistoryModel, when: tuple[int, int]
) -> Visit:
    """Draw a block in a year of a sample of a size; the same whatever else is drawn."""
    year, households = when
    state = draw_year(block, families, frame, year, model)
    people = list_people(families, state)
    rng = np.random.default_rng(np.random.SeedSequence([*block.key, year, 1]))
    outcomes = draw_outcomes(rng, people, families, state, model)
    return Visit(
        block=block,
        families=families,
        frame=frame,
        model=model,
        households=households,
        state=state,
        people=people,
        outcomes=outcomes,
    )


def _describe(
    folder: Path, truth: HistoryTruth, frame: Frame, counts: Mapping[Path, int], skipped: Sequence[str]
) -> None:
    """Write notice, truth, rollout and manifest; the manifest last, for it vouches for the files."""
    notice = NOTICE.format(
        truth=TRUTH_FILE,
        seed=truth.seed,
        households=truth.households,
        years=", ".join(map(str, truth.years)),
        skipped=", ".join(skipped) or "-",
    )
    write_atomically(folder / NOTICE_FILE, notice)
    write_atomically(folder / TRUTH_FILE, truth.to_json())
    write_atomically(
        folder / ROLLOUT_FILE, _rollout_csv(frame.districts["ubigeo"].tolist(), frame.entry_month)
    )
    lines = ["# SYNTHETIC DATA - DATOS SINTÉTICOS", "synthetic = true", f"seed = {truth.seed}"]
    for path, rows in counts.items():
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        lines += ["", f'[files."{path.relative_to(folder).as_posix()}"]']
        lines += [f"rows = {rows}", f"bytes = {path.stat().st_size}", f'sha256 = "{sha256}"']
    write_atomically(folder / MANIFEST, "\n".join(lines) + "\n")


def _rollout_csv(ubigeo: Sequence[str], entry: NDArray[Any]) -> str:
    rows = ["ubigeo,entry_month,source"]
    for code, month in zip(ubigeo, entry, strict=True):
        if np.isfinite(month):
            year, index = divmod(int(month), 12)
            rows.append(f"{code},{year}-{index + 1:02d},SYNTHETIC: invented")
    return "\n".join(rows) + "\n"
