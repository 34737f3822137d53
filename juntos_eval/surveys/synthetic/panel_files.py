r"""Write SYNTHETIC wide files of ENAHO's panel releases, and what was planted in them.

The households are those of the annual files of the same seed and size (``write_history``): clusters of the
panel are visited five years in a row, a fifth of them new each year, and lose households on the way; the
others are visited once. A release holds every household of its five years, as INEI's do: a row a household
(or person), the items of each wave side by side, empty where it was not interviewed.

A unit is linked over the waves a to b where it was interviewed in all of them. Its panel weight is

.. math:: w_h \frac{T_a}{E_{ab}\,(1-\delta)^{b-a}}

with w its expansion factor, :math:`\delta` the yearly loss, and :math:`E_{ab} / T_a` the share that the
cohorts visited in both years have, by design and losses, of the sample of year a.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from juntos_eval.arrays import Bools
from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import write_atomically
from juntos_eval.surveys.enaho.panel_release import PANEL, PANEL_TABLES, PanelRelease, load_releases
from juntos_eval.surveys.synthetic.geo_files import district_rows, write_districts
from juntos_eval.surveys.synthetic.history import DWELLINGS, OUTCOMES, SMALLEST, Visit, blocks_of, visited
from juntos_eval.surveys.synthetic.history_blocks import (
    PANEL_WAVES,
    SLOTS,
    Block,
    Families,
    Frame,
    draw_families,
    make_frame,
)
from juntos_eval.surveys.synthetic.history_items import (
    LAST_SHORT_YEAR,
    RENUMBERED,
    Items,
    mean_factor,
    text,
)
from juntos_eval.surveys.synthetic.history_model import HistoryModel
from juntos_eval.surveys.synthetic.history_truth import Sums
from juntos_eval.surveys.synthetic.manifest import add_to_manifest
from juntos_eval.surveys.synthetic.panel_stream import PanelStream, spans_of
from juntos_eval.surveys.synthetic.write import NOTICE_FILE

__all__ = ["PANEL_TRUTH_FILE", "PanelTruth", "write_panel"]

PANEL_TRUTH_FILE: Final = "synthetic_panel_truth.json"
NOTICE: Final = """SYNTHETIC DATA - DATOS SINTÉTICOS

The files below carry names and codes of INEI's ENAHO panel releases of {releases}, but no record of a real
household: every value was drawn from a statistical model by juntos_eval. Nothing about Peru can be learnt
from them. What was planted stands in {truth}.

Los archivos de esta carpeta llevan nombres y códigos de las ediciones panel de la ENAHO del INEI, pero ningún
registro de un hogar real: cada valor se sorteó de un modelo estadístico de juntos_eval. Nada sobre el Perú se
puede aprender de ellos. Lo que se plantó está en {truth}.

