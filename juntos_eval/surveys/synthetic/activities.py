"""What children did last week: the columns of module 200 on work and tasks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.surveys.synthetic.population import Wave
from juntos_eval.surveys.synthetic.raw_layout import encode, encode_flag

__all__ = ["activity_items"]

#: Tasks of children who work without having said so at p210, and their shares in rural and urban places.
TASKS: Final = (
    "family_business",
    "domestic_work_elsewhere",
    "products_for_sale",
    "farm_or_herding",
    "selling",
    "services",
    "making_products",
    "housework_only",
    "studying_only",
    "other",
    "school_holidays",
)
RURAL_TASKS: Final = (0.05, 0.005, 0.005, 0.93, 0.005, 0.003, 0.002)
URBAN_TASKS: Final = (0.42, 0.02, 0.03, 0.46, 0.03, 0.03, 0.01)
HOUSEWORK, STUDYING, OTHER, HOLIDAYS = 7, 8, 9, 10

# Occupation and branch by kind of work: ocupac_r3, ocupac_r4, rama_r3, rama_r4 (classifications of 1995 and
# 2015).
OCCUPATIONS: Final = np.array(
    [[971, 9211, 122, 146], [572, 5212, 5220, 4721], [942, 9412, 5520, 5610], [945, 9629, 5259, 4799]],
    dtype=float,
)


def activity_items(wave: Wave, rng: np.random.Generator) -> dict[str, Any]:
    """Return p210, p211a, t211, hours, occupation and branch; NaN for those who are not asked.

    Parameters
    ----------
    wave : Wave
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to numpy.ndarray, shape (lines,)
    """
    children = wave.children
    n = len(children)
    home = wave.households.iloc[children["household"].to_numpy()]
    is_rural = home["is_rural"].to_numpy(dtype=bool)
    works = children["works"].to_numpy(dtype=bool)
    says_so = works & (rng.random(n) < expit(-0.55 + 0.12 * (children["age_years"] - 11)))
    task = np.where(works, _draw_task(rng, is_rural), _idle_task(rng, children, home["month"].to_numpy()))
    answered_task = np.where(task == HOLIDAYS, OTHER, task)
    kind = np.where(task == 3, 0, rng.choice([1, 2, 3], n, p=[0.6, 0.15, 0.25]))
    kind = np.where(says_so & is_rural & (rng.random(n) < 0.8), 0, kind)
    everyone = np.ones(n, dtype=bool)
    hours = np.clip(np.rint(np.exp(rng.normal(2.1 + 0.35 * says_so, 0.75))), 1, 98)
    values: dict[str, Floats] = {
        "has_worked": encode_flag("members", "has_worked", says_so, everyone),
        "main_activity_answer": encode(
            "members", "main_activity_answer", answered_task, TASKS[:10], ~says_so
        ),
        "main_activity": encode("members", "main_activity", task, TASKS, ~says_so),
        "task_hours": np.where(works, hours, np.nan),
        "is_hazardous_task": np.where(works, (rng.random(n) < 0.96).astype(float), np.nan),
        "is_hazardous_time": np.where(works, (rng.random(n) < 0.61).astype(float), np.nan),
    }
    for column, name in enumerate(("ocupac_r3", "ocupac_r4", "rama_r3", "rama_r4")):
        values[name] = np.where(works, OCCUPATIONS[kind, column], np.nan)
    line = children["line"].to_numpy()
    return {name: _spread(of_children, line, len(wave.members)) for name, of_children in values.items()}


def _draw_task(rng: np.random.Generator, is_rural: Bools) -> Codes:
    n = len(is_rural)
    rural, urban = rng.choice(7, n, p=RURAL_TASKS), rng.choice(7, n, p=URBAN_TASKS)
    return np.where(is_rural, rural, urban)


def _idle_task(rng: np.random.Generator, children: pd.DataFrame, month: Codes) -> Codes:
    """Housework where drawn so; else studying, or holidays from January to March and a week of August."""
    n = len(children)
    on_holiday = rng.random(n) < np.select([month <= 2, month == 3, month == 8], [0.72, 0.28, 0.03], 0.0)
    other = rng.random(n) < np.where(month <= 2, 0.07, 0.01)
    idle = np.where(on_holiday, HOLIDAYS, np.where(other, OTHER, STUDYING))
    return np.where(children["does_housework_only"], HOUSEWORK, idle)


def _spread(of_children: Floats, line: Codes, lines: int) -> Floats:
    values = np.full(lines, np.nan)
    values[line] = of_children
    return values
