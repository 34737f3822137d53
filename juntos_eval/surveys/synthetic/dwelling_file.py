"""The third-party file on dwellings: one row a complete interview, its own Spanish names, integer keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic.outcomes import by_code
from juntos_eval.surveys.synthetic.parameters import COMPLETE_DWELLING
from juntos_eval.surveys.synthetic.population import Wave
from juntos_eval.surveys.synthetic.raw_layout import header

__all__ = ["DWELLING_FILE", "dwelling_table", "write_dwellings"]

DWELLING_FILE: Final = "module100-household-derived.parquet"
WITHOUT_PROGRAMMES: Final = 0.001

# Labels of codes that codes.csv does not map, for nothing reads them.
OTHER_LABELS: Final[dict[str, dict[int, str]]] = {
    "tipo_vivienda": {
        1: "Casa independiente",
        2: "Departamento en edificio",
        4: "Vivienda en casa de vecindad",
        5: "Choza o cabaña",
    },
    "tenencia_vivienda": {
        1: "Alquilada",
        2: "Propia totalmente pagada",
        3: "Propia por invasión",
        6: "Cedida por otro hogar o institución",
    },
    "nivel_cloro": {1: "Seguro", 2: "Inadecuada dosificación de cloro", 3: "Sin cloro"},
}
MAPPED_LABELS: Final = {
    "dominio": "dominio",
    "estrato": "estrato",
    "material_pared": "wall",
    "material_piso": "floor",
    "material_techo": "roof",
    "fuente_agua": "water_source",
    "servicio_higienico": "toilet",
    "combustible_cocina": "cooking_fuel",
}
NULLABLE: Final = (
    "alquiler",
    "altitud",
    "dias_agua",
    "factor",
    "gasto",
    "habitaciones",
    "horas_agua",
    "latitud",
    "longitud",
)
COAST, HIGHLANDS = (1, 2, 3, 8), (4, 5, 6)


def write_dwellings(folder: Path, wave: Wave, rng: np.random.Generator) -> Path | None:
    """Write the file of a year that has one.

    Parameters
    ----------
    folder : Path
        ``<root>/enaho/<year>``.
    wave : Wave
    rng : numpy.random.Generator

    Returns
    -------
    Path or None
    """
    if not header("dwellings", wave.year):
        return None
    path = folder / DWELLING_FILE
    with atomic_path(path) as partial, partial.open("wb") as stream:
        dwelling_table(wave, rng).to_parquet(stream, index=False)
    return path


def dwelling_table(wave: Wave, rng: np.random.Generator) -> pd.DataFrame:
    """Draw dwellings that are worse the poorer the household, and leave out incomplete interviews.

    Parameters
    ----------
    wave : Wave
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        80 columns.
    """
    chance = np.where(
        wave.households["has_answered_programmes"],
        by_code(COMPLETE_DWELLING, wave.households["estrato"]),
        WITHOUT_PROGRAMMES,
    )
    # The clusters' order is that of the survey's: month, then keys.
    home = wave.households.loc[rng.random(len(chance)) < chance]
    home = home.sort_values(["month", "conglome", "vivienda", "hogar"], ignore_index=True)
    is_first = (home["hogar"] % 100 // 10 == 1).to_numpy()
    columns = {
        **_keys(home, wave.year, rng),
        **_building(home, is_first, rng),
        **_services(home, rng),
    }
    columns |= _indicators(home, columns, is_first, rng)
    columns |= _outlays(home, columns, rng)
    labelled = {name: _label(name, values) for name, values in _codes(columns).items()}
    return _typed(columns | labelled, wave.year)


def _codes(columns: dict[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("_cod"): values for name, values in columns.items() if name.endswith("_cod")}


def _label(name: str, codes: Any) -> pd.Series:
    if name in OTHER_LABELS:
        text = OTHER_LABELS[name]
    else:
        known = load_codebook("enaho").codes_of("dwellings", MAPPED_LABELS[name])
        text = {code.code: code.label_es[:1].upper() + code.label_es[1:] for code in known}
    return pd.Series(np.asarray(codes, dtype=float)).map(text).astype("string")


def _keys(home: pd.DataFrame, year: int, rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    cluster = home["cluster"].to_numpy()
    scatter = rng.standard_normal((3, int(cluster.max()) + 1))[:, cluster]
    text = [
        home[key].astype(str).str.zfill(width)
        for key, width in (("conglome", 6), ("vivienda", 3), ("hogar", 2))
    ]
    return {
        "hogar_id": f"{year}_" + text[0] + "_" + text[1] + "_" + text[2],
        "anio": np.full(n, year),
        "mes": home["month"].to_numpy(),
        "periodo": 1 + rng.choice(5, n, p=[0.24, 0.27, 0.28, 0.19, 0.02]),
        "conglome": home["conglome"].to_numpy(),
        "vivienda": home["vivienda"].to_numpy(),
        "hogar": home["hogar"].to_numpy(),
        "ubigeo": home["ubigeo"].astype(int).to_numpy(),
        "dominio_cod": home["dominio"].to_numpy(),
        "estrato_cod": home["estrato"].to_numpy(),
        "factor_expansion": home["weight"].to_numpy().astype(np.float32).astype(float),
        "latitud": np.round(home["latitude"].to_numpy() + 0.03 * scatter[0], 9),
        "longitud": np.round(home["longitude"].to_numpy() + 0.03 * scatter[1], 9),
        "altitud": np.round(np.clip(home["altitude_m"].to_numpy() + 60 * scatter[2], 1, 5000), 1),
    }


def _choose(rng: np.random.Generator, scores: Floats) -> Codes:
    """Draw one column a row with probabilities proportional to exp(score)."""
    return np.asarray(np.argmax(scores + rng.gumbel(size=scores.shape), axis=1), dtype=np.int64)


def _building(home: pd.DataFrame, is_first: Bools, rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    poor = home["latent_poverty"].to_numpy()
    is_coast = home["dominio"].isin(COAST).to_numpy()
    is_high = home["dominio"].isin(HIGHLANDS).to_numpy()
    is_jungle = ~is_coast & ~is_high
    zero = np.zeros(n)
    wall = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9])[
        _choose(
            rng,
            np.column_stack(
                [
                    0.9 - 1.1 * poor + 0.6 * is_coast,
                    zero - 4,
                    -1.0 + 1.4 * is_high,
                    -3.0 + 2.4 * is_high,
                    -3.6 + 0.5 * poor,
                    -4.6 + 1.0 * is_high,
                    -3.2 + 3.2 * is_jungle + 0.2 * poor,
                    -3.2 + 0.3 * poor + 0.8 * is_coast,
                    zero - 3.2,
                ]
            ),
        )
    ]
    floor = np.array([1, 2, 3, 4, 5, 6, 7])[
        _choose(
            rng,
            np.column_stack(
                [
                    -4 - poor,
                    -2.8 - 0.8 * poor,
                    -1.6 - 0.9 * poor,
                    -2.0 + 1.0 * is_jungle,
                    zero,
                    -0.9 + 1.1 * poor,
                    zero - 6,
                ]
            ),
        )
    ]
    roof = np.array([1, 2, 3, 4, 5, 6, 7, 8])[
        _choose(
            rng,
            np.column_stack(
                [
                    -1.0 - 1.0 * poor + 0.8 * is_coast,
                    zero - 4,
                    -2.2 + 1.2 * is_high,
                    zero,
                    -3.6 + 1.2 * is_coast,
                    zero - 5,
                    -4.6 + 0.9 * is_jungle + 0.5 * poor,
                    zero - 5.6,
                ]
            ),
        )
    ]
    people = home["members_under_19"] + home["members_19_64"] + home["members_65_plus"]
    rooms = np.clip(np.rint(np.exp(rng.normal(1.0 - 0.12 * poor + 0.04 * people, 0.45))), 1, 14)
    # Households beside the first of a dwelling are not asked about the building.
    known = {
        "tipo_vivienda_cod": rng.choice([1, 2, 4, 5], n, p=[0.93, 0.03, 0.03, 0.01]),
        "material_pared_cod": wall,
        "material_piso_cod": floor,
        "material_techo_cod": roof,
        "habitaciones_total": rooms,
        "habitaciones_dormir": np.maximum(rooms - rng.integers(0, 3, n), 0),
    }
    columns: dict[str, Any] = {name: np.where(is_first, values, np.nan) for name, values in known.items()}
    columns["tenencia_vivienda_cod"] = rng.choice([1, 2, 3, 6], n, p=[0.08, 0.73, 0.04, 0.15])
    return columns


def _services(home: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    poor = home["latent_poverty"].to_numpy()
    rural = home["is_rural"].to_numpy(dtype=float)
    has_network = rng.random(n) < expit(2.3 - 0.9 * rural - 0.25 * poor)
    water = np.where(
        has_network,
        rng.choice([1, 2], n, p=[0.965, 0.035]),
        rng.choice([3, 4, 5, 6, 7, 8], n, p=[0.11, 0.19, 0.12, 0.17, 0.22, 0.19]),
    )
    has_sewer = rng.random(n) < expit(2.0 - 3.3 * rural - 0.4 * poor)
    toilet = np.where(
        has_sewer, rng.choice([1, 2], n, p=[0.95, 0.05]), rng.choice([3, 4, 5, 6, 7, 9, 10, 11], n,
        p=[0.06, 0.26, 0.22, 0.05, 0.04, 0.10, 0.24, 0.03])
    )  # fmt: skip
    cooks_clean = rng.random(n) < expit(2.4 - 2.5 * rural - 0.5 * poor)
    fuel = np.where(
        cooks_clean,
        rng.choice([1, 2, 3], n, p=[0.02, 0.88, 0.10]),
        rng.choice([5, 6, 7, 9], n, p=[0.02, 0.72, 0.22, 0.04]),
    )
    chlorine = np.where(
        rng.random(n) < expit(-0.6 - 2.4 * rural - 0.4 * poor), 1, rng.choice([2, 3], n, p=[0.2, 0.8])
    )
    has_supply = water <= 3
    hours = np.where(rng.random(n) < 0.58, 24, rng.integers(1, 24, n)).astype(float)
    days = np.where(rng.random(n) < 0.86, 7, rng.integers(1, 7, n)).astype(float)
    return {
        "fuente_agua_cod": water,
        "nivel_cloro_cod": chlorine,
        "servicio_higienico_cod": toilet,
        "combustible_cocina_cod": np.where(rng.random(n) < 0.022, np.nan, fuel),
        "horas_agua_dia": np.where(has_supply, hours, np.nan),
        "dias_agua_semana": np.where(has_supply, days, np.nan),
        "tiene_electricidad_ind": rng.random(n) < expit(4.2 - 2.2 * rural - 0.4 * poor),
        "tiene_telefono_fijo_ind": rng.random(n) < 0.05 * (1 - rural),
        "tiene_celular_ind": rng.random(n) < expit(3.4 - 1.5 * rural),
        "tiene_tv_cable_ind": rng.random(n) < expit(-0.8 - 1.1 * rural),
        "tiene_internet_ind": rng.random(n) < expit(2.6 - 1.1 * rural),
        "tiene_tdt_ind": rng.random(n) < 0.035 * (1 - 0.8 * rural),
    }


def _indicators(
    home: pd.DataFrame, columns: dict[str, Any], is_first: Bools, rng: np.random.Generator
) -> dict[str, Any]:
    """Derive the third party's flags from the codes."""
    n = len(home)
    wall, floor, roof = (columns[f"material_{part}_cod"] for part in ("pared", "piso", "techo"))
    water, toilet, fuel = (
        columns[f"{name}_cod"] for name in ("fuente_agua", "servicio_higienico", "combustible_cocina")
    )
    people = (home["members_under_19"] + home["members_19_64"] + home["members_65_plus"]).to_numpy()
    poor_wall, poor_floor, poor_roof = np.isin(wall, (5, 6, 7, 8)), floor == 6, np.isin(roof, (6, 7))
    is_precarious = poor_wall | poor_floor | poor_roof
    is_crowded = is_first & (people > 3.4 * np.nan_to_num(columns["habitaciones_total"], nan=99))
    has_network, is_chlorinated = water <= 2, columns["nivel_cloro_cod"] == 1
    is_clean, is_solid = np.isin(fuel, (1, 2, 3)), np.isin(fuel, (5, 6, 9))
    knows_fuel, knows_supply = ~np.isnan(fuel), water <= 3
    lacks = {
        "materiales_vivienda": is_precarious,
        "hacinamiento": is_crowded,
        "agua_segura": ~(has_network & is_chlorinated),
        "saneamiento": ~np.isin(toilet, (1, 2, 3, 4)),
        "electricidad": ~columns["tiene_electricidad_ind"],
        "combustible_limpio": np.where(knows_fuel, ~is_clean, np.nan),
        "internet": ~columns["tiene_internet_ind"],
    }
    total = np.nansum([np.asarray(flag, dtype=float) for flag in lacks.values()], axis=0)
    return {
        "pared_precaria_ind": np.where(is_first, poor_wall, np.nan),
        "piso_precario_ind": np.where(is_first, poor_floor, np.nan),
        "techo_precario_ind": np.where(is_first, poor_roof, np.nan),
        "vivienda_material_precario_ind": is_precarious,
        "nbi_vivienda_inadecuada_ind": (wall == 8) | (poor_wall & poor_floor),
        "nbi_hacinamiento_ind": is_crowded,
        "nbi_sin_servicio_higienico_ind": np.isin(toilet, (6, 7, 9)),
        "nbi_ninios_no_asisten_ind": (home["members_6_11"].to_numpy() > 0) & (rng.random(n) < 0.02),
        "nbi_alta_dependencia_ind": (people > 4) & (rng.random(n) < 0.04),
        "agua_red_publica_ind": has_network,
        "agua_potable_ind": np.where(knows_supply, is_chlorinated | (rng.random(n) < 0.5), np.nan),
        "cloro_seguro_ind": is_chlorinated,
        "agua_todos_dias_ind": np.where(knows_supply, columns["dias_agua_semana"] == 7, np.nan),
        "combustible_limpio_ind": np.where(knows_fuel, is_clean, np.nan),
        "combustible_solido_ind": np.where(knows_fuel, is_solid, np.nan),
        "sin_tic_ind": ~columns["tiene_celular_ind"] & ~columns["tiene_internet_ind"],
        **{f"carencia_{name}_ind": flag for name, flag in lacks.items()},
        "agua_segura_ind": has_network & is_chlorinated,
        "saneamiento_adecuado_ind": np.isin(toilet, (1, 2, 3, 4)),
        "total_carencias_bienestar_habitacional": total,
        "brecha_multidimensional_ind": total >= 2,
    }


