"""No cell of fewer than ten households or persons leaves, nor one that could be found by subtraction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.estimate import Sample
from juntos_eval.reporting.reported import Overlap, ReportedEstimate

__all__ = ["THRESHOLD", "coarsened", "hidden", "is_publishable", "is_small", "publishable", "redacted"]

THRESHOLD: Final = 10

_WHO: Final = (
    r"(?:(?:treated|untreated|comparison|control|matched|unmatched|linked|survey|usable) )*"
    r"(?:rows?|units?|households?|persons?|people|members?|children|child|pairs?|observations?|targets?|treated|untreated|controls?)"
)
_FEW: Final = re.compile(rf"(?<![\d.,:Γ=])\b([1-9])(?= (?:of [\d,]+ )?{_WHO}\b)")
_SHARE: Final = re.compile(r"(?P<percent>\d+(?:\.\d+)?)% of the (?P<arm>treated|untreated)\b")
_NEARLY_ALL: Final = re.compile(
    rf"\b(?P<part>[\d,]+) of (?P<whole>[\d,]+) (?P<who>{_WHO})\b(?P<after>.*)", re.DOTALL
)


def is_small(count: int) -> bool:
    """Return whether a cell is too small to be shown; an empty one tells of nobody.

    Parameters
    ----------
    count : int

    Returns
    -------
    bool

    Examples
    --------
    >>> from juntos_eval.reporting.suppression import is_small
    >>> is_small(0), is_small(9), is_small(10)
    (False, True, False)
    """
    return 0 < count < THRESHOLD


def hidden(parts: Sequence[int]) -> tuple[bool, ...]:
    """Return which parts of a whole to hide when the whole is known.

    Every small part is hidden, then the smallest of the others until what is hidden adds up to a cell that is
    not small and is made of two parts, so that no part follows by subtraction.

    Parameters
    ----------
    parts : sequence of int

    Returns
    -------
    tuple of bool

    Examples
    --------
    >>> from juntos_eval.reporting.suppression import hidden
    >>> hidden([3, 500, 40]), hidden([0, 500, 40])
    ((True, False, True), (False, False, False))
    """
    hide = [is_small(part) for part in parts]
    others = sorted((part, place) for place, part in enumerate(parts) if part >= THRESHOLD)
    while any(hide) and others:
        secret = [part for part, is_hidden in zip(parts, hide, strict=True) if is_hidden]
        if len(secret) > 1 and sum(secret) >= THRESHOLD:
            break
        hide[others.pop(0)[1]] = True
    return tuple(hide)


def redacted(detail: str) -> str:
    """Return what a check says without the numbers of fewer than ten rows, households or persons.

    Parameters
    ----------
    detail : str
        English, as estimators write it.

    Returns
    -------
    str

    Examples
    --------
    >>> from juntos_eval.reporting.suppression import redacted
    >>> redacted("3 of 412 treated rows without a match within a caliper of 0.2")
    '<10 of 412 treated rows without a match within a caliper of 0.2'
    """
    return _FEW.sub(f"<{THRESHOLD}", _NEARLY_ALL.sub(_without_rest, detail))


def _without_rest(found: re.Match[str]) -> str:
    """Hide how many of a whole when the rest are few, and the same number further on."""
    part, whole = (int(found.group(name).replace(",", "")) for name in ("part", "whole"))
    if not is_small(whole - part):
        return found.group()
    after = re.sub(rf"\b{found.group('part')}\b", "rest", found.group("after"))
    return f"all but <{THRESHOLD} of {found.group('whole')} {found.group('who')}{after}"


def is_publishable(shown: ReportedEstimate) -> bool:
    """Return whether an estimate rests on enough rows in either arm.

    Parameters
    ----------
    shown : ReportedEstimate

    Returns
    -------
    bool

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.suppression import is_publishable
    >>> is_publishable(example_input().headline_estimate)
    True
    """
    sample = shown.estimate.sample
    if sample.treated is None:
        return not is_small(sample.rows)
    return min(sample.treated, sample.rows - sample.treated) >= THRESHOLD


def publishable(shown: ReportedEstimate) -> ReportedEstimate:
    """Return the estimate without small cells in its histograms, its checks and its lost rows.

    Parameters
    ----------
    shown : ReportedEstimate

    Returns
    -------
    ReportedEstimate
        Without any histogram where an arm is too small itself.

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.suppression import publishable
    >>> publishable(example_input().headline_estimate).estimate.checks[0].detail
    '<10 of 110 treated rows off support'
    """
    estimate = shown.estimate
    sample = replace(estimate.sample, dropped=_merged(estimate.sample.dropped))
    checks = tuple(
        replace(check, detail=_without_few(redacted(check.detail), estimate.sample))
        for check in estimate.checks
    )
    details = _without_near_counts(estimate.details, estimate.sample)
    overlap = shown.overlap
    if overlap is not None:
        treated = sample.rows if sample.treated is None else sample.treated
        overlap = coarsened(overlap, treated) if is_publishable(shown) else None
    kept = replace(estimate, sample=sample, checks=checks, details=details)
    return replace(shown, overlap=overlap, estimate=kept)


def _without_few(detail: str, sample: Sample) -> str:
    """Turn shares of an arm that stand for fewer than ten rows into a bound."""

    def bound(found: re.Match[str]) -> str:
        treated = sample.rows if sample.treated is None else sample.treated
        size = treated if found.group("arm") == "treated" else sample.rows - treated
        # a weighted share tells the count only nearly, so the limit is twice the threshold
        few = 0 < float(found.group("percent")) / 100 * size < 2 * THRESHOLD
        limit = 100 * 2 * THRESHOLD / max(size, 1)
        return f"less than {limit:.2g}% of the {found.group('arm')}" if few else found.group()

    return _SHARE.sub(bound, detail)


def _without_near_counts(details: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
    """Leave out counts from which fewer than ten rows follow by subtraction."""
    counts = {
        name: value
        for name, value in details.items()
        if isinstance(value, int) and not isinstance(value, bool) and value >= THRESHOLD
    }
    others = [*counts.values(), sample.rows, sample.treated or 0]
    near = {name for name, value in counts.items() if any(is_small(abs(value - other)) for other in others)}
    return {name: value for name, value in details.items() if name not in near}


def _merged(dropped: Mapping[str, int]) -> dict[str, int]:
    """Join reasons with few rows to others until their sum is not small; left out where it stays small."""
    hide = hidden(list(dropped.values()))
    kept = {reason: count for (reason, count), flag in zip(dropped.items(), hide, strict=True) if not flag}
    joined = {reason: count for (reason, count), flag in zip(dropped.items(), hide, strict=True) if flag}
    if sum(joined.values()) >= THRESHOLD:
        kept[" or ".join(joined)] = sum(joined.values())
    return kept


def coarsened(overlap: Overlap, treated: int) -> Overlap:
    """Return histograms whose bins hold no row or at least ten in each arm.

    Parameters
    ----------
    overlap : Overlap
    treated : int
        Treated rows, of which ``share_off_support`` is a share.

    Returns
    -------
    Overlap
        With fewer, wider bins, ranges to one decimal, and a bound where few rows are off support.

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Label, Overlap
    >>> from juntos_eval.reporting.suppression import coarsened
    >>> third = [0.25, 0.25, 0.5]
    >>> overlap = Overlap(edges=[0, 1, 2, 3], treated_before=third, treated_after=third,
    ...     comparison_before=third, comparison_after=third, treated_counts=[5, 5, 10],
    ...     comparison_counts=[20, 20, 40], range_treated=(0, 3), range_comparison=(0, 3),
    ...     share_off_support=0.1, rule=Label("a", "b"))
    >>> coarser = coarsened(overlap, 20)
    >>> coarser.edges.tolist(), coarser.treated_before.tolist(), coarser.share_off_support
    ([0.0, 2.0, 3.0], [0.5, 0.5], 0.5)
    """
    starts = _starts(overlap.treated_counts, overlap.comparison_counts)
    columns: dict[str, Any] = {
        f"{arm}_{part}": np.add.reduceat(getattr(overlap, f"{arm}_{part}"), starts)
        for arm in ("treated", "comparison")
        for part in ("before", "after", "counts")
    }
    is_bounded = overlap.is_share_bounded or is_small(round(overlap.share_off_support * treated))
    share = THRESHOLD / treated if is_bounded and not overlap.is_share_bounded else overlap.share_off_support
    return replace(
        overlap,
        edges=np.append(overlap.edges[starts], overlap.edges[-1]),
        range_treated=_rounded(overlap.range_treated),
        range_comparison=_rounded(overlap.range_comparison),
        share_off_support=min(share, 1.0),
        is_share_bounded=is_bounded,
        **columns,
    )


def _starts(treated: Floats, comparison: Floats) -> list[int]:
    """First bin of every merged bin."""
    starts: list[int] = []
    open_since = 0
    for last in range(len(treated)):
        if not _tells_of_few(treated, comparison, open_since, last + 1):
            starts.append(open_since)
            open_since = last + 1
    # what is left at the end joins the bins before it
    while starts and open_since < len(treated) and _tells_of_few(treated, comparison, open_since, None):
        open_since = starts.pop()
    return [*starts, open_since] if open_since < len(treated) else starts


def _tells_of_few(treated: Floats, comparison: Floats, first: int, end: int | None) -> bool:
    return any(is_small(round(counts[first:end].sum())) for counts in (treated, comparison))


def _rounded(limits: tuple[float, float]) -> tuple[float, float]:
    return round(limits[0], 1), round(limits[1], 1)
