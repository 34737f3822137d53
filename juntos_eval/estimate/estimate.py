"""One class for every number, and the two protocols that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from juntos_eval.arrays import Floats, FrozenMapping, frozen
from juntos_eval.errors import InferenceError, SchemaError
from juntos_eval.estimate import display, record
from juntos_eval.estimate.combination import combined, combined_covariance
from juntos_eval.estimate.fit import Fit
from juntos_eval.estimate.intervals import confidence_intervals, two_sided_p_values
from juntos_eval.estimate.uncertainty import Check, Sample, Uncertainty
from juntos_eval.numerics.wald import WaldTest, wald_test

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Estimate", "Estimator", "Inference"]


@runtime_checkable
class Inference(Protocol):
    """From a fit to its uncertainty; implementations are frozen records of choices."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a fit must carry for it."""
        ...

    def infer(self, fit: Fit) -> Uncertainty:
        """Return the uncertainty of the fit's values."""
        ...


@runtime_checkable
class Estimator(Protocol):
    """A frozen record of column names and choices with one method."""

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate from a frame, which is not changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    r"""Values with their names, uncertainty, sample, checks and origin.

    Attributes
    ----------
    spec : Mapping
        Name of the estimator and every choice made, as JSON can hold it.
    keys : Mapping of str to tuple
        Columns that name the k rows: ``term`` and where they apply outcome, group, time, event_time.
    values : numpy.ndarray, shape (k,)
    uncertainty : Uncertainty
    sample : Sample
    checks : tuple of Check
    details : Mapping
        Further numbers (bandwidths, effective sizes), as JSON can hold them.
    provenance : Mapping
        Where the number comes from: data hashes, version, or the published source.
    fit : Fit, optional
        Kept in memory only; a record has none, nor has a published number.
    inference : Inference, optional
        The rule that the uncertainty is from, in memory only: what is made of the fit follows it too.

    Examples
    --------
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> estimate = Estimate(
    ...     spec={"estimator": "by hand"}, keys={"term": ("att",)}, values=[1.0],
    ...     uncertainty=Uncertainty(method="known", covariance=[[0.25]], df=float("inf")),
    ...     sample=Sample(rows=10, units=10))
    >>> [round(float(x), 2) for x in estimate.interval()[0]]
    [0.02, 1.98]
    """

    spec: Mapping[str, Any]
    keys: Mapping[str, tuple[Any, ...]]
    values: Floats
    uncertainty: Uncertainty
    sample: Sample
    checks: tuple[Check, ...] = ()
    details: Mapping[str, Any] = field(default_factory=FrozenMapping)
    provenance: Mapping[str, Any] = field(default_factory=FrozenMapping)
    fit: Fit | None = None
    inference: Inference | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(np.atleast_1d(np.asarray(self.values, float))))
        for name in ("spec", "details", "provenance"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))
        object.__setattr__(self, "checks", tuple(self.checks))
        keys = {column: tuple(labels) for column, labels in self.keys.items()}
        object.__setattr__(self, "keys", FrozenMapping(keys))
        sizes = {len(labels) for labels in keys.values()} | {len(self.values)}
        if "term" not in keys or sizes != {len(self.uncertainty.covariance)}:
            raise InferenceError(
                "values, keys and covariance of an estimate do not belong together",
                where=f"{len(self.values)} values, covariance {self.uncertainty.covariance.shape}, "
                f"keys { ({name: len(labels) for name, labels in keys.items()}) }",
                remedy="give every value a term and a row of the covariance",
            )

    def interval(self, level: float = 0.95, *, simultaneous: bool = False) -> Floats:
        r"""Confidence intervals :math:`\hat\theta \pm c \cdot se`, shape (k, 2).

        Parameters
        ----------
        level : float
            Coverage, strictly between 0 and 1.
        simultaneous : bool
            Cover all k values at once: the critical value is the quantile of the inference's own
            sup-t draws where it has them, else that of Šidák's inequality.

        Raises
        ------
        InferenceError
            For a level outside (0, 1), or one that the stored intervals do not have.
        """
        return confidence_intervals(self.values, self.uncertainty, level, simultaneous=simultaneous)

    def p_values(self) -> Floats:
        """Two-sided p values of "the value is zero", shape (k,)."""
        return two_sided_p_values(self.values, self.uncertainty)

    def tidy(self, level: float = 0.95, *, simultaneous: bool = False) -> DataFrame:
        """Return one row a value, always with the same columns.

        The columns are the keys, then estimate, std_error, statistic, p_value, conf_low, conf_high, n,
        inference.

        Parameters
        ----------
        level, simultaneous
            As in :meth:`interval`.
        """
        return display.tidy_frame(
            self.keys, self.values, self.uncertainty, self.sample.rows, level, simultaneous=simultaneous
        )

    def test(self, restrictions: Any = None, null: Any = None) -> WaldTest:
        r"""Wald test of :math:`R\theta = r`.

        Parameters
        ----------
        restrictions : array_like, shape (q, k), optional
            R; by default the identity, that all values are as under the null.
        null : array_like, shape (q,), optional
            r; by default zero.

        Returns
        -------
        WaldTest
            F form with the uncertainty's degrees of freedom, chi-squared where they are infinite.

        Raises
        ------
        InferenceError
            If R does not have k columns or the covariance of R θ is not known.
        """
        matrix = self._rows_of(np.eye(len(self.values)) if restrictions is None else restrictions)
        target = np.zeros(len(matrix)) if null is None else np.atleast_1d(np.asarray(null, float))
        covariance = combined_covariance(self.uncertainty.covariance, matrix)
        values = combined(self.values, matrix)
        return wald_test(values, covariance, self.uncertainty.df, np.eye(len(matrix)), target)

    def combine(self, weights: Any, keys: Mapping[str, tuple[Any, ...]]) -> Estimate:
        r"""Linear combinations :math:`A\theta` as a new estimate.

        Parameters
        ----------
        weights : array_like, shape (m, k)
            A.
        keys : Mapping of str to tuple
            Names of the m new rows.

        Returns
        -------
        Estimate
            With covariance :math:`A V A'`. Intervals, p values and bands that did not follow from the
            covariance are not carried over: ask for them again by :meth:`with_inference`. A value that
            is not known makes only those combinations NaN that give it a weight.

        Raises
        ------
        InferenceError
            If the weights do not have k columns.
        """
        matrix = self._rows_of(weights)
        covariance = combined_covariance(self.uncertainty.covariance, matrix)
        old = self.uncertainty
        return replace(
            self,
            keys=keys,
            values=combined(self.values, matrix),
            uncertainty=Uncertainty(method=old.method, covariance=covariance, df=old.df),
            fit=None if self.fit is None else _combined_fit(self.fit, matrix),
        )

    def with_inference(self, inference: Inference) -> Estimate:
        """Return the same values with another uncertainty.

        Raises
        ------
        InferenceError
            If the estimate has no fit (a record, a published number) or the fit did not carry the
            columns that the inference needs.
        """
        if self.fit is None:
            raise InferenceError(
                "an estimate without its fit cannot be given another inference",
                where=str(self.spec.get("estimator", "estimate")),
                remedy="fit it again and pass inference=…",
            )
        for column in inference.columns:
            self.fit.grouping(column)
        return replace(self, uncertainty=inference.infer(self.fit), inference=inference)

    def to_record(self, digits: int | None = None) -> dict[str, Any]:
        """Return the estimate as JSON can hold it; NaN and infinities as the words nan, inf, -inf.

        Parameters
        ----------
        digits : int, optional
            Significant digits to keep; all by default.
        """
        content = {
            "format": record.FORMAT,
            "spec": self.spec,
            "keys": self.keys,
            "values": self.values,
            "uncertainty": _uncertainty_record(self.uncertainty, digits),
            "sample": _without_kind(record.plain(self.sample, digits)),
            "checks": [_without_kind(record.plain(check, digits)) for check in self.checks],
            "details": self.details,
            "provenance": self.provenance,
        }
        return dict(record.plain(content, digits))

    @staticmethod
    def from_record(content: Mapping[str, Any]) -> Estimate:
        """Return the estimate of a record.

        Parameters
        ----------
        content : Mapping
            As of :meth:`to_record`, also after a way through JSON.

        Raises
        ------
        SchemaError
            If a field is missing, of another shape, or the record is of another format.
        """
        if record.required(content, "format") != record.FORMAT:
            raise SchemaError(
                "a record of an estimate is of a format that this version does not read",
                where=f"{content['format']!r}, expected {record.FORMAT!r}",
                remedy="make the record again with this version",
            )
        try:
            return _estimate_of(content)
        except (AttributeError, TypeError, ValueError, InferenceError) as error:
            raise SchemaError(
                "a record of an estimate does not hold what its format says",
                where=f"{type(error).__name__}: {error}"[:200],
                remedy="write the record again with Estimate.to_record()",
            ) from error

    @property
    def title(self) -> str:
        """Name of the estimator and of its outcome, for the head of a table."""
        names = [str(self.spec.get("estimator", "Estimate")), str(self.spec.get("outcome", ""))]
        return ": ".join(name for name in names if name)

    def __repr__(self) -> str:
        return display.text_table(self.title, self._shown(), self.sample, self.uncertainty, self.checks)

    def _repr_html_(self) -> str:
        return display.html_table(self.title, self._shown(), self.sample, self.uncertainty, self.checks)

    def _rows_of(self, weights: Any) -> Floats:
        matrix = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        if matrix.ndim != 2 or matrix.shape[1] != len(self.values) or not np.isfinite(matrix).all():
            raise InferenceError(
                "the weights of a combination do not fit the estimate",
                where=f"weights {matrix.shape} for {len(self.values)} values",
                remedy="give one column of finite weights for each value",
            )
        return matrix

    def _shown(self) -> DataFrame:
        # stored intervals exist at one level only
        return self.tidy(self.uncertainty.intervals_level or 0.95)