seed / semilla: {seed}    households a year / hogares por año: about {households}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelTruth:
    """What was planted in panel releases.

    Attributes
    ----------
    seed, households : int
    model : dict
    releases : tuple of dict
        By release: ``last first units interviews balanced``, ``cohorts`` (households of the panel's clusters
        by wave of entry and wave: ``entered year units present``), ``poverty`` (weighted share poor in both
        waves of each pair among those linked) and ``effects`` (by outcome and wave, on treated persons).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic import write_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_panel(Path(folder), seed=1, households=300, releases=(2011,), modules=("sumaria",))
    >>> truth.release(2011)["first"], truth.release(2011)["units"] > 300
    (2007, True)
    """

    seed: int
    households: int
    model: Mapping[str, Any]
    releases: tuple[Mapping[str, Any], ...]

    def release(self, last: int) -> Mapping[str, Any]:
        """Return what was planted in a release.

        Raises
        ------
        DesignError
            If it was not written.
        """
        for record in self.releases:
            if record["last"] == last:
                return record
        raise DesignError(f"The release of {last} was not written", where=PANEL_TRUTH_FILE)

    def to_json(self) -> str:
        """Return it as JSON."""
        names = ("seed", "households", "model", "releases")
        return (
            json.dumps({"synthetic": True} | {name: getattr(self, name) for name in names}, indent=1) + "\n"
        )


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Running counts of a release, block by block."""

    units: int = 0
    interviews: int = 0
    balanced: int = 0
    cohorts: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    poor: dict[tuple[int, int, str], float] = field(default_factory=lambda: defaultdict(float))
    effects: dict[tuple[str, int], Sums] = field(default_factory=dict)


def write_panel(
    folder: Path,
    *,
    seed: int,
    households: int = 5_000,
    releases: Sequence[int] = (),
    modules: Sequence[str] = ("sumaria", "members", "education", "employment"),
    model: HistoryModel | None = None,
) -> PanelTruth:
    """Write raw-shaped synthetic panel files of the releases and modules asked for.

    Files carry the names, units, flags and weights of ``panel_releases.csv`` and each wave's raw names of
    ``columns.csv``; a wave whose names stand in no document is left out of the file. The same seed and size
    as ``write_history`` gives the same households. Memory holds one block of households.

    Parameters
    ----------
    folder : Path
        New, or one of synthetic files.
    seed : int
        Not negative.
    households : int
        A year, about.
    releases : sequence of int
        Last waves; all releases by default.
    modules : sequence of str
        Among ``sumaria members education employment health housing``. A module that a release does not have
        is not written.
    model : HistoryModel, optional

    Returns
    -------
    PanelTruth

    Raises
    ------
    DesignError
        If a release or module is unknown, the seed negative or the sample too small.
    SourceError
        If the folder holds panel files that are not synthetic.
    """
    model = model or HistoryModel()
    chosen = _check(folder, seed, households, tuple(releases) or tuple(load_releases()), tuple(modules))
    frame = make_frame(seed, model)
    districts = write_districts(folder / "geo" / "ubigeo_distrito.csv", frame.districts)
    counts: dict[Path, int] = {districts: district_rows(districts)}
    records = []
    for release in chosen:
        tables = [table for table in PANEL_TABLES if table in modules and table in release.stems]
        world = _World(frame=frame, model=model, seed=seed, households=households)
        records.append(_write_release(folder, release, tables, world, counts))
    truth = PanelTruth(seed=seed, households=households, model=model.record(), releases=tuple(records))
    notice = NOTICE.format(
        releases=", ".join(f"{release.first}-{release.last}" for release in chosen),
        truth=PANEL_TRUTH_FILE,
        seed=seed,
        households=households,
    )
    write_atomically(folder / NOTICE_FILE, notice)
    write_atomically(folder / PANEL_TRUTH_FILE, truth.to_json())
    add_to_manifest(folder, counts)
    return truth


def _check(
    folder: Path, seed: int, households: int, releases: tuple[int, ...], modules: tuple[str, ...]
) -> tuple[PanelRelease, ...]:
    known = load_releases()
    lost, strange = sorted(set(releases) - set(known)), sorted(set(modules) - set(PANEL_TABLES))
    problems = {
        "The seed is negative": seed < 0,
        f"{households} households are too few": households < SMALLEST,
        f"No panel release has {', '.join(map(str, lost))} as its last wave": bool(lost),
        f"No module is called {', '.join(strange)}": bool(strange),
        "No module was asked for": not modules,
    }
    for problem, is_there in problems.items():
        if is_there:
            raise DesignError(
                problem,
                where="write_panel",
                remedy=f"releases {', '.join(map(str, known))}; {SMALLEST} households or more; "
                f"modules {', '.join(PANEL_TABLES)}",
            )
    if not (folder / NOTICE_FILE).exists() and (folder / PANEL).exists():
        raise SourceError(
            "This folder holds panel files that are not marked as synthetic",
            where=str(folder),
            remedy="write synthetic files to a folder of their own",
        )
    return tuple(known[last] for last in sorted(set(releases)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What the households of a release are drawn from."""

    frame: Frame
    model: HistoryModel
    seed: int
    households: int

    def blocks(self, release: PanelRelease) -> Iterator[Block]:
        """Yield every block visited in a wave of the release, once."""
        known: set[tuple[int, ...]] = set()
        for year in release.waves:
            for block in blocks_of(year, self.seed, self.households, self.model):
                if block.key not in known:
                    known.add(block.key)
                    yield block


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    """A block over the waves of a release: who was interviewed when, a row a household."""

    block: Block
    families: Families
    visits: Mapping[int, Visit]
    seen: Bools

    @property
    def rows(self) -> NDArray[Any]:
        """Rows of the block that were interviewed in any wave."""
        return np.flatnonzero(self.seen.any(axis=0))


