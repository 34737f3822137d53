"""The third-party file on dwellings: one row a complete interview, its own Spanish names, integer keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Floats
from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic.outcomes import by_code
from juntos_eval.surveys.synthetic.parameters import COMPLETE_DWELLING, margin
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
# Codes of services and their shares among households that have the better or the worse kind.
NETWORK_WATER: Final = {1: 0.965, 2: 0.035}
OTHER_WATER: Final = {3: 0.11, 4: 0.19, 5: 0.12, 6: 0.17, 7: 0.22, 8: 0.19}
SEWER: Final = {1: 0.95, 2: 0.05}
OTHER_TOILET: Final = {3: 0.06, 4: 0.26, 5: 0.22, 6: 0.05, 7: 0.04, 9: 0.10, 10: 0.24, 11: 0.03}
CLEAN_FUEL: Final = {1: 0.02, 2: 0.88, 3: 0.10}
OTHER_FUEL: Final = {5: 0.02, 6: 0.72, 7: 0.22, 9: 0.04}
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
WHOLE: Final = ("fuente_agua_cod", "nivel_cloro_cod", "servicio_higienico_cod")
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
    columns |= _deprivations(columns)
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


def _materials(home: pd.DataFrame, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw walls, floor and roof by a logit in poverty and region (``margins/materials.csv``)."""
    traits = np.column_stack(
        [
            np.ones(len(home)),
            home["latent_poverty"],
            home["dominio"].isin(COAST),
            home["dominio"].isin(HIGHLANDS),
            ~home["dominio"].isin((*COAST, *HIGHLANDS)),
        ]
    ).astype(np.float64)
    drawn = {}
    for column, choices in margin("materials").groupby("column"):
        scores = traits @ choices[["base", "poverty", "coast", "highlands", "jungle"]].to_numpy(np.float64).T
        chosen = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
        drawn[str(column)] = choices["code"].to_numpy(np.float64)[chosen]
    return drawn


