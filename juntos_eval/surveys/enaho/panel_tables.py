"""ENAHO's panel releases to clean tables: one row a unit and wave, and who was lost on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.enaho import clean
from juntos_eval.surveys.enaho.child_work import CHILD_WORK, child_work_of
from juntos_eval.surveys.enaho.education import EDUCATION, education_of
from juntos_eval.surveys.enaho.employment import EMPLOYMENT, employment_of
from juntos_eval.surveys.enaho.health import HEALTH, health_of
from juntos_eval.surveys.enaho.housing import HOUSING, housing_of
from juntos_eval.surveys.enaho.panel import open_wave
from juntos_eval.surveys.enaho.panel_release import PANEL, PanelRelease, load_releases, read_panel_file
from juntos_eval.surveys.enaho.panel_units import PanelUnits, panel_units
from juntos_eval.surveys.enaho.sumaria import SUMARIA, sumaria_of
from juntos_eval.surveys.provenance import CleanTable, InputFile, Provenance
from juntos_eval.surveys.read import RawTable
from juntos_eval.surveys.schema import Field, TableSchema, finish, yes_no

__all__ = ["PANEL_SCHEMAS", "clean_panel", "panel_raw_table", "release_of_last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annual:
    """The annual table that a wave is."""

    table: str
    schema: TableSchema
    make: Callable[..., CleanTable]
    is_person: bool


_ANNUAL: Final = {
    "sumaria": _Annual(table="sumaria", schema=SUMARIA, make=sumaria_of, is_person=False),
    "child_work": _Annual(table="members", schema=CHILD_WORK, make=child_work_of, is_person=True),
    "education": _Annual(table="education", schema=EDUCATION, make=education_of, is_person=True),
    "employment": _Annual(table="employment", schema=EMPLOYMENT, make=employment_of, is_person=True),
    "health": _Annual(table="health", schema=HEALTH, make=health_of, is_person=True),
    "housing": _Annual(table="housing", schema=HOUSING, make=housing_of, is_person=False),
}

_UNIT_FIELDS: Final = (
    Field(
        name="unit",
        dtype="str",
        description="Number of the unit within its release, the same in all waves",
        description_es="Número de la unidad en su edición del panel, el mismo en todas las olas",
    ),
    Field(
        name="entered",
        dtype="int",
        description="First wave of the release in which the unit was interviewed",
        description_es="Primera ola de la edición en que la unidad fue entrevistada",
        minimum=2004,
    ),
    Field(
        name="waves",
        dtype="int",
        description="Waves of the release in which the unit was interviewed",
        description_es="Olas de la edición en que la unidad fue entrevistada",
        minimum=1,
        maximum=5,
    ),
    yes_no(
        "is_balanced",
        "Linked by the release over all its waves",
        "Vinculada por la edición en todas sus olas",
    ),
    yes_no(
        "is_linked_before",
        "Linked by the release with the wave before; false in the first",
        "Vinculada por la edición con la ola anterior; no en la primera",
    ),
    Field(
        name="panel_weight",
        dtype="float",
        is_nullable=True,
        minimum=1e-9,
        description="Panel weight of units linked over all waves",
        description_es="Factor panel de las unidades vinculadas en todas las olas",
        unit="units",
    ),
    Field(
        name="link_weight",
        dtype="float",
        is_nullable=True,
        minimum=1e-9,
        description="Panel weight of units linked with the wave before",
        description_es="Factor panel de las unidades vinculadas con la ola anterior",
        unit="units",
    ),
)


def _schema(name: str) -> TableSchema:
    annual = _ANNUAL[name].schema
    return TableSchema(
        name=f"panel_{name}",
        description=f"One row a unit and wave of a panel release. Each wave: {annual.description}",
        description_es=f"Una fila por unidad y ola de una edición panel. Cada ola: {annual.description_es}",
        key=("unit", "year"),
        design=annual.design,
        fields=(*_UNIT_FIELDS, *annual.fields),
    )


PANEL_SCHEMAS: Final = FrozenMapping({name: _schema(name) for name in _ANNUAL})


def release_of_last(last: int) -> PanelRelease:
    """Return the release whose last wave is that of a year.

    Raises
    ------
    SchemaError
        If none is.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel_tables import release_of_last
    >>> release_of_last(2024).window
    (2020, 2024)
    """
    releases = load_releases()
    if last not in releases:
        raise SchemaError(
            f"No panel release has {last} as its last wave",
            where="panel_releases.csv",
            remedy=f"last waves: {', '.join(map(str, releases))}; a new release is one row of that file",
        )
    return releases[last]


def panel_raw_table(name: str) -> str:
    """Return the raw table that a clean panel table is made of.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel_tables import panel_raw_table
    >>> panel_raw_table("child_work")
    'members'
    """
    return _ANNUAL[name].table


def clean_panel(raw: RawFolder, last: int, name: str, *, households: CleanTable | None = None) -> CleanTable:
    """Clean one file of a panel release: one row a unit and wave in which it was interviewed.

    Every wave is harmonised and cleaned as the annual file of its year is, so that a panel table has the
    annual table's columns, and before them the unit, its first wave, links and panel weights. A wave of a
    year whose raw names stand in no document is left out, and counted in the account of rows.

    Parameters
    ----------
    raw : RawFolder
    last : int
        Last wave of the release.
    name : str
        ``sumaria child_work education employment health housing``.
    households : CleanTable, optional
        The release's ``sumaria``, whose panel weights stand in where a file of persons has none.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.enaho import clean_panel
    >>> from juntos_eval.surveys.synthetic import write_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_panel(Path(folder), seed=1, households=300, releases=(2011,), modules=("sumaria",))
    ...     panel = clean_panel(RawFolder.at(folder), 2011, "sumaria").frame
    >>> sorted(panel["year"].unique().tolist()), bool(panel["waves"].max() == 5)
    ([2007, 2008, 2009, 2010, 2011], True)
    """
    release, annual = release_of_last(last), _ANNUAL[name]
    file = read_panel_file(raw, release, annual.table)
    units = panel_units(file.frame, release, annual.table)
    made: list[pd.DataFrame] = []
    dropped: Counter[str] = Counter()
    notes: Counter[str] = Counter(units.notes)
    for year in release.waves:
        if not load_codebook("enaho").maps(annual.table, year):
            dropped[f"wave {year}: its raw names stand in no document seen"] = int(
                units.is_present[year].sum()
            )
            continue
        if not units.is_present[year].any():
            continue
        wave = _wave(file, units, annual, release, year)
        made.append(wave.frame)
        dropped.update(wave.provenance.dropped)
        notes.update(wave.provenance.notes)
    if not made:
        raise SchemaError(
            f"No wave of the {name} file of the panel {release.first}-{release.last} can be cleaned",
            where=file.path.name,
            remedy="its raw names stand in no document seen: a sourced row of columns.csv would open it",
        )
    frame = _together(made, PANEL_SCHEMAS[name])
    if frame["panel_weight"].isna().all() and households is not None:
        frame, borrowed = _with_weights_of(frame, households)
        notes.update({"panel weights taken from the release's sumaria": borrowed} if borrowed else {})
    account = Provenance(
        survey=PANEL,
        table="",
        year=last,
        inputs=(InputFile.of(file),),
        rows_in=int(units.is_present.to_numpy().sum()),
        rows_out=0,
        dropped={reason: rows for reason, rows in dropped.items() if rows},
        notes=notes,
        details={"window": list(release.window), "units": len(file.frame)},
        is_synthetic=raw.is_synthetic,
    )
    return finish(frame, PANEL_SCHEMAS[name], account)


def _wave(file: RawTable, units: PanelUnits, annual: _Annual, release: PanelRelease, year: int) -> CleanTable:
    """Clean one wave and say whose its rows are."""
    opened = open_wave(file, table=annual.table, window=release.window, year=year)
    made = annual.make(opened, year=year)
    name = "person_id" if annual.is_person else "household_id"
    ids = clean.person_id(opened.frame) if annual.is_person else clean.household_id(opened.frame)
    row_of = pd.Series(opened.frame.index, index=ids)
    rows = row_of.loc[made.frame[name]].to_numpy()
    frame = made.frame.copy()
    frame["unit"] = units.number.loc[rows].to_numpy()
    frame["entered"] = units.entered.loc[rows].to_numpy().astype("int64")
    frame["waves"] = units.waves.loc[rows].to_numpy().astype("int64")
    for column, span, kind in (
        ("is_balanced", release.window, units.links),
        ("is_linked_before", (year - 1, year), units.links),
        ("panel_weight", release.window, units.weights),
        ("link_weight", (year - 1, year), units.weights),
    ):
        is_flag = kind is units.links
        values = kind[span].loc[rows].to_numpy() if span in kind else None
        if values is None:
            is_known_not = column == "is_linked_before" and year == release.first
            frame[column] = False if is_known_not else (pd.NA if is_flag else float("nan"))
        else:
            frame[column] = values
        frame[column] = frame[column].astype("boolean" if is_flag else "float64")
    return CleanTable(frame=frame, provenance=made.provenance)


def _together(waves: list[pd.DataFrame], schema: TableSchema) -> pd.DataFrame:
    """Stack the waves under the types of the schema: a year's categories may lack another's labels."""
    fields = {field.name: field for field in schema.fields}
    labelled = [name for name, field in fields.items() if field.dtype == "category"]
    plain = [wave.astype(dict.fromkeys(labelled, "object")) for wave in waves]
    frame = pd.concat(plain, ignore_index=True)
    for name in labelled:
        frame[name] = frame[name].astype(pd.CategoricalDtype(list(fields[name].labels)))
    return frame.sort_values(["unit", "year"], ignore_index=True)


def _with_weights_of(frame: pd.DataFrame, households: CleanTable) -> tuple[pd.DataFrame, int]:
    """Take panel weights of households by household and wave, for persons that are linked."""
    names = ["panel_weight", "link_weight"]
    known = households.frame.set_index(["household_id", "year"])[names]
    own = known.reindex(pd.MultiIndex.from_frame(frame[["household_id", "year"]])).reset_index(drop=True)
    own.index = frame.index
    linked = {
        "panel_weight": frame["is_balanced"].fillna(value=False).astype(bool),
        "link_weight": frame["is_linked_before"].fillna(value=False).astype(bool),
    }
    taken = {name: own[name].where(linked[name]) for name in names}
    return frame.assign(**taken), int(taken["panel_weight"].notna().sum())
