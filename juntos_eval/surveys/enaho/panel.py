r"""ENAHO's panel releases: five waves side by side, to one row a unit and year, and who was lost on the way.

A release of 2007-2011 ... 2020-2024 is *wide*: each item of the annual file stands once a wave, with the
year as a suffix (``pobreza_07 ... pobreza_11``; ``POBREZA07`` without a bar in the release of 2007-2010).
Units get a number of their own (``num_hog``, ``cenl``, ``numpanh``, ``numper``), since ``conglome`` was
renumbered between waves: four digits to 2011, six later. Pairs of waves have a link and a weight of their
own (``hpan0711``, ``facpanel1718``).

A wave, its suffix taken off, is an annual raw table: the same ``columns.csv`` and ``codes.csv`` harmonise it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError
from juntos_eval.surveys.harmonise import Harmonised, harmonise
from juntos_eval.surveys.read import RawTable

__all__ = [
    "HOUSEHOLD_UNITS",
    "PAIR",
    "PERSON_UNITS",
    "PanelLayout",
    "attrition",
    "item_of",
    "open_wave",
    "panel_layout",
    "panel_to_long",
    "panel_wave",
    "poverty_transition",
]

#: Last wave -> column that numbers households in the release, by INEI's dictionaries.
HOUSEHOLD_UNITS: Final = FrozenMapping(
    {
        2010: "cod_hogpan",
        2011: "num_hog",
        2015: "num_hog",
        2016: "cenl",
        2017: "cenl",
        **dict.fromkeys(range(2018, 2025), "numpanh"),
    }
)
#: Last wave -> column that numbers persons.
PERSON_UNITS: Final = FrozenMapping(
    {2016: "num", 2017: "p201p", **dict.fromkeys(range(2018, 2025), "numper")}
)

#: Links and weights of two waves or more: ``hpan0711 hpanel_1519 hpanel_19_21s perpanel_18_22 facpan1519``.
PAIR: Final = re.compile(
    r"^(hpan|hpanel|hogpan|perpanel|perpan|pan|fac_?panel|facpan|tmie)_?(\d\d)_?(\d\d)s?$"
)
#: What the old releases call keys and weights of a wave.
_KEYS: Final = {
    "con": "conglome",
    "viv": "vivienda",
    "hog": "hogar",
    "codp": "codperso",
    "domionio": "dominio",
    "fac": "factor07",
    "fac5": "fac500a",
    "facpob": "facpob07",
}
#: Keys that some releases write once for all waves: name in a wave -> in the oldest releases.
_OF_UNIT: Final = {"conglome": "cong", "vivienda": "vivi"}
#: Weights that newer releases write without the year of the last wave.
_OF_LAST_WAVE: Final = ("factor07", "facpob07", "factora07", "fac500a")
#: Numbers of the unit in each wave, without a bar before the year.
_BARE: Final = re.compile(r"^(numpanh|num)(\d{1,2})$")
#: Present in a wave who has one of these: every interview has a date and a place.
_PRESENCE: Final = ("mes", "conglome", "ubigeo", "año")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelLayout:
    """Which columns of a wide file are whose.

    Attributes
    ----------
    waves : FrozenMapping of int to Mapping of str to str
        Year -> (item in lower case, without its suffix -> column).
    pairs : tuple of str
        Links and weights between waves.
    fixed : tuple of str
        Columns of the unit, without a year.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel import panel_layout
    >>> layout = panel_layout(["numpanh", "mes_18", "mes_19", "facpanel1819"], window=(2018, 2019))
    >>> dict(layout.waves[2019]), layout.pairs, layout.fixed
    ({'mes': 'mes_19'}, ('facpanel1819',), ('numpanh',))
    """

    waves: FrozenMapping[int, Mapping[str, str]]
    pairs: tuple[str, ...]
    fixed: tuple[str, ...]


def panel_layout(columns: Iterable[str], *, window: tuple[int, int]) -> PanelLayout:
    """Sort the columns of a wide file by wave.

    Parameters
    ----------
    columns : iterable of str
    window : (int, int)
        First and last year of the release.

    Returns
    -------
    PanelLayout

    Raises
    ------
    SchemaError
        If no column bears a year of the window, or two are the same item of one wave.
    """
    names = [str(column) for column in columns]
    years = range(window[0], window[1] + 1)
    bar = "_" if any(re.search(rf"_{year % 100:02d}$", name) for year in years for name in names) else ""
    waves: dict[int, dict[str, str]] = {year: {} for year in years}
    pairs: list[str] = []
    fixed: list[str] = []
    for name in names:
        if PAIR.match(name.lower()):
            pairs.append(name)
            continue
        item, year = item_of(name.lower(), bar, years)
        if year is None and item in _OF_LAST_WAVE:
            year = window[1]
        if year is None:
            fixed.append(name)
        elif item in waves[year]:
            raise SchemaError(
                f"{name} and {waves[year][item]} are both the {item} of {year}",
                where=f"panel {window[0]}-{window[1]}",
                remedy="drop one of them",
            )
        else:
            waves[year][item] = name
    if not any(waves.values()):
        raise SchemaError(
            f"No column bears a year of {window[0]}-{window[1]}",
            where=f"{len(names)} columns",
            remedy="is the window the release's? Wide files end their items in the year: mes_18",
        )
    return PanelLayout(waves=FrozenMapping(waves), pairs=tuple(pairs), fixed=tuple(fixed))


def item_of(name: str, bar: str, years: range) -> tuple[str, int | None]:
    """Return the item and the wave of a column in lower case; no wave where it bears no year of the window.

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.panel import item_of
    >>> item_of("fac_07", "_", range(2007, 2012)), item_of("nbi1", "_", range(2007, 2012))
    (('factor07', 2007), ('nbi1', None))
    """
    bare = _BARE.match(name)
    if bare and 2000 + int(bare[2]) in years:
        return bare[1], 2000 + int(bare[2])
    found = re.match(rf"^(.+){bar}(\d\d)$", name)
    if found and 2000 + int(found[2]) in years:
        item = found[1].removesuffix("_20") if bar else found[1]
        item = "año" if re.match(r"^a.{1,3}o$", item) else item
        return _KEYS.get(item, item), 2000 + int(found[2])
    long_year = re.match(r"^(.+)_(20\d\d)$", name)
    if long_year and int(long_year[2]) in years:
        return long_year[1], int(long_year[2])
    return name, None


def _is_present(wave: pd.DataFrame) -> pd.Series:
    marks = [name for name in _PRESENCE if name in wave] or list(wave.columns)
    filled = pd.DataFrame(
        {name: wave[name].notna() & wave[name].astype("str").str.strip().ne("") for name in marks}
    )
    return filled.any(axis=1)


def panel_to_long(
    frame: pd.DataFrame, *, unit: str, window: tuple[int, int], items: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return one row a unit and wave in which it was interviewed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Wide, one row a unit.
    unit : str
        Column that numbers the units, in any letter case (``HOUSEHOLD_UNITS``, ``PERSON_UNITS``).
    window : (int, int)
        First and last year of the release.
    items : iterable of str, optional
        Items wanted, without suffix and in lower case; all by default. An item that a wave lacks is missing
        there.

    Returns
    -------
    pandas.DataFrame
        ``unit year`` and the items; sorted by both. ``conglome``, ``vivienda`` and ``hogar``, where there,
        are padded to 6, 3 and 2 digits.

    Raises
    ------
    SchemaError
        If the unit's column is not there, has missing numbers or repeats.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel import panel_to_long
    >>> wide = pd.DataFrame({"numpanh": [1, 2], "mes_18": [3, None], "mes_19": [4, 5], "pobreza_19": [3, 1]})
    >>> panel_to_long(wide, unit="numpanh", window=(2018, 2019))[["unit", "year"]].values.tolist()
    [[1, 2018], [1, 2019], [2, 2019]]
    """
    layout = panel_layout(frame.columns, window=window)
    number = _unit(frame, unit, layout)
    wanted = None if items is None else set(items)
    known = {item for wave in layout.waves.values() for item in wave}
    if wanted is not None and wanted - known:
        raise SchemaError(
            f"No wave has {', '.join(sorted(wanted - known))}",
            where=f"panel {window[0]}-{window[1]}",
            remedy="name items without their suffix, in lower case",
        )
    pieces = []
    for year in layout.waves:
        wave = panel_wave(frame, window=window, year=year)
        listed = wave.reindex(columns=[item for item in wave if wanted is None or item in wanted])
        listed.insert(0, "unit", number[wave.index])
        listed.insert(1, "year", year)
        pieces.append(listed)
    filled = [piece for piece in pieces if len(piece)]
    long = pd.concat(filled, ignore_index=True) if filled else pieces[0]
    return long.sort_values(["unit", "year"], ignore_index=True)


