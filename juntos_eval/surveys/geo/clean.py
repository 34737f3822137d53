"""The district table: names, altitude, human development, poverty as shares."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.harmonise import open_table
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import Field, TableSchema, declared, finish

__all__ = ["DISTRICTS", "clean_districts"]

_SHARES: Final = ("poverty_rate", "extreme_poverty_rate")


def _number(name: str, least: float, most: float) -> Field:
    return declared("geo", "districts", name, dtype="float", is_nullable=True, limits=(least, most))


DISTRICTS: Final = TableSchema(
    name="districts",
    description="One row a district: where it lies and how poor it is",
    description_es="Una fila por distrito: dónde está y cuán pobre es",
    key=("ubigeo",),
    fields=(
        declared("geo", "districts", "ubigeo", dtype="str"),
        *(declared("geo", "districts", name, dtype="str") for name in ("department", "province", "district")),
        *(replace(_number(name, 0.0, 1.0), unit="share") for name in _SHARES),
        _number("altitude_m", -10.0, 6800.0),
        _number("human_development_index", 0.0, 1.0),
        _number("latitude", -18.5, 0.1),
        _number("longitude", -81.5, -68.5),
    ),
)


def clean_districts(raw: RawFolder) -> CleanTable:
    """Clean the district table; its poverty percentages become shares between 0 and 1.

    Parameters
    ----------
    raw : RawFolder

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
    >>> from juntos_eval.surveys.geo import clean_districts
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     districts = clean_districts(RawFolder.at(folder))
    >>> bool(districts.frame["poverty_rate"].dropna().between(0, 1).all())
    True
    """
    opened = open_table(raw, survey="geo", table="districts", year=None)
    listed = opened.frame
    frame = pd.DataFrame(index=listed.index)
    for name in DISTRICTS.names():
        frame[name] = listed[name] / 100.0 if name in _SHARES else listed[name]
    return finish(frame, DISTRICTS, opened.provenance(survey="geo", year=None))
