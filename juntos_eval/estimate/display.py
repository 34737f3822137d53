"""How an estimate shows itself: a tidy frame, a text table, an HTML table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate.intervals import confidence_intervals, t_statistics, two_sided_p_values
from juntos_eval.estimate.uncertainty import Check, Sample, Uncertainty

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["html_table", "text_table", "tidy_frame"]

_MARKS = {True: "passed", False: "FAILED", None: "note"}


def tidy_frame(
    keys: Mapping[str, tuple[Any, ...]],
    values: Floats,
    uncertainty: Uncertainty,
    rows: int,
    level: float,
    *,
    simultaneous: bool,
) -> DataFrame:
    """Return keys, estimate, std_error, statistic, p_value, conf_low, conf_high, n, inference.

    Parameters
    ----------
    keys : Mapping of str to tuple
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty
    rows : int
        Rows of the sample.
    level : float
    simultaneous : bool

    Returns
    -------
    pandas.DataFrame
        k rows.
    """
    # pandas only where a frame is asked for, so that the package imports fast
    import pandas as pd

    limits = confidence_intervals(values, uncertainty, level, simultaneous=simultaneous)
    return pd.DataFrame(
        {
            **{column: list(labels) for column, labels in keys.items()},
            "estimate": values,
            "std_error": uncertainty.std_error,
            "statistic": t_statistics(values, uncertainty),
            "p_value": two_sided_p_values(values, uncertainty),
            "conf_low": limits[:, 0],
            "conf_high": limits[:, 1],
            "n": rows,
            "inference": uncertainty.method,
        }
    )


def text_table(
    title: str, frame: DataFrame, sample: Sample, uncertainty: Uncertainty, checks: Sequence[Check]
) -> str:
    """Return the table as text, with what it rests on below.

    Parameters
    ----------
    title : str
    frame : pandas.DataFrame
        As of :func:`tidy_frame`.
    sample : Sample
    uncertainty : Uncertainty
    checks : sequence of Check

    Returns
    -------
    str
    """
    shown = frame.drop(columns=["n", "inference"])
    lines = [title, shown.to_string(index=False, float_format=_digits), *_notes(sample, uncertainty)]
    lines += [f"[{_MARKS[check.passed]}] {check.name}: {check.detail}" for check in checks]
    return "\n".join(lines)


def html_table(
    title: str, frame: DataFrame, sample: Sample, uncertainty: Uncertainty, checks: Sequence[Check]
) -> str:
    """Return the table as HTML for a notebook; every text in it is escaped.

    Parameters
    ----------
    title, frame, sample, uncertainty, checks
        As of :func:`text_table`.

    Returns
    -------
    str
    """
    shown = frame.drop(columns=["n", "inference"])
    head = "".join(f"<th scope='col'>{escape(str(name))}</th>" for name in shown.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    notes = "<br>".join(escape(line) for line in _notes(sample, uncertainty))
    marks = "".join(
        f"<li><b>{_MARKS[check.passed]}</b> {escape(check.name)}: {escape(check.detail)}</li>"
        for check in checks
    )
    return (
        f"<div><table><caption style='text-align:left'><b>{escape(title)}</b></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p style='font-size:smaller'>{notes}</p>" + (f"<ul>{marks}</ul>" if marks else "") + "</div>"
    )


def _notes(sample: Sample, uncertainty: Uncertainty) -> list[str]:
    who = [f"{sample.rows:,} rows, {sample.units:,} units"]
    if sample.treated is not None:
        who.append(f"{sample.treated:,} treated")
    if sample.effective is not None:
        who.append(f"effective n {sample.effective:,.0f}")
    who += [f"dropped {count:,} ({reason})" for reason, count in sample.dropped.items() if count]
    df = "normal" if np.isinf(uncertainty.df) else f"t({uncertainty.df:g})"
    return ["; ".join(who), f"Inference: {uncertainty.method}; {df}"]


def _cell(value: Any) -> str:
    return _digits(value) if isinstance(value, float) else str(value)


def _digits(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.4g}"
