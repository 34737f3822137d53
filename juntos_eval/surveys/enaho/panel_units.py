"""Who is who in a wide panel file: the unit's number, links between waves, weights of the panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho.panel import PAIR, panel_layout, panel_wave
from juntos_eval.surveys.enaho.panel_release import PanelRelease

__all__ = ["PanelUnits", "panel_units", "units_of"]

_HOUSEHOLD_LINKS: Final = ("hpan", "hpanel", "hogpan")
_PERSON_LINKS: Final = ("perpanel", "perpan", "pan")
_WEIGHTS: Final = ("fac_panel", "facpanel", "facpan")
#: The note of files that number nobody: 2013-2017 of employment is one.
BY_ROW: Final = "units numbered by row: the file has no number that names one"
#: The note of files whose dwellings, numbered anew each year, do not name a person with the rest of the key.
REPEATED_PARTS: Final = "units numbered by row: the parts of their number repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelUnits:
    """What a wide file says of its units, one row a unit under the labels of the wide frame.

    Attributes
    ----------
    number : pandas.Series
        Text that names the unit within its release.
    is_present : pandas.DataFrame
        Whether the unit was interviewed, a column a wave.
    links, weights : mapping of (int, int) to pandas.Series
        First and last wave -> whether the release links the unit over them; its weight (missing where not).
    notes : mapping of str to int

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel_release import load_releases
    >>> from juntos_eval.surveys.enaho.panel_units import panel_units
    >>> wide = pd.DataFrame({"numpanh": [1, 2], "mes_18": [3, 4], "mes_19": [3, None], "hpan1819": [1, 0]})
    >>> units = panel_units(wide, load_releases()[2018], "sumaria")
    >>> units.number.tolist(), units.is_present[2018].tolist()
    (['1', '2'], [True, True])
    """

    number: pd.Series
    is_present: pd.DataFrame
    links: Mapping[tuple[int, int], pd.Series]
    weights: Mapping[tuple[int, int], pd.Series]
    notes: Mapping[str, int]

    @property
    def entered(self) -> pd.Series:
        """First wave in which the unit was interviewed; missing where in none."""
        years = self.is_present.columns.to_numpy(dtype=float)
        first = years[self.is_present.to_numpy().argmax(axis=1)]
        return pd.Series(first, index=self.number.index).where(self.is_present.any(axis=1))

    @property
    def waves(self) -> pd.Series:
        """Waves in which the unit was interviewed."""
        return self.is_present.sum(axis=1)


def panel_units(frame: pd.DataFrame, release: PanelRelease, table: str) -> PanelUnits:
    """Read who the rows of a wide file are, and which waves the release links.

    The declared number is taken where it names one row each; else the rows are numbered, which a note says:
    within one file a row is one unit, and nothing is merged on such a number.

    Parameters
    ----------
    frame : pandas.DataFrame
        Wide, one row a unit.
    release : PanelRelease
    table : str
        ``sumaria``, ``employment``, ...

    Returns
    -------
    PanelUnits

    Raises
    ------
    SchemaError
        If no column bears a year of the window, or a declared number is missing or repeats.
    """
    layout = panel_layout(frame.columns, window=release.window)
    is_person = table not in {"sumaria", "housing"}
    present = pd.DataFrame(False, index=frame.index, columns=pd.Index(release.waves, dtype="int64"))
    for year in release.waves:
        if layout.waves[year]:
            present.loc[panel_wave(frame, window=release.window, year=year).index, year] = True
    number, notes = units_of(frame, layout.fixed, release.unit(table))
    kinds = _PERSON_LINKS if is_person else _HOUSEHOLD_LINKS
    links = dict(_spans(frame, layout.pairs, kinds)) or dict(_spans(frame, layout.pairs, _HOUSEHOLD_LINKS))
    weights = dict(_spans(frame, layout.pairs, _WEIGHTS))
    linked = {span: values.eq(1) for span, values in links.items()}
    # a gap of a year in between is no contradiction; an absent first or last wave is one
    inside = [span for span in linked if set(span) <= set(release.waves)]
    lacking = sum(int((linked[a, b] & ~(present[a] & present[b])).sum()) for a, b in inside)
    if lacking:
        notes["links to a wave in which this file has no interview"] = lacking
    return PanelUnits(
        number=number,
        is_present=present,
        links=linked,
        weights={span: values.where(values.gt(0)) for span, values in weights.items()},
        notes=notes,
    )


def units_of(
    frame: pd.DataFrame, fixed: tuple[str, ...], declared: tuple[str, ...]
) -> tuple[pd.Series, dict[str, int]]:
    """Return the number of each row, and a note where rows had to be counted.

    Parameters
    ----------
    frame : pandas.DataFrame
    fixed : tuple of str
        Columns without a year.
    declared : tuple of str
        Columns that number the rows together.

    Returns
    -------
    number : pandas.Series
    notes : dict of str to int

    Raises
    ------
    SchemaError
        If the columns are all there, and a number is missing, or one of a single column repeats.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel_units import units_of
    >>> wide = pd.DataFrame({"cong": ["01", "01"], "vivi": ["1", "1"], "p201p": [1, 2]})
    >>> units_of(wide, ("cong", "vivi", "p201p"), ("cong", "vivi", "p201p"))[0].tolist()
    ['01-1-1', '01-1-2']
    """
    by_name = {name.lower(): name for name in fixed}
    if not all(name in by_name for name in declared):
        return _by_row(frame), {BY_ROW: len(frame)}
    parts = [frame[by_name[name]] for name in declared]
    missing = int(pd.concat(parts, axis=1).isna().any(axis=1).sum())
    texts = [part.astype("str").str.replace(r"\.0$", "", regex=True).str.strip() for part in parts]
    number = texts[0]
    for text in texts[1:]:
        number = number + "-" + text
    repeated = int(number.duplicated(keep=False).sum())
    if repeated and len(declared) > 1:
        return _by_row(frame), {REPEATED_PARTS: repeated}
    if missing or repeated:
        raise SchemaError(
            f"{' + '.join(declared)} does not name one row: {missing:,} missing, {repeated:,} repeated",
            where=f"{len(frame):,} rows",
            remedy="use the file as published, one row a unit; was it concatenated or merged?",
        )
    return number, {}


def _by_row(frame: pd.DataFrame) -> pd.Series:
    count = pd.Series(np.arange(1, len(frame) + 1), index=frame.index).astype("str")
    return "row " + count.str.zfill(len(str(len(frame))))


def _spans(
    frame: pd.DataFrame, pairs: tuple[str, ...], kinds: tuple[str, ...]
) -> Iterator[tuple[tuple[int, int], pd.Series]]:
    """Yield spans of waves and their columns; of two spellings of one span, that without the s."""
    for name in sorted(pairs, key=lambda name: not name.lower().endswith("s")):
        found = PAIR.match(name.lower())
        if found and found[1] in kinds:
            values = pd.to_numeric(frame[name], errors="coerce")
            yield (2000 + int(found[2]), 2000 + int(found[3])), values
