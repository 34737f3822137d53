r"""Two-stage least squares, LIML and Fuller: the k-class, from columns with the exogenous ones taken out.

Everything runs on rows times the root of their weights; :class:`PartialledOut` holds what is left of outcome,
endogenous regressors and instruments once the exogenous columns are projected out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from juntos_eval.arrays import Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["KClass", "PartialledOut", "k_class", "liml_kappa", "partial_out"]

# share of an endogenous regressor's length below which its projection on the instruments is rounding
NO_FIRST_STAGE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartialledOut:
    r"""What is left after the exogenous columns, each row times the root of its weight.

    Attributes
    ----------
    outcome : numpy.ndarray, shape (n,)
    endogenous : numpy.ndarray, shape (n, d)
    instruments : numpy.ndarray, shape (n, m)
    basis : numpy.ndarray, shape (n, m)
        Orthonormal columns that span the instruments.
    exogenous_basis : numpy.ndarray, shape (n, p)
        Orthonormal columns that span the exogenous regressors.
    root : numpy.ndarray, shape (n,)
        Root of the weights.
    design : numpy.ndarray, shape (n, m + p)
        Both bases over the root: the design of a first stage with an inverse of ones.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import partial_out
    >>> z = np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> left = partial_out(np.arange(4.0), z, np.ones((4, 1)), z, np.ones(4))
    >>> left.instruments.ravel().round(12).tolist()
    [-0.5, 0.5, -0.5, 0.5]
    """

    outcome: Floats
    endogenous: Floats
    instruments: Floats
    basis: Floats
    exogenous_basis: Floats
    root: Floats
    design: Floats

    def __post_init__(self) -> None:
        for name in ("outcome", "endogenous", "instruments", "basis", "exogenous_basis", "root", "design"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def projected(self) -> Floats:
        """Projection of the endogenous regressors on the instruments, (n, d)."""
        return np.asarray(self.basis @ (self.basis.T @ self.endogenous))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KClass:
    r"""Coefficients of :math:`(\tilde X'WX)^{-1}\tilde X'Wy` with :math:`\tilde X = (I - kM_Z)X`.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (d + p,)
        Of the endogenous regressors, then of the exogenous ones.
    design : numpy.ndarray, shape (n, d + p)
        :math:`\tilde X`: the projected design for k = 1.
    bread : numpy.ndarray, shape (d + p, d + p)
        :math:`(\tilde X'WX)^{-1}`.
    residuals : numpy.ndarray, shape (n,)
        Structural: of the endogenous regressors themselves.
    kappa : float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import k_class, partial_out
    >>> z, one = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones((4, 1))
    >>> d, y = np.array([[0.0], [1.0], [0.0], [0.0]]), np.array([1.0, 3.0, 1.0, 1.0])
    >>> k_class(y, d, one, partial_out(y, d, one, z, np.ones(4))).coefficients.round(12).tolist()
    [2.0, 1.0]
    """

    coefficients: Floats
    design: Floats
    bread: Floats
    residuals: Floats
    kappa: float

    def __post_init__(self) -> None:
        for name in ("coefficients", "design", "bread", "residuals"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def partial_out(
    outcome: Floats, endogenous: Floats, exogenous: Floats, instruments: Floats, weights: Floats
) -> PartialledOut:
    """Project the exogenous columns out of the others.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    endogenous : numpy.ndarray, shape (n, d)
    exogenous : numpy.ndarray, shape (n, p)
        Of full rank; p may be zero.
    instruments : numpy.ndarray, shape (n, m)
        Of full rank beside the exogenous.
    weights : numpy.ndarray, shape (n,)
        Positive.

    Returns
    -------
    PartialledOut

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import partial_out
    >>> one, z = np.ones((3, 1)), np.array([[1.0], [0.0], [-1.0]])
    >>> partial_out(np.array([1.0, 2.0, 6.0]), z, one, z, np.ones(3)).outcome.round(12).tolist()
    [-2.0, -1.0, 3.0]
    """
    root = np.sqrt(weights)
    sizes = np.cumsum([1, endogenous.shape[1], instruments.shape[1]])
    columns = np.column_stack([outcome, endogenous, instruments]) * root[:, None]
    exogenous_basis = _orthonormal(exogenous * root[:, None])
    for _ in range(2):  # the second pass takes out what rounding left
        columns -= exogenous_basis @ (exogenous_basis.T @ columns)
    left = columns[:, sizes[1] : sizes[2]]
    basis = _orthonormal(left)
    return PartialledOut(
        outcome=columns[:, 0],
        endogenous=columns[:, 1 : sizes[1]],
        instruments=left,
        basis=basis,
        exogenous_basis=exogenous_basis,
        root=root,
        design=np.column_stack([basis, exogenous_basis]) / root[:, None],
    )


def _orthonormal(matrix: Floats) -> Floats:
    if not matrix.shape[1]:
        return matrix
    length = np.linalg.norm(matrix, axis=0)
    return np.asarray(linalg.qr(matrix / length, mode="economic", check_finite=False)[0])


def liml_kappa(left: PartialledOut) -> float:
    r"""Return LIML's :math:`\hat k`, the smallest root of :math:`|Y'Y - k\,Y'M_ZY| = 0`.

    Parameters
    ----------
    left : PartialledOut
        Y are outcome and endogenous regressors.

    Returns
    -------
    float
        At least one; one where there are as many instruments as endogenous regressors.

    References
    ----------
    Anderson, T. W. & Rubin, H. (1949). Estimation of the parameters of a single equation in a complete system
    of stochastic equations. Annals of Mathematical Statistics 20(1), 46-63.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import liml_kappa, partial_out
    >>> z, one = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones((4, 1))
    >>> d, y = np.array([[0.0], [1.0], [0.5], [0.0]]), np.array([1.0, 3.0, 2.0, 2.0])
    >>> round(liml_kappa(partial_out(y, d, one, z, np.ones(4))), 12)
    1.0
    """
    columns = np.column_stack([left.outcome, left.endogenous])
    columns = columns / np.linalg.norm(columns, axis=0)
    explained = left.basis.T @ columns
    unexplained = columns - left.basis @ explained
    within = unexplained.T @ unexplained
    if np.linalg.eigvalsh(within)[0] < 1e-14:
        raise DesignError(
            "LIML needs errors in both stages, and the instruments explain a combination of outcome and "
            "endogenous regressors without any",
            where=f"{len(columns):,} rows, {left.basis.shape[1]} instruments",
            remedy="use fewer instruments, or look for a regressor that is an instrument itself",
        )
    if left.basis.shape[1] == left.endogenous.shape[1]:
        return 1.0
    return 1.0 + float(linalg.eigh(explained.T @ explained, within, eigvals_only=True)[0])


def k_class(
    outcome: Floats, endogenous: Floats, exogenous: Floats, left: PartialledOut, kappa: float = 1.0
) -> KClass:
    r"""Fit the k-class estimator.

    .. math:: \hat\beta = (X'W(I - kM_Z)X)^{-1} X'W(I - kM_Z)y

    k = 1 is 2SLS, :func:`liml_kappa` gives LIML, and that less a/(n - L) is Fuller's.

    Parameters
    ----------
    outcome : numpy.ndarray, shape (n,)
    endogenous : numpy.ndarray, shape (n, d)
    exogenous : numpy.ndarray, shape (n, p)
    left : PartialledOut
        Of the same columns.
    kappa : float

    Returns
    -------
    KClass

    Raises
    ------
    DesignError
        If the instruments explain nothing of an endogenous regressor beside the others.

    References
    ----------
    Davidson, R. & MacKinnon, J. G. (1993). Estimation and Inference in Econometrics, section 18.5. Oxford
    University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.k_class import k_class, partial_out
    >>> z, one = np.array([[0.0], [1.0], [0.0], [1.0]]), np.ones((4, 1))
    >>> d, y = np.array([[0.0], [1.0], [0.0], [0.0]]), np.array([1.0, 3.0, 1.0, 1.0])
    >>> k_class(y, d, one, partial_out(y, d, one, z, np.ones(4))).kappa
    1.0
    """
    _require_first_stage(left)
    explained = left.basis.T @ left.endogenous
    unexplained = left.endogenous - left.basis @ explained
    moved = left.endogenous - kappa * unexplained
    scale = np.linalg.norm(left.endogenous, axis=0)
    inner = (moved / scale).T @ (left.endogenous / scale)
    slopes = np.linalg.solve(inner, (moved / scale).T @ left.outcome) / scale
    rest = left.root * (outcome - endogenous @ slopes)
    weighted = exogenous * left.root[:, None]
    others = np.linalg.lstsq(weighted, rest, rcond=None)[0] if weighted.shape[1] else np.zeros(0)
    design = np.column_stack([endogenous - kappa * unexplained / left.root[:, None], exogenous])
    regressors = np.column_stack([endogenous, exogenous])
    return KClass(
        coefficients=np.concatenate([slopes, others]),
        design=design,
        bread=_inverse((design * left.root[:, None] ** 2).T @ regressors),
        residuals=outcome - endogenous @ slopes - exogenous @ others,
        kappa=kappa,
    )


def _inverse(matrix: Floats) -> Floats:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    inverse = np.linalg.inv(matrix / np.outer(scale, scale)) / np.outer(scale, scale)
    return np.asarray((inverse + inverse.T) / 2.0)


def _require_first_stage(left: PartialledOut) -> None:
    scaled = left.basis.T @ (left.endogenous / np.linalg.norm(left.endogenous, axis=0))
    roots = np.linalg.svd(scaled, compute_uv=False)
    if len(roots) < left.endogenous.shape[1] or roots[-1] < NO_FIRST_STAGE:
        raise DesignError(
            "the instruments say nothing of the endogenous regressors beside the covariates",
            where=f"{left.endogenous.shape[1]} endogenous, {left.basis.shape[1]} instruments, smallest "
            f"partial correlation {roots[-1]:.1e}",
            remedy="choose instruments that move every endogenous regressor on its own",
        )