def _unit(frame: pd.DataFrame, unit: str, layout: PanelLayout) -> pd.Series:
    found = [name for name in layout.fixed if name.lower() == unit.lower()]
    if not found:
        raise SchemaError(
            f"No column {unit} numbers the units",
            where=f"{len(layout.fixed)} columns without a year: {', '.join(layout.fixed[:8])}",
            remedy="name the one of the release: HOUSEHOLD_UNITS and PERSON_UNITS list them",
        )
    number = frame[found[0]]
    missing, repeated = int(number.isna().sum()), int(number.duplicated(keep=False).sum())
    if missing or repeated:
        raise SchemaError(
            f"{found[0]} does not name one row: {missing:,} missing, {repeated:,} repeated",
            where=f"{len(frame):,} rows",
            remedy="use the file as published; person files are numbered by person",
        )
    return number


def panel_wave(frame: pd.DataFrame, *, window: tuple[int, int], year: int) -> pd.DataFrame:
    """Return one wave in the shape of the annual file: those interviewed, items without suffix.

    Parameters
    ----------
    frame : pandas.DataFrame
        Wide.
    window : (int, int)
    year : int

    Returns
    -------
    pandas.DataFrame
        With the row labels of ``frame``.

    Raises
    ------
    SchemaError
        If the year is outside the window.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel import panel_wave
    >>> wide = pd.DataFrame({"num_hog": [1, 2], "con_07": ["153", None], "mes_07": ["01", None]})
    >>> panel_wave(wide, window=(2007, 2007), year=2007).values.tolist()
    [['000153', '01']]
    """
    layout = panel_layout(frame.columns, window=window)
    if year not in layout.waves:
        raise SchemaError(
            f"The release {window[0]}-{window[1]} has no wave {year}", remedy="name one of its years"
        )
    columns = layout.waves[year]
    wave = frame[list(columns.values())].set_axis(list(columns), axis=1)
    wave = wave[_is_present(wave)].copy()
    for key, unchanging in _OF_UNIT.items():
        own = next((name for name in layout.fixed if name.lower() in {key, unchanging}), None)
        if key not in wave and own is not None:
            wave[key] = frame.loc[wave.index, own]
    for key, width in (("conglome", 6), ("vivienda", 3), ("hogar", 2)):
        if key in wave:
            text = wave[key].astype("str").str.replace(r"\.0$", "", regex=True).str.strip()
            wave[key] = text.where(wave[key].isna(), text.str.zfill(width))
    return wave


