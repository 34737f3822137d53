"""What is measured: each task is one question with one answer, asked of every adapter that can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question.

    ``reference`` names the adapter whose answer the others are held against; an estimate is the same if it
    differs by less than ``tolerance`` times its standard error, a standard error if its ratio to the
    reference's is one to within ``error_tolerance``.
    """

    id: str
    family: str
    table: str
    question: str
    reference: str
    tolerance: float = 1e-5
    error_tolerance: float = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How an adapter answers a task.

    ``prepare`` brings the frame into the peer's own form and is not timed. ``largest`` is the size beyond
    which it is not asked. ``other`` says what is answered instead, if it is not the same question.
    """

    estimate: Callable[[Any], tuple[float, float]]
    prepare: Callable[[Any], Any] = lambda frame: frame
    largest: int = 10**9
    other: str = ""


TASKS = {
    task.id: task
    for task in (
        Task(
            id="match-1",
            family="matching",
            table="comparison",
            question="ATT, nearest neighbour on a logit score with replacement, ties share, "
            "Abadie-Imbens standard error with one neighbour",
            reference="definition",
        ),
        Task(
            id="match-5",
            family="matching",
            table="comparison",
            question="ATT, five nearest neighbours on a logit score with replacement, ties share, "
            "Abadie-Imbens standard error with five neighbours",
            reference="definition",
        ),
        Task(
            id="kernel",
            family="matching",
            table="comparison",
            question="ATT, kernel matching on a logit score, Epanechnikov, bandwidth 0.06",
            reference="definition",
        ),
        Task(
            id="ipw",
            family="weighting",
            table="comparison",
            question="ATT by normalised inverse probability weights from a logit; standard error of the "
            "stacked moments",
            reference="definition",
        ),
        Task(
            id="entropy",
            family="weighting",
            table="comparison",
            question="ATT by entropy balancing of means; standard error of the stacked moments",
            reference="statspai",
        ),
        Task(
            id="two-way",
            family="panel",
            table="staggered",
            question="Two-way fixed effects of an unbalanced panel of ten periods, two covariates, clustered "
            "by unit (the first coefficient)",
            reference="pyfixest",
        ),
        Task(
            id="event-dummies",
            family="panel",
            table="staggered",
            question="Two-way fixed effects with 16 event dummies, clustered by unit (two periods after)",
            reference="pyfixest",
        ),
        Task(
            id="did-traditional",
            family="did",
            table="two_periods",
            question="ATT of two periods, panel, doubly robust (logit and least squares), three covariates, "
            "analytic standard error",
            reference="drdid",
        ),
        Task(
            id="did-improved",
            family="did",
            table="two_periods",
            question="ATT of two periods, panel, improved doubly robust (tilting), three covariates, "
            "analytic standard error",
            reference="moderndid",
        ),
        Task(
            id="group-time",
            family="staggered",
            table="cohorts",
            question="Group-time effects of ten periods and eight cohorts, doubly robust, three covariates, "
            "never-treated controls, 1,000 multiplier draws with simultaneous bands; the average of all "
            "cells after treatment and its error from the draws",
            reference="statspai",
            # errors of a thousand draws
            error_tolerance=0.15,
        ),
        Task(
            id="imputation",
            family="staggered",
            table="cohorts",
            question="Imputation of untreated outcomes (Borusyak, Jaravel & Spiess), mean over treated rows, "
            "clustered by unit",
            reference="statspai",
        ),
        Task(
            id="interaction-weighted",
            family="staggered",
            table="cohorts",
            question="Interaction-weighted event study (Sun & Abraham), two periods after treatment, "
            "shares as known, clustered by unit",
            reference="diff_diff",
        ),
        Task(
            id="etwfe",
            family="staggered",
            table="cohorts",
            question="Extended two-way fixed effects (Wooldridge), not-yet-treated controls, mean over "
            "treated rows, clustered by unit",
            reference="statspai",
        ),
        Task(
            id="bacon",
            family="staggered",
            table="cohorts",
            question="Goodman-Bacon decomposition of the static two-way coefficient (shown without an error)",
            reference="statspai",
        ),
        Task(
            id="iv",
            family="iv",
            table="instruments",
            question="2SLS, one endogenous regressor, three instruments, two covariates, HC1",
            reference="linearmodels",
        ),
        Task(
            id="liml",
            family="iv",
            table="instruments",
            question="LIML of the same; homoskedastic standard error",
            reference="linearmodels",
        ),
        Task(
            id="wild",
            family="wild",
            table="clusters",
            question="p value of one of four coefficients by the restricted wild cluster bootstrap, 50 "
            "clusters, 9,999 Rademacher draws (shown as the estimate; its error is that of the draws)",
            reference="definition",
            # the definition takes a tenth of the draws: runs of draws differ by the errors of both
            tolerance=14.0,
            error_tolerance=0.2,
        ),
        Task(
            id="did-cross-sections",
            family="did",
            table="two_cross_sections",
            question="ATT of two cross-sections, doubly robust and locally efficient (logit and least "
            "squares), three covariates, analytic standard error",
            reference="drdid",
        ),
    )
}
