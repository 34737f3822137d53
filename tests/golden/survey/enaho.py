"""Columns of the real ENAHO for enaho.R: `python enaho.py FOLDER` writes them into FOLDER, never git."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

ENAHO = Path(__file__).resolve().parents[4] / "shared" / "data" / "peru" / "enaho"


def programmes() -> pd.DataFrame:
    """Households of 2024 that answered whether they have Juntos."""
    columns = ["conglome", "dominio", "estrato", "factor07", "p710_04"]
    path = ENAHO / "2024" / "enaho01-2024-700.dta"
    frame = pd.read_stata(path, columns=columns, convert_categoricals=False)
    return frame.assign(stratum=frame["dominio"].astype(int) * 10 + frame["estrato"].astype(int))


def consumption() -> pd.DataFrame:
    """Households of 2020, their consumption a head and month (soles, not deflated), and poverty."""
    columns = ["conglome", "ubigeo", "estrato", "factor07", "mieperho", "gashog2d", "linea", "pobreza"]
    frame = pd.read_stata(ENAHO / "sumaria" / "sumaria-2020.dta", columns=columns, convert_categoricals=False)
    frame["region"] = frame["ubigeo"].str[:2].astype(int)
    return frame.assign(
        stratum=frame["region"] * 10 + frame["estrato"].astype(int),
        per_head_soles=frame["gashog2d"].astype(float) / 12 / frame["mieperho"],
        persons=frame["factor07"].astype(float) * frame["mieperho"],
        poor=(frame["pobreza"] < 3) * 1,
    )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    programmes().to_csv(target / "programmes.csv", index=False, float_format="%.17g")
    consumption().to_csv(target / "consumption.csv", index=False, float_format="%.17g")
