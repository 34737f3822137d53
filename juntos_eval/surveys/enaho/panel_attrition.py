r"""Who of a panel was followed, is still there, and came back: the attrition table of a release.

A release holds every household of its five years, most of them visited once by design. One that was not
seen again is lost only where somebody of its cluster was: of the households that entered in wave e,

.. math:: retained_{et} = \frac{\sum_{h} w_h\, 1\{h \text{ interviewed in } t\}}
          {\sum_h w_h\, 1\{\text{a household of } h\text{'s cluster that entered in } e
          \text{ was interviewed in } t\}}

with w the expansion factor at entry. Clusters are those of the wave of entry: ``conglome`` is renumbered
between waves, and what ties a cluster to its later number are the units that were found again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.enaho.panel_release import PANEL
from juntos_eval.surveys.provenance import CleanTable, Provenance
from juntos_eval.surveys.schema import Field, TableSchema, finish

__all__ = ["PANEL_ATTRITION", "clean_panel_attrition", "panel_losses"]


def _count(name: str, description: str, description_es: str) -> Field:
    return Field(name=name, dtype="int", description=description, description_es=description_es, minimum=0)


def _share(name: str, description: str, description_es: str) -> Field:
    return Field(
        name=name,
        dtype="float",
        is_nullable=True,
        minimum=0,
        maximum=1,
        description=description,
        description_es=description_es,
        unit="share",
    )


PANEL_ATTRITION: Final = TableSchema(
    name="panel_attrition",
    description="One row a wave of entry and wave: households followed, still there, returned",
    description_es="Una fila por ola de ingreso y ola: hogares en seguimiento, presentes, retornados",
    key=("entered", "year"),
    fields=(
        _count("entered", "Wave of entry", "Ola de ingreso"),
        _count("year", "Wave", "Ola"),
        _count("units", "Households that entered in that wave", "Hogares que ingresaron en esa ola"),
        _count(
            "followed",
            "Those whose cluster was visited again in the wave",
            "Aquellos cuyo conglomerado fue visitado de nuevo en la ola",
        ),
        _count("present", "Those interviewed in the wave", "Aquellos entrevistados en la ola"),
        _count(
            "returned",
            "Those present that had missed a wave before",
            "Presentes que habían faltado a una ola anterior",
        ),
        _share("retained", "present / followed", "presentes / en seguimiento"),
        _share(
            "retained_weighted",
            "The same, by the household weight at entry",
            "Lo mismo, con el factor de hogar al ingreso",
        ),
    ),
)


def clean_panel_attrition(households: CleanTable) -> CleanTable:
    """Make the attrition table of a release from its clean ``sumaria``.

    Parameters
    ----------
    households : CleanTable
        Of ``clean_panel(raw, last, "sumaria")``.

    Returns
    -------
    CleanTable

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.enaho import clean_panel, clean_panel_attrition
    >>> from juntos_eval.surveys.synthetic import write_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_panel(Path(folder), seed=1, households=600, releases=(2015,), modules=("sumaria",))
    ...     made = clean_panel_attrition(clean_panel(RawFolder.at(folder), 2015, "sumaria")).frame
    >>> bool(made.loc[made["year"] > made["entered"], "retained"].dropna().between(0.3, 1).all())
    True
    """
    frame = panel_losses(households.frame, weight="household_weight", cluster="psu")
    made = households.provenance
    account = Provenance(
        survey=PANEL,
        table="",
        year=made.year,
        inputs=made.inputs,
        rows_in=len(frame),
        rows_out=0,
        details=made.details,
        is_synthetic=made.is_synthetic,
    )
    return finish(frame, PANEL_ATTRITION, account)


def panel_losses(long: pd.DataFrame, *, weight: str, cluster: str) -> pd.DataFrame:
    """Count, by wave of entry and wave, who was followed, is there, and came back.

    Parameters
    ----------
    long : pandas.DataFrame
        ``unit year`` and the two columns named, one row an interview.
    weight, cluster : str
        Columns whose values at entry are used.

    Returns
    -------
    pandas.DataFrame
        ``entered year units followed present returned retained retained_weighted``; the shares are missing
        where nobody was followed.

    Raises
    ------
    SchemaError
        If an interview stands twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.enaho.panel_attrition import panel_losses
    >>> seen = {"unit": [1, 2, 3, 1], "year": [2018, 2018, 2018, 2019], "w": 1.0, "psu": ["a", "a", "b", "a"]}
    >>> table = panel_losses(pd.DataFrame(seen), weight="w", cluster="psu")
    >>> table[["year", "units", "followed", "present", "retained"]].values.tolist()
    [[2018.0, 3.0, 3.0, 3.0, 1.0], [2019.0, 3.0, 2.0, 1.0, 0.5]]
    """
    repeated = int(long.duplicated(["unit", "year"]).sum())
    if repeated:
        raise SchemaError(
            f"{repeated:,} interviews stand twice", where="attrition", remedy="give one row a unit and year"
        )
    years = np.sort(long["year"].unique())
    places = long.assign(place=np.searchsorted(years, long["year"]))
    entry = places.sort_values("place").drop_duplicates("unit").set_index("unit")
    row = pd.Series(np.arange(len(entry)), index=entry.index)
    seen = np.zeros((len(entry), len(years)), dtype=bool)
    seen[row.loc[long["unit"]].to_numpy(), places["place"].to_numpy()] = True
    group = pd.factorize(pd.MultiIndex.from_frame(entry[["place", cluster]].astype("str")))[0]
    visited = np.zeros((group.max() + 1, len(years)), dtype=bool)
    for position in range(len(years)):
        visited[group[seen[:, position]], position] = True
    entered, weights = entry["place"].to_numpy(), entry[weight].to_numpy(dtype=float)
    rows = []
    for first in np.unique(entered):
        own = entered == first
        for position in range(first, len(years)):
            followed = own & visited[group, position]
            present = own & seen[:, position]
            has_missed = ~seen[:, first:position].all(axis=1)
            is_empty = not followed.any()
            rows.append(
                {
                    "entered": int(years[first]),
                    "year": int(years[position]),
                    "units": int(own.sum()),
                    "followed": int(followed.sum()),
                    "present": int(present.sum()),
                    "returned": int((present & has_missed).sum()),
                    "retained": np.nan if is_empty else present.sum() / followed.sum(),
                    "retained_weighted": np.nan
                    if is_empty
                    else float(weights[present].sum() / weights[followed].sum()),
                }
            )
    return pd.DataFrame(rows)
