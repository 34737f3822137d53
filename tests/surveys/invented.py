"""A small survey of invented households, written the way INEI writes its files, for tests to damage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder

YEAR = "AÑO"
KEYS = ["CONGLOME", "VIVIENDA", "HOGAR"]


@dataclass
class RawSurvey:
    """Raw tables of one year as text, under INEI's names of 2025; a test changes them, then writes them."""

    year: int
    members: pd.DataFrame
    programmes: pd.DataFrame
    food_security: pd.DataFrame
    dwellings: pd.DataFrame
    districts: pd.DataFrame
    is_synthetic: bool = True
    encoding: str = "latin-1"
    files: dict[str, Path] = field(default_factory=dict)

    def write(self, root: Path) -> RawFolder:
        """Write every table below a raw folder."""
        folder = root / "enaho" / str(self.year)
        folder.mkdir(parents=True, exist_ok=True)
        (root / "geo").mkdir(exist_ok=True)
        if self.year == 2024:
            self._write_stata(folder)
        else:
            self._write_csv(folder)
        self.files["districts"] = root / "geo" / "ubigeo_distrito.csv"
        self.districts.to_csv(self.files["districts"], index=False, encoding="utf-8")
        if self.is_synthetic:
            (root / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
        return RawFolder.at(root)

    def _write_csv(self, folder: Path) -> None:
        for name, module in (("members", 200), ("programmes", 700), ("food_security", 130)):
            self.files[name] = folder / f"Enaho01-{self.year}-{module}.csv"
            table: pd.DataFrame = getattr(self, name)
            table.to_csv(self.files[name], index=False, encoding=self.encoding)
        self.files["dwellings"] = folder / "module100-household-derived.parquet"
        self.dwellings.to_parquet(self.files["dwellings"], index=False)

    def _write_stata(self, folder: Path) -> None:
        for name, module in (("members", 200), ("programmes", 700)):
            self.files[name] = folder / f"enaho01-{self.year}-{module}.dta"
            as_stata(getattr(self, name)).to_stata(self.files[name], write_index=False, version=118)


def as_stata(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as INEI's Stata files hold it: lower case, keys text, the rest numbers."""
    lower = table.rename(columns=lambda name: name.lower().replace("$", "_"))
    is_text = {"mes", "conglome", "vivienda", "hogar", "codperso", "ubigeo"}
    return pd.DataFrame(
        {name: lower[name] if name in is_text else pd.to_numeric(lower[name]) for name in lower}
    )


def invent(year: int = 2025, households: int = 60, seed: int = 1) -> RawSurvey:
    """Invent households of four to six lines: a couple, children of 7 and 15, a domestic, a former member."""
    rng = np.random.default_rng(seed)
    place = pd.DataFrame(
        {
            YEAR: str(year),
            "MES": [f"{1 + row % 12:02d}" for row in range(households)],
            "CONGLOME": [f"{15000 + row // 4:06d}" for row in range(households)],
            "VIVIENDA": [f"{1 + 11 * (row % 4):03d}" for row in range(households)],
            "HOGAR": "11",
            "UBIGEO": [f"{10101 + (row // 12):06d}" for row in range(households)],
            "DOMINIO": [str(1 + row // 4 % 8) for row in range(households)],
            "ESTRATO": [str(1 + row // 4 % 8) for row in range(households)],
        }
    )
    weights = [f"{weight:.6f}" for weight in rng.uniform(50, 400, households)]
    return RawSurvey(
        year=year,
        members=_members(place, weights, rng),
        programmes=_programmes(place, weights, rng),
        food_security=_food_security(place, weights, rng),
        dwellings=_dwellings(place, weights, rng),
        districts=_districts(place),
    )


def _members(place: pd.DataFrame, weights: list[str], rng: np.random.Generator) -> pd.DataFrame:
    # relation, member, absent, present, sex, age, marital status
    lines = [
        ("1", "1", "2", "", "1", "41", "2"),
        ("2", "1", "2", "", "2", "38", "2"),
        ("3", "1", "2", "", "2", "7", ""),
        ("3", "1", "2", "", "1", "15", "6"),
        ("8", "2", "", "1", "2", "16", "6"),
        ("0", "", "", "", "", "", ""),
    ]
    rows = []
    for number, household in enumerate(place.to_dict("records")):
        for person, line in enumerate(lines[: 4 + number % 3], start=1):
            names = ("P203", "P204", "P205", "P206", "P207", "P208A", "P209")
            row: dict[str, str] = {str(name): value for name, value in household.items()}
            row |= {"CODPERSO": f"{person:02d}", **dict(zip(names, line, strict=True))}
            row |= _child_work(line[5], rng)
            rows.append(row | {"FACPOB07": weights[number]})
    return pd.DataFrame(rows)


def _child_work(age: str, rng: np.random.Generator) -> dict[str, str]:
    if not age or not 5 <= int(age) <= 17:
        return {"P210": "", "P211A": "", "T211": ""}
    if rng.uniform() < 0.2:
        return {"P210": "1", "P211A": "", "T211": ""}
    task = str(rng.choice(["1", "4", "8", "9", "10"]))
    return {"P210": "2", "P211A": task, "T211": "11" if task == "10" else task}


def _programmes(place: pd.DataFrame, weights: list[str], rng: np.random.Generator) -> pd.DataFrame:
    is_silent = np.arange(len(place)) % 10 == 9
    answers = np.where(is_silent, "", np.where(rng.uniform(size=len(place)) < 0.3, "1", "0"))
    return place.assign(
        P710I=np.where(is_silent, "00", "01"),
        **{"P710$04": answers, "P710$05": np.where(is_silent, "", "0")},
        **{"P701$03": np.where(is_silent, "", "1"), "P701$04": np.where(is_silent, "", "0")},
        FACTOR07=weights,
    )


def _food_security(place: pd.DataFrame, weights: list[str], rng: np.random.Generator) -> pd.DataFrame:
    severities = np.array([-2.0, -1.5, -1.0, 0.5, -0.4, 0.9, 1.2, 1.6])
    chance = 1.0 / (1.0 + np.exp(severities - rng.normal(0.0, 1.5, size=(len(place), 1))))
    answers = np.where(rng.uniform(size=chance.shape) < chance, "1", "2")
    answers[3, 2] = "3"
    answers[5, 6] = "4"
    answers[8, :] = ""
    items = {f"P130_{item + 1}": answers[:, item] for item in range(8)}
    return place.assign(CODINFOR="1", **items, FACTOR07=weights)


def _dwellings(place: pd.DataFrame, weights: list[str], rng: np.random.Generator) -> pd.DataFrame:
    kept = place.iloc[: len(place) - 5]
    ones = np.ones(len(kept), dtype=np.int64)
    return pd.DataFrame(
        {
            "anio": kept[YEAR].astype(int),
            **{name.lower(): kept[name].astype(int) for name in (*KEYS, "UBIGEO")},
            "latitud": -9.5,
            "longitud": -75.25,
            "altitud": rng.uniform(0, 4500, len(kept)),
            "material_pared_cod": 3.0 * ones,
            "material_piso_cod": 6.0 * ones,
            "material_techo_cod": 4.0 * ones,
            "habitaciones_total": 2.0 * ones,
            "fuente_agua_cod": np.arange(len(kept)) % 2 + 1,
            "servicio_higienico_cod": 1 + 4 * (np.arange(len(kept)) % 2),
            "tiene_electricidad_ind": ones,
            "nbi_vivienda_inadecuada_ind": 0 * ones,
            "nbi_hacinamiento_ind": np.arange(len(kept)) % 2,
            "nbi_sin_servicio_higienico_ind": 0 * ones,
            "nbi_ninios_no_asisten_ind": 0 * ones,
            "nbi_alta_dependencia_ind": ones,
            "factor_expansion": [float(weight) for weight in weights[: len(kept)]],
        }
    )


def _districts(place: pd.DataFrame) -> pd.DataFrame:
    codes = sorted(place["UBIGEO"].unique())
    return pd.DataFrame(
        {
            "inei": [*codes, "NA"],
            "departamento": "AMAZONAS",
            "provincia": "CHACHAPOYAS",
            "distrito": [f"DISTRITO Ñ {number}" for number in range(len(codes) + 1)],
            "altitude": 2338,
            "latitude": -6.2,
            "longitude": -77.8,
            "idh_2019": 0.5,
            "pct_pobreza_total": 25.0,
            "pct_pobreza_extrema": 5.0,
        }
    )