def _write_release(
    folder: Path, release: PanelRelease, tables: Sequence[str], world: _World, counts: dict[Path, int]
) -> dict[str, Any]:
    tally = _Tally()
    place = folder / PANEL / str(release.last)
    with ExitStack() as open_files:
        streams = {
            table: open_files.enter_context(PanelStream.open(place, table, release)) for table in tables
        }
        for block in world.blocks(release):
            followed = _follow(block, release, world)
            first_number = tally.units + 1
            _add(tally, followed, release)
            for table, stream in streams.items():
                _append(stream, table, followed, release, world.model, first_number)
    counts |= {stream.path: stream.rows for stream in streams.values()}
    return _record(release, tally)


def _follow(block: Block, release: PanelRelease, world: _World) -> _Followed:
    families = draw_families(block, world.frame, world.model)
    own = range(
        max(release.first, block.first_year), min(release.last, block.first_year + block.waves - 1) + 1
    )
    visits = {
        year: visited(block, families, world.frame, world.model, (year, world.households)) for year in own
    }
    nobody = np.zeros(len(families), dtype=bool)
    seen = np.stack([visits[year].state.is_there if year in visits else nobody for year in release.waves])
    return _Followed(block=block, families=families, visits=visits, seen=seen)


def _add(tally: _Tally, followed: _Followed, release: PanelRelease) -> None:
    seen, block, families = followed.seen, followed.block, followed.families
    tally.units += len(followed.rows)
    tally.interviews += int(seen.sum())
    tally.balanced += int(seen.all(axis=0).sum())
    for year, visit in followed.visits.items():
        sums = {outcome: tally.effects.setdefault((outcome, year), Sums()) for outcome in OUTCOMES}
        visit.add_to(sums)
    if block.waves == 1:
        return
    entry = max(release.first, block.first_year)
    entered = seen[entry - release.first]
    for year in followed.visits:
        tally.cohorts[entry, year, "units"] += int(entered.sum())
        tally.cohorts[entry, year, "present"] += int((entered & seen[year - release.first]).sum())
        if year - 1 in followed.visits:
            both = seen[year - release.first] & seen[year - 1 - release.first]
            was, now = (followed.visits[wave].state.log_ratio < 0 for wave in (year - 1, year))
            weight = families.weight
            tally.poor[year - 1, year, "both"] += float(weight[both & was & now].sum())
            tally.poor[year - 1, year, "all"] += float(weight[both].sum())


def _append(
    stream: PanelStream,
    table: str,
    followed: _Followed,
    release: PanelRelease,
    model: HistoryModel,
    first_number: int,
) -> None:
    """Write a block's units of one table."""
    n = len(followed.families)
    homes = followed.rows
    number = np.zeros(n, dtype=np.int64)
    number[homes] = first_number + np.arange(len(homes))
    slots = SLOTS if stream.is_person else 1
    pieces = {}
    answered = np.zeros(n * slots, dtype=bool)
    for year, visit in followed.visits.items():
        items = visit.items(table)
        cells = _cells(items, followed.block, year, slots)
        answered[cells] = True
        pieces[year] = (cells, items)
    units = np.flatnonzero(answered)
    if not len(units):
        return
    place = np.full(n * slots, -1, dtype=np.int64)
    place[units] = np.arange(len(units))
    home, slot = np.divmod(units, slots)
    stream.append(
        _unit_values(number[home], slot),
        {year: (place[cells], items) for year, (cells, items) in pieces.items()},
        _span_values(stream, followed, release, (model, home, slot)),
    )


