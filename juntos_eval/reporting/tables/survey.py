"""Who was asked, who answered, and weighted shares."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from juntos_eval.reporting.report_input import Label, ReportInput, Share, Tally
from juntos_eval.reporting.suppression import hidden, is_small
from juntos_eval.reporting.table import Absent, Column, Count, Number, Row, Span, Table, both, level_label

__all__ = ["is_share_small", "shares_table", "tallies_table"]


def tallies_table(content: ReportInput) -> Table:
    """Return unweighted counts by topic and year, small ones and what would reveal them hidden.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import tallies_table
    >>> [row.cells[2].shown for row in tallies_table(example_input()).rows]
    [None, None]
    """
    columns = (
        Column(id="what", header=both("column.what")),
        Column(id="year", header=both("column.year")),
        Column(id="count", header=both("column.count"), kind="number"),
    )
    ordered = sorted(content.survey.tallies, key=lambda tally: _order(content)[tally.topic])
    rows: list[Row] = []
    for _, members in groupby(ordered, key=lambda tally: (tally.topic, tally.year)):
        whole = list(members)
        hide = hidden([tally.count for tally in whole])
        rows += [_tally_row(tally, is_hidden=flag) for tally, flag in zip(whole, hide, strict=True)]
    return Table(columns=columns, rows=tuple(rows))


def _order(content: ReportInput) -> dict[str, int]:
    topics = dict.fromkeys(tally.topic for tally in content.survey.tallies)
    return {topic: place for place, topic in enumerate(topics)}


def _tally_row(tally: Tally, *, is_hidden: bool) -> Row:
    return Row((tally.label, tally.year, Count(tally.count, is_hidden)), group=_topic(tally.topic))


def _topic(topic: str) -> Label:
    known = ("rows", "answered", "dropped", "linked")
    return both(f"topic.{topic}") if topic in known else Label(topic, topic)


def shares_table(content: ReportInput) -> Table:
    """Return weighted shares with their uncertainty, hidden where few households stand behind them.

    Parameters
    ----------
    content : ReportInput

    Returns
    -------
    Table

    Examples
    --------
    >>> from juntos_eval.reporting.example import example_input
    >>> from juntos_eval.reporting.tables import shares_table
    >>> len(shares_table(example_input()).rows)
    3
    """
    level = content.survey.shares[0].level if content.survey.shares else 0.95
    columns = (
        Column(id="category", header=both("column.category")),
        Column(id="year", header=both("column.year")),
        Column(id="arm", header=both("column.arm")),
        Column(id="share", header=both("column.share"), kind="number"),
        Column(id="std_error", header=both("column.std_error"), kind="number"),
        Column(id="conf", header=level_label(level), kind="interval"),
        Column(id="count", header=both("column.count"), kind="number"),
        Column(id="base", header=both("column.base"), kind="number"),
    )
    return Table(columns=columns, rows=tuple(_share_rows(content.survey.shares)))


def is_share_small(share: Share) -> bool:
    """Return whether a share would tell of a small cell, its own or its complement.

    Parameters
    ----------
    share : Share

    Returns
    -------
    bool

    Examples
    --------
    >>> from juntos_eval.reporting.report_input import Share
    >>> from juntos_eval.reporting.tables.survey import is_share_small
    >>> is_share_small(Share(topic="juntos", category="yes", labels={}, year=2024, arm="all", share=0.9,
    ...     std_error=0.1, conf_low=0.8, conf_high=1.0, count=95, base=100))
    True
    """
    return is_small(share.count) or is_small(share.base - share.count)


def _share_rows(shares: tuple[Share, ...]) -> Iterator[Row]:
    for _, members in groupby(shares, key=lambda share: (share.topic, share.year, share.arm)):
        whole = list(members)
        hide = hidden([share.count for share in whole])
        for share, flag in zip(whole, hide, strict=True):
            yield _share_row(share, is_hidden=flag or is_share_small(share))


def _share_row(share: Share, *, is_hidden: bool) -> Row:
    is_known = share.arm in ("all", "juntos", "comparison")
    arm = share.labels.get("arm") or (both(f"arm.{share.arm}") if is_known else Label(share.arm, share.arm))
    few = Absent("missing.few")
    ends = (Number(share.conf_low, "percent", 1), Number(share.conf_high, "percent", 1))
    error = Number(share.std_error, "percent", 2, "missing.no_error")
    return Row(
        (
            share.labels.get("category", Label(share.category, share.category)),
            str(share.year),
            arm,
            few if is_hidden else Number(share.share, "percent", 1),
            few if is_hidden else error,
            few if is_hidden else Span(*ends),
            Count(share.count, is_hidden),
            Count(share.base),
        ),
        group=share.labels.get("topic", Label(share.topic, share.topic)),
    )
