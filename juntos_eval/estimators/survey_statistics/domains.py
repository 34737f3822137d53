"""Statistics by domain: a domain keeps the design, for influence of rows outside it is zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from juntos_eval.arrays import Codes, Floats
from juntos_eval.estimate import Block, BlockInfluence, DenseInfluence, Groups, Influence, Sample
from juntos_eval.estimators.design import Selection

__all__ = ["domain_influence", "domain_keys", "domain_of", "domain_sums", "sample_of"]


def domain_of(chosen: Selection, by: str | None) -> Groups:
    """Return the domain of each row; one domain with the label ``""`` where there are none.

    Parameters
    ----------
    chosen : Selection
    by : str or None
        A grouping that was carried.

    Returns
    -------
    Groups

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import select
    >>> from juntos_eval.estimators.survey_statistics.domains import domain_of
    >>> domain_of(select(pd.DataFrame({"y": [1.0, 2.0]}), numeric=("y",)), None).count
    1
    """
    return Groups(np.zeros(chosen.n, np.int64), ("",)) if by is None else chosen.groups[by]


def domain_sums(values: Floats, domains: Groups) -> Floats:
    """Sum a column within each domain.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    domains : Groups

    Returns
    -------
    numpy.ndarray, shape (domains,)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.survey_statistics.domains import domain_sums
    >>> domain_sums(np.array([1.0, 2.0, 4.0]), Groups([0, 1, 0], ("a", "b"))).tolist()
    [5.0, 2.0]
    """
    return np.asarray(np.bincount(domains.codes, weights=values, minlength=domains.count))


def domain_influence(values: Floats, domains: Groups) -> Influence:
    """Return influence of each row on the statistics of its own domain, one block a domain.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, p)
        Influence on each of the p statistics of the row's domain.
    domains : Groups

    Returns
    -------
    Influence
        (n, domains * p): all statistics of the first domain, then those of the second.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.survey_statistics.domains import domain_influence
    >>> domain_influence(np.array([[1.0], [2.0]]), Groups([1, 0], ("a", "b"))).dense().tolist()
    [[0.0, 1.0], [2.0, 0.0]]
    """
    if domains.count == 1:
        return DenseInfluence(values)
    width = values.shape[1]
    blocks = tuple(
        Block(rows, np.arange(width) + width * domain, values[rows])
        for domain, rows in enumerate(rows_by_domain(domains))
    )
    return BlockInfluence(blocks, rows=len(values), columns=width * domains.count)


def rows_by_domain(domains: Groups) -> list[Codes]:
    """Return the rows of each domain, in ascending order.

    Parameters
    ----------
    domains : Groups

    Returns
    -------
    list of numpy.ndarray of int64

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.survey_statistics.domains import rows_by_domain
    >>> [rows.tolist() for rows in rows_by_domain(Groups([1, 0, 1], ("a", "b")))]
    [[1], [0, 2]]
    """
    order = np.argsort(domains.codes, kind="stable").astype(np.int64)
    ends = np.cumsum(np.bincount(domains.codes, minlength=domains.count))[:-1]
    return list(np.split(order, ends))


def domain_keys(terms: Sequence[str], domains: Groups, by: str | None) -> Mapping[str, tuple[Any, ...]]:
    """Return the keys of p statistics of each domain, in the order of :func:`domain_influence`.

    Parameters
    ----------
    terms : sequence of str, length p
    domains : Groups
    by : str or None
        Without it there is no key ``group``.

    Returns
    -------
    Mapping of str to tuple

    Examples
    --------
    >>> from juntos_eval.estimate import Groups
    >>> from juntos_eval.estimators.survey_statistics.domains import domain_keys
    >>> domain_keys(["total"], Groups([0, 1], ("a", "b")), "area")
    {'term': ('total', 'total'), 'group': ('a', 'b')}
    """
    keys: dict[str, tuple[Any, ...]] = {"term": tuple(terms) * domains.count}
    if by is not None:
        keys["group"] = tuple(np.repeat(np.array(domains.levels, dtype=object), len(terms)))
    return keys


def sample_of(chosen: Selection) -> Sample:
    """Return who the statistics speak of.

    Parameters
    ----------
    chosen : Selection

    Returns
    -------
    Sample

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import select
    >>> from juntos_eval.estimators.survey_statistics.domains import sample_of
    >>> sample_of(select(pd.DataFrame({"y": [1.0, 2.0]}), numeric=("y",))).effective
    2.0
    """
    weights = chosen.weights
    return Sample(
        rows=chosen.n,
        units=chosen.n,
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        dropped=chosen.dropped,
    )
