"""Records of a run: what the report shows, as JSON that can be read line by line in a diff."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.estimate import Estimate
from juntos_eval.estimate.record import number, numbers, plain, required
from juntos_eval.paths import write_atomically
from juntos_eval.reporting.report_input import (
    BalanceRow,
    Label,
    Overlap,
    ReportedEstimate,
    Sensitivity,
    Share,
    SurveyFacts,
    Tally,
    TrendPoint,
)

__all__ = ["DIGITS", "FORMAT", "pretty", "read_estimates", "read_survey", "write_estimates", "write_survey"]

FORMAT = "juntos_eval/reported/1"

#: Significant digits of a record: what differs behind them is the machine's, not the method's.
DIGITS = 9
_WIDTH = 150


def pretty(value: Any, indent: int = 0) -> str:
    """Return JSON in which whatever fits stands on one line, so that a changed number is a changed line.

    Parameters
    ----------
    value : object
        As JSON can hold it.
    indent : int
        Depth of the first line.

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.pipeline.records import pretty
    >>> print(pretty({"a": [1, 2], "b": "x" * 150})[:15])
    {
     "a": [1, 2],
    """
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(flat) + indent <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {pretty(entry, indent + 1)}"
            for key, entry in value.items()
        ]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + pretty(entry, indent + 1) for entry in value) + "\n" + " " * indent + "]"


def write_estimates(path: Path, shown: Iterable[ReportedEstimate], *, is_synthetic: bool) -> Path:
    """Write the estimates of one comparison.

    Parameters
    ----------
    path : Path
    shown : iterable of ReportedEstimate
        Publishable: nothing in them may tell of fewer than ten records.
    is_synthetic : bool
        Says so in the record.

    Returns
    -------
    Path
    """
    label = "SYNTHETIC DATA" if is_synthetic else "real data"
    content = {"format": FORMAT, "data": label, "estimates": [_plain_estimate(one) for one in shown]}
    return write_atomically(path, pretty(content) + "\n")


def read_estimates(path: Path) -> tuple[ReportedEstimate, ...]:
    """Read what :func:`write_estimates` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of ReportedEstimate

    Raises
    ------
    SourceError
        If the file is missing or no JSON.
    SchemaError
        If it is of another format.
    """
    content = _load(path)
    return tuple(_estimate(entry) for entry in required(content, "estimates"))


def write_survey(path: Path, facts: SurveyFacts, *, is_synthetic: bool) -> Path:
    """Write shares and tallies of the surveys.

    Parameters
    ----------
    path : Path
    facts : SurveyFacts
    is_synthetic : bool

    Returns
    -------
    Path
    """
    label = "SYNTHETIC DATA" if is_synthetic else "real data"
    content = {
        "format": FORMAT,
        "data": label,
        "shares": [_fields(share) for share in facts.shares],
        "tallies": [_fields(tally) for tally in facts.tallies],
    }
    return write_atomically(path, pretty(plain(content, DIGITS)) + "\n")


def read_survey(path: Path) -> SurveyFacts:
    """Read what :func:`write_survey` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SurveyFacts

    Raises
    ------
    SourceError
        If the file is missing or no JSON.
    SchemaError
        If it is of another format.
    """
    content = _load(path)
    return SurveyFacts(
        shares=tuple(Share(**_with_labels(share)) for share in required(content, "shares")),
        tallies=tuple(
            Tally(**{**tally, "label": _label(tally["label"])}) for tally in required(content, "tallies")
        ),
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise SourceError(
            f"A record cannot be read: {error}", where=str(path), remedy="make the estimates again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SchemaError(
            "A record is of a format that this version does not read",
            where=str(path),
            remedy="make the estimates again with this version",
        )
    return content


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a frozen value, labels as pairs of texts."""
    return {field.name: _field(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _field(value: Any) -> Any:
    if isinstance(value, Label):
        return {"en": value.en, "es": value.es}
    if isinstance(value, Mapping):
        return {name: _field(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_field(entry) for entry in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, Estimate)):
        return _fields(value)
    return value


def _plain_estimate(shown: ReportedEstimate) -> dict[str, Any]:
    fields = _fields(shown)
    fields["estimate"] = shown.estimate.to_record(DIGITS)
    return dict(plain(fields, DIGITS))


def _label(content: Mapping[str, str]) -> Label:
    return Label(content["en"], content["es"])


def _with_labels(content: Mapping[str, Any]) -> dict[str, Any]:
    labels = {name: _label(entry) for name, entry in content["labels"].items()}
    return {**{name: _number_or_same(value) for name, value in content.items()}, "labels": labels}


def _number_or_same(value: Any) -> Any:
    return number(value) if value in ("nan", "inf", "-inf") else value


def _estimate(content: Mapping[str, Any]) -> ReportedEstimate:
    fields = _with_labels(content)
    overlap, sensitivity = content.get("overlap"), content.get("sensitivity")
    return ReportedEstimate(
        **{
            **fields,
            "estimate": Estimate.from_record(required(content, "estimate")),
            "balance": tuple(_balance_row(row) for row in required(content, "balance")),
            "overlap": None if overlap is None else _overlap(overlap),
            "sensitivity": None if sensitivity is None else Sensitivity(**_arrays(sensitivity)),
            "trend": tuple(TrendPoint(**point) for point in required(content, "trend")),
        }
    )


def _balance_row(row: Mapping[str, Any]) -> BalanceRow:
    values = {name: _number_or_same(value) for name, value in row.items() if name != "label"}
    return BalanceRow(**values, label=_label(row["label"]))


def _arrays(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: numbers(value) if isinstance(value, list) else _number_or_same(value)
        for name, value in content.items()
    }


def _overlap(content: Mapping[str, Any]) -> Overlap:
    values = _arrays(content)
    for name in ("range_treated", "range_comparison"):
        values[name] = tuple(values[name])
    return Overlap(**{**values, "rule": _label(content["rule"])})