def _cells(items: Items, block: Block, year: int, slots: int) -> NDArray[Any]:
    """Return which household and member of the block each row of a module is."""
    shift = 1 if year <= LAST_SHORT_YEAR else RENUMBERED
    cluster = items["conglome"].astype(np.int64) - shift - block.clusters[0]
    home = cluster * block.dwellings + items["vivienda"].astype(np.int64) - 1
    member = items["codperso"].astype(np.int64) - 1 if slots > 1 else np.zeros(len(home), dtype=np.int64)
    return np.asarray(home * slots + member)


def _unit_values(number: NDArray[Any], slot: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return what any release may call the unit: numbers of household and person, keys of the dwelling."""
    # numbers of clusters come back after some years: the panel's own name a dwelling for good
    cluster, dwelling = text(number // DWELLINGS, 6), text(number % DWELLINGS + 1, 3)
    person = (number * SLOTS + slot).astype(float)
    return {
        **dict.fromkeys(("num_hog", "cenl", "numpanh"), number.astype(float)),
        **dict.fromkeys(("num", "numper"), person),
        **dict.fromkeys(("cong", "conglome"), cluster),
        **dict.fromkeys(("vivi", "vivienda"), dwelling),
        "p201p": slot + 1.0,
    }


def _span_values(
    stream: PanelStream,
    followed: _Followed,
    release: PanelRelease,
    rows: tuple[HistoryModel, NDArray[Any], NDArray[Any]],
) -> dict[str, NDArray[Any]]:
    """Return flags and weights of every span of waves; a person is linked where it is a member in all."""
    model, home, slot = rows
    found: dict[str, NDArray[Any]] = {}
    nobody = np.zeros(len(home), dtype=bool)
    there = {
        year: followed.seen[year - release.first][home]
        & (followed.visits[year].state.is_member[home, slot] if stream.is_person else True)
        if year in followed.visits
        else nobody
        for year in release.waves
    }
    scale = mean_factor(next(iter(followed.visits.values())).households)
    for a, b in spans_of(release):
        linked = np.logical_and.reduce([there[year] for year in range(a, b + 1)])
        weight = followed.families.weight[home] * scale * span_factor(model, b - a)
        found[release.spelled("person_link" if stream.is_person else "link", a, b)] = linked.astype(float)
        found[release.spelled("weight", a, b)] = np.where(linked, weight, np.nan)
    return found


def span_factor(model: HistoryModel, gap: int) -> float:
    """Return by what the weights of units linked over a gap of years are multiplied.

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.history_model import HistoryModel
    >>> from juntos_eval.surveys.synthetic.panel_files import span_factor
    >>> round(span_factor(HistoryModel(panel_share=0.5, attrition=0.0), 4), 6)
    10.0
    """
    kept = 1 - model.attrition
    cohort = model.panel_share / PANEL_WAVES
    everyone = 1 - model.panel_share + cohort * sum(kept**age for age in range(PANEL_WAVES))
    eligible = cohort * sum(kept**age for age in range(PANEL_WAVES - gap))
    return everyone / (eligible * kept**gap) if eligible else 0.0


def _record(release: PanelRelease, tally: _Tally) -> dict[str, Any]:
    pairs = sorted({(a, b) for a, b, _ in tally.poor})
    cells = sorted({(entry, year) for entry, year, _ in tally.cohorts})
    return {
        "last": release.last,
        "first": release.first,
        "units": tally.units,
        "interviews": tally.interviews,
        "balanced": tally.balanced,
        "cohorts": [
            {"entered": entry, "year": year}
            | {name: tally.cohorts[entry, year, name] for name in ("units", "present")}
            for entry, year in cells
        ],
        "poverty": [
            {"waves": [a, b], "poor_in_both": tally.poor[a, b, "both"] / tally.poor[a, b, "all"]}
            for a, b in pairs
            if tally.poor[a, b, "all"]
        ],
        "effects": [sums.record(outcome, year) for (outcome, year), sums in tally.effects.items()],
    }