def _building(home: pd.DataFrame, is_first: Bools, rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    people = home["members_under_19"] + home["members_19_64"] + home["members_65_plus"]
    mean_rooms = 1.0 - 0.12 * home["latent_poverty"] + 0.04 * people
    rooms = np.clip(np.rint(np.exp(rng.normal(mean_rooms, 0.45))), 1, 14)
    known = {
        "tipo_vivienda_cod": rng.choice([1, 2, 4, 5], n, p=[0.93, 0.03, 0.03, 0.01]),
        "habitaciones_total": rooms,
        "habitaciones_dormir": np.maximum(rooms - rng.integers(0, 3, n), 0),
        **_materials(home, rng),
    }
    # Households beside the first of a dwelling are not asked about the building.
    columns: dict[str, Any] = {name: np.where(is_first, values, np.nan) for name, values in known.items()}
    columns["tenencia_vivienda_cod"] = rng.choice([1, 2, 3, 6], n, p=[0.08, 0.73, 0.04, 0.15])
    return columns


def _either(
    rng: np.random.Generator, chance: Floats, better: dict[int, float], worse: dict[int, float]
) -> Floats:
    """Draw a code of the better kind with the chance given, else one of the worse kind."""
    good, bad = (
        rng.choice(list(kind), len(chance), p=list(kind.values())).astype(np.float64)
        for kind in (better, worse)
    )
    return np.where(rng.random(len(chance)) < chance, good, bad)


def _services(home: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    n = len(home)
    poor = home["latent_poverty"].to_numpy()
    rural = home["is_rural"].to_numpy(dtype=float)
    water = _either(rng, expit(2.3 - 0.9 * rural - 0.25 * poor), NETWORK_WATER, OTHER_WATER)
    toilet = _either(rng, expit(2.0 - 3.3 * rural - 0.4 * poor), SEWER, OTHER_TOILET)
    fuel = _either(rng, expit(2.4 - 2.5 * rural - 0.5 * poor), CLEAN_FUEL, OTHER_FUEL)
    chlorine = _either(rng, expit(-0.6 - 2.4 * rural - 0.4 * poor), {1: 1.0}, {2: 0.2, 3: 0.8})
    has_supply = water <= 3
    hours = np.where(rng.random(n) < 0.58, 24, rng.integers(1, 24, n))
    days = np.where(rng.random(n) < 0.86, 7, rng.integers(1, 7, n))
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
    people = (home["members_under_19"] + home["members_19_64"] + home["members_65_plus"]).to_numpy()
    poor_wall, poor_floor, poor_roof = np.isin(wall, (5, 6, 7, 8)), floor == 6, np.isin(roof, (6, 7))
    is_crowded = is_first & (people > 3.4 * np.nan_to_num(columns["habitaciones_total"], nan=99))
    return {
        "pared_precaria_ind": np.where(is_first, poor_wall, np.nan),
        "piso_precario_ind": np.where(is_first, poor_floor, np.nan),
        "techo_precario_ind": np.where(is_first, poor_roof, np.nan),
        "vivienda_material_precario_ind": poor_wall | poor_floor | poor_roof,
        "nbi_vivienda_inadecuada_ind": (wall == 8) | (poor_wall & poor_floor),
        "nbi_hacinamiento_ind": is_crowded,
        "nbi_sin_servicio_higienico_ind": np.isin(columns["servicio_higienico_cod"], (6, 7, 9)),
        "nbi_ninios_no_asisten_ind": (home["members_6_11"].to_numpy() > 0) & (rng.random(n) < 0.02),
        "nbi_alta_dependencia_ind": (people > 4) & (rng.random(n) < 0.04),
        **_service_indicators(columns, rng),
    }


def _service_indicators(columns: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    water, fuel = columns["fuente_agua_cod"], columns["combustible_cocina_cod"]
    has_network, is_chlorinated = water <= 2, columns["nivel_cloro_cod"] == 1
    is_drinkable = is_chlorinated | (rng.random(len(water)) < 0.5)
    knows_fuel, knows_supply = ~np.isnan(fuel), water <= 3
    return {
        "agua_red_publica_ind": has_network,
        "agua_potable_ind": np.where(knows_supply, is_drinkable, np.nan),
        "cloro_seguro_ind": is_chlorinated,
        "agua_segura_ind": has_network & is_chlorinated,
        "agua_todos_dias_ind": np.where(knows_supply, columns["dias_agua_semana"] == 7, np.nan),
        "combustible_limpio_ind": np.where(knows_fuel, np.isin(fuel, (1, 2, 3)), np.nan),
        "combustible_solido_ind": np.where(knows_fuel, np.isin(fuel, (5, 6, 9)), np.nan),
        "saneamiento_adecuado_ind": np.isin(columns["servicio_higienico_cod"], (1, 2, 3, 4)),
        "sin_tic_ind": ~columns["tiene_celular_ind"] & ~columns["tiene_internet_ind"],
    }


def _deprivations(columns: dict[str, Any]) -> dict[str, Any]:
    """Count what the household lacks, as the third party does: two lacks and more are a gap."""
    lacks = {
        "materiales_vivienda": columns["vivienda_material_precario_ind"],
        "hacinamiento": columns["nbi_hacinamiento_ind"],
        "agua_segura": ~columns["agua_segura_ind"],
        "saneamiento": ~columns["saneamiento_adecuado_ind"],
        "electricidad": ~columns["tiene_electricidad_ind"],
        "combustible_limpio": 1 - columns["combustible_limpio_ind"],
        "internet": ~columns["tiene_internet_ind"],
    }
    total = np.nansum([np.asarray(flag, dtype=float) for flag in lacks.values()], axis=0)
    return {
        **{f"carencia_{name}_ind": flag for name, flag in lacks.items()},
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
        elif name in WHOLE:
            frame[name] = frame[name].astype("int64")
    return frame