def open_wave(raw: RawTable, *, table: str, window: tuple[int, int], year: int) -> Harmonised:
    """Harmonise one wave of a wide file with the maps of its year's annual file.

    Parameters
    ----------
    raw : RawTable
        The wide file as read.
    table : str
        ``sumaria``, ``education``, ...
    window : (int, int)
    year : int

    Returns
    -------
    Harmonised

    Raises
    ------
    SchemaError
        As for the annual file.
    """
    wave = replace(raw, frame=panel_wave(raw.frame, window=window, year=year), expected_rows=None)
    return harmonise(wave, survey="enaho", table=table, year=year)


def attrition(long: pd.DataFrame, *, weight: str | None = None) -> pd.DataFrame:
    """Count, by wave of entry and year, who is still there.

    Parameters
    ----------
    long : pandas.DataFrame
        ``unit year``, one row an interview.
    weight : str, optional
        Column whose value at entry weights the share retained.

    Returns
    -------
    pandas.DataFrame
        ``entered year units present retained returned``: units that entered in that wave; those interviewed
        in the year; their share, weighted where a weight is given; those among them who had missed a wave.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel import attrition
    >>> seen = pd.DataFrame({"unit": [1, 1, 1, 2, 2, 3], "year": [2018, 2019, 2020, 2018, 2020, 2019]})
    >>> attrition(seen)[["year", "units", "present", "returned"]].values.tolist()
    [[2018, 2, 2, 0], [2019, 2, 1, 0], [2020, 2, 2, 1], [2019, 1, 1, 0], [2020, 1, 0, 0]]
    """
    repeated = int(long.duplicated(["unit", "year"]).sum())
    if repeated:
        raise SchemaError(
            f"{repeated:,} interviews stand twice", where="attrition", remedy="give one row a unit and year"
        )
    seen = long.assign(one=1).pivot_table(index="unit", columns="year", values="one", aggfunc="sum").notna()
    years = seen.columns.to_numpy()
    matrix = seen.to_numpy()
    entered = years[matrix.argmax(axis=1)]
    weights = np.ones(len(seen))
    if weight is not None:
        at_entry = long.sort_values("year").drop_duplicates("unit").set_index("unit")[weight]
        weights = at_entry.reindex(seen.index).to_numpy(dtype=float)
    rows = []
    for first in np.unique(entered):
        own = entered == first
        for position in np.flatnonzero(years >= first):
            present = matrix[:, position] & own
            start = int(np.flatnonzero(years == first)[0])
            missed = ~matrix[:, start:position].all(axis=1)
            rows.append(
                {
                    "entered": int(first),
                    "year": int(years[position]),
                    "units": int(own.sum()),
                    "present": int(present.sum()),
                    "retained": float(weights[present].sum() / weights[own].sum()),
                    "returned": int((present & missed).sum()),
                }
            )
    return pd.DataFrame(rows)


def poverty_transition(was_poor: pd.Series, is_poor: pd.Series) -> pd.Series:
    """Return what became of each unit between two waves; missing where one of them is.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel import poverty_transition
    >>> was = pd.Series([False, True, False, True], dtype="boolean")
    >>> poverty_transition(was, pd.Series([True, True, False, None], dtype="boolean")).tolist()
    ['falls_into_poverty', 'stays_poor', 'stays_out', nan]
    """
    labels = pd.CategoricalDtype(["falls_into_poverty", "stays_poor", "stays_out", "leaves_poverty"])
    known = (was_poor.notna() & is_poor.notna()).to_numpy()
    was, now = (flags.fillna(value=False).to_numpy(dtype=bool) for flags in (was_poor, is_poor))
    names = np.select(
        [~was & now, was & now, ~was & ~now],
        ["falls_into_poverty", "stays_poor", "stays_out"],
        "leaves_poverty",
    )
    return pd.Series(names, index=was_poor.index, dtype="object").where(known).astype(labels)
