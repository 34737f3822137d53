"""Synthetic districts, and the table of ubigeos that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from juntos_eval.arrays import Codes
from juntos_eval.paths import write_atomically
from juntos_eval.surveys.synthetic.parameters import margin

__all__ = ["district_rows", "draw_districts", "write_districts"]

# The real table has districts too young to have figures, and one row without INEI's code.
YOUNG_DISTRICTS: Final = 18
ALTITUDE_SPREAD_M: Final = (150, 200, 400, 400, 500, 500, 350, 100)
PROVINCE_SIZE: Final = 9


def draw_districts(rng: np.random.Generator) -> pd.DataFrame:
    r"""Draw the districts of the frame.

    District d of region r has the poverty rate ``expit(logit(p_r) + 0.55 z_d)``; its altitude scatters
    around the region's; its human development falls with poverty.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        One row a district, sorted by ubigeo: ``ubigeo department province district dominio poverty_rate
        extreme_poverty_rate altitude_m latitude longitude human_development_index area_km2 density`` and
        codes.
    """
    regions = margin("regions").reset_index(names="region")
    frame = regions.loc[regions.index.repeat(regions["districts"])].reset_index(drop=True)
    n = len(frame)
    spread = np.asarray(ALTITUDE_SPREAD_M)[frame["dominio"].to_numpy() - 1]
    poverty = expit(logit(frame["poverty"].to_numpy()) + 0.55 * rng.standard_normal(n))
    area = np.exp(rng.normal(5.3, 1.2, n))
    frame = frame.assign(
        poverty_rate=poverty,
        extreme_poverty_rate=poverty**2 * rng.uniform(0.6, 1.1, n),
        altitude_m=np.clip(frame["altitude_m"] + spread * rng.standard_normal(n), 5, 4700).round(),
        latitude=np.clip(frame["latitude"] + rng.uniform(-0.7, 0.7, n), -18.2, -0.2),
        longitude=np.clip(frame["longitude"] + rng.uniform(-0.7, 0.7, n), -81.2, -68.8),
        human_development_index=np.clip(0.62 - 0.6 * poverty + 0.05 * rng.standard_normal(n), 0.09, 0.85),
        area_km2=area,
        density=np.exp(rng.normal(5.5, 1.5, n) - 3.0 * poverty) / np.sqrt(area / 100),
    )
    return _number(frame)


def _number(frame: pd.DataFrame) -> pd.DataFrame:
    """Give codes by department, province of nine and district; every name says that it is synthetic."""
    frame = frame.sort_values(["code", "region"], kind="stable").reset_index(drop=True)
    within = frame.groupby("code").cumcount()
    province = within // PROVINCE_SIZE + 1
    province_of_all = frame.groupby(["code", province.rename("p")]).ngroup() + 1
    return frame.assign(
        ubigeo=frame["code"]
        + province.astype(str).str.zfill(2)
        + (within % PROVINCE_SIZE + 1).astype(str).str.zfill(2),
        province="PROVINCIA SINTETICA " + province_of_all.astype(str).str.zfill(3),
        district="Distrito sintético " + pd.Series(range(1, len(frame) + 1)).astype(str).str.zfill(4),
    )


def write_districts(path: Path, districts: pd.DataFrame) -> Path:
    """Write ``ubigeo_distrito.csv`` with the columns, spelling and NA of the real table.

    Parameters
    ----------
    path : Path
    districts : pandas.DataFrame
        From ``draw_districts``.

    Returns
    -------
    Path
    """
    table = pd.DataFrame(
        {
            "inei": districts["ubigeo"],
            "reniec": districts["ubigeo"],
            "departamento": districts["department"],
            "provincia": districts["province"],
            "distrito": districts["district"].str.upper(),
            "region": districts["department"],
            "macroregion_inei": districts["macroregion"],
            "macroregion_minsa": "MACROREGION " + districts["macroregion"],
            "iso_3166_2": "PE-" + districts["iso"],
            "fips": districts["code"],
            "capital": "Capital de " + districts["district"].str.lower(),
            "superficie": _decimals(districts["area_km2"], 2),
            "pob_densidad_2020": _decimals(districts["density"], 14),
            "altitude": _decimals(districts["altitude_m"], 0),
            "latitude": _decimals(districts["latitude"], 13),
            "longitude": _decimals(districts["longitude"], 13),
            "indice_vulnerabilidad_alimentaria": _decimals(0.1 + 0.9 * districts["poverty_rate"] ** 0.8, 14),
            "idh_2019": _decimals(districts["human_development_index"], 14),
            "pct_pobreza_total": _decimals(100 * districts["poverty_rate"], 6),
            "pct_pobreza_extrema": _decimals(100 * districts["extreme_poverty_rate"], 6),
        }
    )
    whole = pd.concat([table, _without_figures(table, districts)], ignore_index=True)
    ordered = whole.sort_values("inei", kind="stable")
    return write_atomically(path, ordered.to_csv(index=False, lineterminator="\n"))


def district_rows(path: Path) -> int:
    """Count the rows of a district file: those without figures stand in it too."""
    return len(pd.read_csv(path, usecols=["reniec"], dtype=str))


def _decimals(values: pd.Series, digits: int) -> pd.Series:
    return values.map(lambda value: f"{value:.{digits}f}")


def _without_figures(table: pd.DataFrame, districts: pd.DataFrame) -> pd.DataFrame:
    """Districts newer than the figures, at the end of the departments, and one that INEI has not numbered."""
    departments: Codes = np.linspace(0, 24, YOUNG_DISTRICTS).astype(np.int64)
    codes = sorted(districts["code"].unique())
    chosen = [codes[position] for position in departments]
    first = table.drop_duplicates("departamento").set_index(
        table["inei"].str[:2].drop_duplicates().to_numpy()
    )
    rows = first.loc[[*chosen, codes[-1]]].reset_index(drop=True)
    number = pd.Series(range(len(rows))).astype(str).str.zfill(2)
    new_codes = pd.Series([*chosen, codes[-1]]) + "99" + number
    rows["inei"] = new_codes.where(rows.index < YOUNG_DISTRICTS, "NA")
    rows["reniec"] = new_codes
    rows["distrito"] = "DISTRITO SINTÉTICO SIN CIFRAS " + number
    rows.loc[:, "capital":] = "NA"
    return rows