def _without_kind(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "kind"}


def _uncertainty_record(uncertainty: Uncertainty, digits: int | None) -> dict[str, Any]:
    content = _without_kind(record.plain(uncertainty, digits))
    # most have none, and records written before there were any read the same
    return {name: value for name, value in content.items() if name != "df_each" or value is not None}


def _estimate_of(content: Mapping[str, Any]) -> Estimate:
    return Estimate(
        spec=record.required(content, "spec"),
        keys={name: tuple(labels) for name, labels in record.required(content, "keys").items()},
        values=np.asarray(record.numbers(record.required(content, "values"))),
        uncertainty=_uncertainty_of(record.required(content, "uncertainty")),
        sample=_sample_of(record.required(content, "sample")),
        checks=tuple(Check(**check) for check in record.required(content, "checks")),
        details=record.required(content, "details"),
        provenance=record.required(content, "provenance"),
    )


def _uncertainty_of(content: Mapping[str, Any]) -> Uncertainty:
    optional = {
        name: record.numbers(content.get(name))
        for name in ("p_values", "intervals", "intervals_level", "band", "df_each")
    }
    return Uncertainty(
        method=str(record.required(content, "method")),
        covariance=np.asarray(record.numbers(record.required(content, "covariance"))),
        df=record.number(record.required(content, "df")),
        **optional,
    )


def _sample_of(content: Mapping[str, Any]) -> Sample:
    return Sample(
        rows=int(record.required(content, "rows")),
        units=int(record.required(content, "units")),
        treated=content.get("treated"),
        effective=record.numbers(content.get("effective")),
        dropped=content.get("dropped", {}),
    )


def _combined_fit(fit: Fit, matrix: Floats) -> Fit:
    linear = fit.linear and replace(fit.linear, selection=matrix @ fit.linear.selection)
    return replace(
        fit,
        values=combined(fit.values, matrix),
        influence=fit.influence.combine(matrix),
        linear=linear,
        # a matched structure speaks of one effect only
        matched=None,
    )