def _outlays(home: pd.DataFrame, columns: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    rent = np.clip(
        np.rint(np.exp(5.2 - 0.35 * home["latent_poverty"] + 0.6 * rng.standard_normal(n)) / 5) * 5, 10, 5000
    )
    is_tenant = columns["tenencia_vivienda_cod"] == 1
    paid = np.rint(np.exp(7.4 - 0.3 * home["latent_poverty"] + 0.6 * rng.standard_normal(n)))
    given = np.where(rng.random(n) < 0.19, np.rint(np.exp(rng.normal(5.2, 0.8, n))), 0.0)
    own = np.where(rng.random(n) < 0.1, np.rint(np.exp(rng.normal(5.4, 0.5, n))), 0.0)
    return {
        "alquiler_mensual_reportado": np.where(is_tenant, rent, np.nan),
        "alquiler_estimado_mensual": np.where(is_tenant, np.nan, rent),
        "alquiler_anual_imputado": np.where(is_tenant, np.rint(11.9 * rent), np.nan),
        "alquiler_estimado_anual_imputado": np.where(is_tenant, np.nan, np.rint(11.9 * rent)),
        "gasto_anual_servicios_pagado_hogar": paid,
        "gasto_anual_servicios_donado": given,
        "gasto_anual_servicios_autoconsumo": own,
        "gasto_anual_servicios_total": paid + given + own,
        "gasto_mensual_servicios_estimado": (paid + given + own) / 12,
    }


def _typed(columns: dict[str, Any], year: int) -> pd.DataFrame:
    """Order and type as the third party: codes of the building in double, flags in nullable integers."""
    names = header("dwellings", year)
    frame = pd.DataFrame({name: columns[name] for name in names})
    for name in names:
        if name.endswith("_ind") or name.startswith("total"):
            frame[name] = frame[name].astype("Float64").astype("Int64")
        elif name.startswith(NULLABLE):
            frame[name] = frame[name].astype("Float64")
    return frame
