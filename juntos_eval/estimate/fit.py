"""What estimation hands to inference: values, their influence, and the structure behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from juntos_eval.arrays import Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import InferenceError
from juntos_eval.estimate.influence import Influence

__all__ = ["Fit", "Groups", "Instrumented", "Linear", "Matched", "Shares"]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A grouping of the rows that a fit used.

    Attributes
    ----------
    codes : numpy.ndarray of int64, shape (n,)
        Group of each row, 0 … G-1.
    levels : tuple of str, length G
        The label of each group, in the order of the codes.

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> Groups([0, 1, 0], ("a", "b")).count
    2
    """

    codes: Codes
    levels: tuple[str, ...]
    _sizes: Codes | None = field(default=None, init=False, repr=False)
    _numbers: Codes | None = field(default=None, init=False, repr=False)

    @classmethod
    def of_whole_numbers(cls, codes: Codes, numbers: Codes, sizes: Codes) -> Groups:
        """Return groups whose labels are whole numbers, written as text only once somebody reads them.

        Parameters
        ----------
        codes : numpy.ndarray of int64, shape (n,)
            0 … G-1; not checked.
        numbers : numpy.ndarray of int64, shape (G,)
        sizes : numpy.ndarray of int64, shape (G,)
            Rows of each group.

        Returns
        -------
        Groups

        Examples
        --------
        >>> import numpy as np
        >>> from juntos_eval.estimate import Groups
        >>> codes, numbers, sizes = np.array([0, 1, 0]), np.array([2004, 2005]), np.array([2, 1])
        >>> Groups.of_whole_numbers(codes, numbers, sizes).levels
        ('2004', '2005')
        """
        groups = object.__new__(cls)
        values = {"codes": codes, "_numbers": numbers, "_sizes": sizes}
        for name, given in values.items():
            object.__setattr__(groups, name, frozen(given, np.int64))
        return groups

    def __getattr__(self, name: str) -> tuple[str, ...]:
        # asked only for what is not set: labels that were left for later
        if name != "levels":
            raise AttributeError(name)
        numbers = cast("Codes", self._numbers)
        object.__setattr__(self, "levels", tuple(map(str, numbers.tolist())))
        return self.levels

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", frozen(self.codes, np.int64))
        object.__setattr__(self, "levels", tuple(self.levels))
        if len(self.codes) and not 0 <= self.codes.min() <= self.codes.max() < len(self.levels):
            raise InferenceError(
                "a grouping has codes without a label",
                where=f"codes {self.codes.min()} to {self.codes.max()}, {len(self.levels)} labels",
                remedy="number the groups from 0 in the order of their labels",
            )

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.levels if self._numbers is None else self._numbers)

    @property
    def sizes(self) -> Codes:
        """Rows of each group, shape (G,); counted once."""
        if self._sizes is None:
            counted = np.bincount(self.codes, minlength=self.count)
            object.__setattr__(self, "_sizes", frozen(counted, np.int64))
        return cast("Codes", self._sizes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    r"""The linear model behind a fit, for inference that needs leverage or refits residuals.

    With design :math:`X` (n, p), weights :math:`W` and bread :math:`B = (X'WX)^{-1}` the coefficients are
    :math:`B X'W y`, and the values are ``selection @ coefficients``.

    Attributes
    ----------
    design : numpy.ndarray, shape (n, p)
    weights : numpy.ndarray, shape (n,)
        Ones where the fit was unweighted.
    residuals : numpy.ndarray, shape (n,)
    bread : numpy.ndarray, shape (p, p)
    selection : numpy.ndarray, shape (k, p)
    absorbed : tuple of Groups
        The factors whose effects were taken out of design and outcome before; each row's level of each.
    absorbed_rank : int
        Rank of the dummies of the absorbed factors (exact); 0 without any.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Linear
    >>> one = np.ones((2, 1))
    >>> Linear(design=one, weights=np.ones(2), residuals=np.array([1.0, -1.0]),
    ...        bread=np.array([[0.5]]), selection=np.array([[1.0]])).leverage.tolist()
    [0.5, 0.5]
    """

    design: Floats
    weights: Floats
    residuals: Floats
    bread: Floats
    selection: Floats
    absorbed: tuple[Groups, ...] = ()
    absorbed_rank: int = 0

    def __post_init__(self) -> None:
        for name in ("design", "weights", "residuals", "bread", "selection"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def leverage(self) -> Floats:
        r"""Diagonal of the weighted hat matrix, :math:`w_i x_i' B x_i`, shape (n,)."""
        return np.asarray(self.weights * np.einsum("ij,jk,ik->i", self.design, self.bread, self.design))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instrumented:
    r"""The instrumented model behind a fit, for inference that looks at both of its stages.

    All columns have had the absorbed effects taken out; weights stand in :class:`Linear`, whose design is the
    projected one, :math:`(\hat D, X)`, and whose residuals are the structural ones, :math:`y - D a - X b`.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
    endogenous : numpy.ndarray, shape (n, d)
    exogenous : numpy.ndarray, shape (n, p)
        With the constant, unless it is absorbed.
    instruments : numpy.ndarray, shape (n, m)
        The excluded ones.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Instrumented
    >>> one = np.ones((2, 1))
    >>> Instrumented(outcome=np.zeros(2), endogenous=one, exogenous=one, instruments=one).instruments.shape
    (2, 1)
    """

    outcome: Floats
    endogenous: Floats
    exogenous: Floats
    instruments: Floats

    def __post_init__(self) -> None:
        for name in ("outcome", "endogenous", "exogenous", "instruments"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    r"""The matched structure behind a fit, for Abadie-Imbens inference.

    Attributes
    ----------
    effects : numpy.ndarray, shape (n,)
        :math:`\hat Y_i(1) - \hat Y_i(0)` of each unit of the target population; NaN elsewhere.
    target : numpy.ndarray, shape (n,)
        Weight of each row in the target population (0 outside it), not normalised.
    use : numpy.ndarray, shape (n,)
        :math:`K_i`: total target weight for which row i served as a match.
    use_squared : numpy.ndarray, shape (n,)
        :math:`K'_i`: sum over the matched sets that i served in, of the square of weight times share.
    conditional_variance : numpy.ndarray, shape (n,)
        :math:`\hat\sigma^2_i` of the outcome given covariates and treatment.
    variance_rule : str
        How ``conditional_variance`` was had, in words.
    score_gain : float
        What the error of an estimated score adds to the variance of the effect, often below zero; NaN where
        nothing was matched on a score, or its error is not known.

    Examples
    --------
    >>> from juntos_eval.estimate import Matched
    >>> Matched(effects=[1.0], target=[1.0], use=[0.0], use_squared=[0.0],
    ...         conditional_variance=[0.0], variance_rule="by hand").variance_rule
    'by hand'
    """

    effects: Floats
    target: Floats
    use: Floats
    use_squared: Floats
    conditional_variance: Floats
    variance_rule: str
    score_gain: float = float("nan")

    def __post_init__(self) -> None:
        for name in ("effects", "target", "use", "use_squared", "conditional_variance"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """How large each group is in the population: estimated too, so an average over groups adds their error.

    Attributes
    ----------
    levels : tuple of float, length G
        The groups: for cohorts, when they were first treated.
    values : numpy.ndarray, shape (G,)
        Share of each group among all rows, by weight.
    influence : Influence
        (n, G), on the same rows as the fit's.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Shares
    >>> Shares(levels=(2006.0,), values=[0.5], influence=DenseInfluence(np.array([[0.25], [-0.25]]))).values
    array([0.5])
    """

    levels: tuple[float, ...]
    values: Floats
    influence: Influence

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """What estimation hands to inference: the values and where their error comes from.

    Attributes
    ----------
    values : numpy.ndarray, shape (k,)
    influence : Influence
        (n, k); its sum over rows is zero.
    groups : Mapping of str to Groups
        The groupings that were carried along; inference can use no others.
    parameters : int
        Coefficients estimated on the way, for degrees of freedom; absorbed effects are counted as the levels
        of all factors less one for each factor after the first.
    linear : Linear, optional
    instrumented : Instrumented, optional
    matched : Matched, optional
    shares : Shares, optional
        Of the groups that the values are about, where averages over them are to be had.
    absorbed : tuple of Groups
    absorbed_rank : int
        Of the linear model, and kept where the values are no longer its alone: small-sample rules count these
        effects by whether they are nested in clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Fit
    >>> from juntos_eval.estimate import DenseInfluence
    >>> Fit(values=[2.0], influence=DenseInfluence(np.array([[1.0], [-1.0]])), parameters=1).n
    2
    """

    values: Floats
    influence: Influence
    parameters: int
    groups: Mapping[str, Groups] = field(default_factory=FrozenMapping)
    linear: Linear | None = None
    instrumented: Instrumented | None = None
    matched: Matched | None = None
    shares: Shares | None = None
    absorbed: tuple[Groups, ...] = ()
    absorbed_rank: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        if self.linear is not None:
            object.__setattr__(self, "absorbed", self.linear.absorbed)
            object.__setattr__(self, "absorbed_rank", self.linear.absorbed_rank)
        object.__setattr__(self, "groups", FrozenMapping(self.groups))
        lengths = {self.influence.rows} | {len(groups.codes) for groups in self.groups.values()}
        if len(lengths) > 1 or self.influence.columns != len(self.values):
            raise InferenceError(
                "values, influence and groupings of a fit do not belong together",
                where=f"{len(self.values)} values, influence ({self.influence.rows}, "
                f"{self.influence.columns}), groupings of {sorted(lengths)} rows",
                remedy="give each row an influence and a group, and each value a column of influence",
            )

    @property
    def n(self) -> int:
        """Rows that were used."""
        return self.influence.rows

    def grouping(self, column: str) -> Groups:
        """Return a carried grouping or say which ones there are.

        Raises
        ------
        InferenceError
            If the fit did not carry the column.
        """
        if column in self.groups:
            return self.groups[column]
        raise InferenceError(
            f"the fit did not carry the column '{column}'",
            where=f"carried: {', '.join(self.groups) or 'none'}",
            remedy=f"fit again with carry=('{column}',) or with this inference from the start",
        )
