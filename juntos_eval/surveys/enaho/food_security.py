"""FAO's Food Insecurity Experience Scale on ENAHO's file 130: a Rasch scale of the survey's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats
from juntos_eval.numerics.rasch import Rasch, fit_rasch
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean, schema
from juntos_eval.surveys.harmonise import open_table
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.schema import finish

__all__ = ["categories", "clean_food_security"]

ITEMS: Final = tuple(f"fies_{item}" for item in range(1, 9))

#: Positions of "ate less than should" and "a whole day without eating": the two thresholds.
ATE_LESS: Final = 4
WHOLE_DAY: Final = 7


def clean_food_security(raw: RawFolder, year: int) -> CleanTable:
    r"""Clean module 130 and place each household on the Rasch scale of its eight answers.

    Severities come from conditional maximum likelihood with household weights. "Does not know" and "refused"
    are missing, and a household with a missing answer has no score. With :math:`\theta_r` the parameter of
    raw score r, a household is moderately insecure where :math:`\theta_r \ge \delta_5` (ate less) and
    severely where :math:`\theta_r \ge \delta_8` (a whole day). Beside the category stands the probability
    that the true parameter lies beyond each threshold, given its error of measurement.

    The scale is the survey's own and is not equated to FAO's global reference scale: shares compare within
    the survey, not with the prevalences that FAO publishes.

    Parameters
    ----------
    raw : RawFolder
    year : int

    Returns
    -------
    CleanTable
        ``provenance.details["fies_scale"]`` holds severities, errors, infit, outfit and parameters.

    Raises
    ------
    SourceError, SchemaError
        If the file, its columns or its content is not what was declared.
    DesignError
        If an item does not vary, so that there is no scale.

    References
    ----------
    Cafiero, C., Viviani, S. & Nord, M. (2018). Food security measurement in a global context: the Food
    Insecurity Experience Scale. Measurement 116, 146-152.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.enaho import clean_food_security
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=300, years=(2025,))
    ...     made = clean_food_security(RawFolder.at(folder), 2025)
    >>> made.frame["fies_category"].cat.categories.tolist()
    ['food_secure_or_mild', 'moderate', 'severe']
    """
    opened = open_table(raw, survey="enaho", table="food_security", year=year)
    listed = opened.frame
    frame = pd.DataFrame(index=listed.index)
    frame["year"] = listed["year"].astype("int64")
    frame["household_id"] = clean.household_id(listed)
    for item in ITEMS:
        frame[item] = clean.as_boolean(listed[item])
    answers = frame[list(ITEMS)].astype("float64").to_numpy(na_value=np.nan)
    scale = fit_rasch(answers, listed["household_weight"].to_numpy())
    frame["fies_raw_score"] = answers.sum(axis=1)
    frame["fies_parameter"] = by_score(frame["fies_raw_score"], scale.person_parameters)
    frame["fies_parameter_error"] = by_score(frame["fies_raw_score"], scale.person_errors)
    frame["fies_category"] = categories(frame["fies_parameter"], scale.severities)
    frame["fies_probability_moderate_or_severe"] = by_score(
        frame["fies_raw_score"], scale.exceedance(float(scale.severities[ATE_LESS]))
    )
    frame["fies_probability_severe"] = by_score(
        frame["fies_raw_score"], scale.exceedance(float(scale.severities[WHOLE_DAY]))
    )
    frame["household_weight"] = listed["household_weight"]
    frame["stratum"] = clean.stratum(listed["dominio"], listed["estrato"])
    frame["psu"] = listed["conglome"]
    return finish(
        frame, schema.FOOD_SECURITY, _provenance(opened.provenance(survey="enaho", year=year), frame, scale)
    )


def by_score(scores: pd.Series, values: Floats) -> pd.Series:
    """Return the value of each raw score 0 … 8; missing where the score is.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.food_security import by_score
    >>> by_score(pd.Series([0.0, 2.0, None]), np.array([-1.0, 0.0, 1.0])).tolist()
    [-1.0, 1.0, nan]
    """
    return scores.map(dict(enumerate(values.tolist()))).astype("float64")


def categories(parameters: pd.Series, severities: Floats) -> pd.Series:
    """Return food secure or mild, moderate, severe: the parameter against two items' severities.

    Parameters
    ----------
    parameters : pandas.Series of float
    severities : numpy.ndarray, shape (8,)

    Returns
    -------
    pandas.Series of category

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.food_security import categories
    >>> severities = np.array([-3.0, -2.0, -1.5, 0.5, -0.5, 1.5, 2.0, 3.0])
    >>> categories(pd.Series([-4.0, 0.0, 3.5, None]), severities).tolist()
    ['food_secure_or_mild', 'moderate', 'severe', nan]
    """
    thresholds = severities[[ATE_LESS, WHOLE_DAY]]
    places = np.searchsorted(thresholds, parameters.to_numpy(), side="right")
    places = np.where(parameters.isna(), -1, places)
    labels = pd.Categorical.from_codes(places.tolist(), categories=pd.Index(schema.FIES_CATEGORIES))
    return pd.Series(labels, index=parameters.index)


def _provenance(opened: Provenance, frame: pd.DataFrame, scale: Rasch) -> Provenance:
    notes = dict(opened.notes)
    nobody = frame[list(ITEMS)].isna().all(axis=1)
    notes["households where nobody answered the eight questions"] = int(nobody.sum())
    notes["households with some but not all answers"] = int((frame["fies_raw_score"].isna() & ~nobody).sum())
    return replace(opened, notes=notes, details={"fies_scale": _scale_record(scale)})


def _scale_record(scale: Rasch) -> dict[str, Any]:
    return {
        "items": list(ITEMS),
        "severities": scale.severities.tolist(),
        "std_errors": scale.std_errors.tolist(),
        "infit": scale.infit.tolist(),
        "outfit": scale.outfit.tolist(),
        "person_parameters": scale.person_parameters.tolist(),
        "person_errors": scale.person_errors.tolist(),
        "score_shares": scale.score_shares.tolist(),
        "complete_households": scale.complete,
        "informative_households": scale.informative,
        "threshold_moderate": float(scale.severities[ATE_LESS]),
        "threshold_severe": float(scale.severities[WHOLE_DAY]),
        "is_equated_to_fao": False,
    }
