"""Juntos in the community, by the community questionnaires."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish
from juntos_eval.surveys.young_lives.accounts import account, open_rounds
from juntos_eval.surveys.young_lives.clean import as_boolean
from juntos_eval.surveys.young_lives.open_table import has_study_table
from juntos_eval.surveys.young_lives.panel import open_panel
from juntos_eval.surveys.young_lives.schema_tables import COMMUNITY_EXPOSURE

__all__ = ["clean_community_exposure"]

_TABLES: Final = ("community", "mini_community")


def clean_community_exposure(raw: RawFolder) -> CleanTable:
    """Clean whether Juntos operates in a community: one row a community and round.

    A place that both questionnaires visited keeps the one of sample communities. The number of children seen
    there comes from the panel where it is there.

    Parameters
    ----------
    raw : RawFolder

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError
        If no community file is there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_community_exposure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05)
    ...     places = clean_community_exposure(RawFolder.at(folder)).frame
    >>> sorted(places["round"].unique().tolist())
    [3, 5]
    """
    opened, missing = open_rounds(raw, _TABLES)
    if not opened:
        raise SourceError(
            "No community file is there", where=str(raw.root), remedy=f"put these there: {'; '.join(missing)}"
        )
    columns = ["community_id", "juntos_operates", "juntos_operated_before"]
    parts = [
        table.frame.reindex(columns=columns).assign(round=survey_round, questionnaire=name)
        for (name, survey_round), table in opened.items()
    ]
    rows = pd.concat([part.astype(dict.fromkeys(columns, "str")) for part in parts], ignore_index=True)
    is_double = rows.duplicated(["community_id", "round"])
    kept = rows[~is_double]
    panel = open_panel(raw, ("community_id",)) if has_study_table(raw, "panel") else None
    frame = pd.DataFrame(
        {
            "community_id": kept["community_id"],
            "round": kept["round"].astype("int64"),
            "questionnaire": pd.Categorical(kept["questionnaire"], categories=_TABLES),
            "juntos_operates": as_boolean(kept["juntos_operates"]),
            "juntos_operated_3_years_ago": as_boolean(kept["juntos_operated_before"]),
            "children_seen": _children(kept, None if panel is None else panel.frame),
        }
    )
    tables = (*opened.values(), *(() if panel is None else (panel,)))
    dropped = {"place that both questionnaires visited": int(is_double.sum())}
    return finish(frame, COMMUNITY_EXPOSURE, account(tables, rows_in=len(rows), dropped=dropped))


def _children(places: pd.DataFrame, panel: pd.DataFrame | None) -> pd.Series:
    if panel is None or "community_id" not in panel:
        return pd.Series(float("nan"), index=places.index)
    seen = panel[panel["is_seen"].eq("yes")].astype({"round": "int64"})
    counts = seen.groupby(["community_id", "round"]).size()
    keys = pd.MultiIndex.from_frame(places[["community_id", "round"]])
    return pd.Series(counts.reindex(keys).fillna(0).to_numpy(dtype=float), index=places.index)
