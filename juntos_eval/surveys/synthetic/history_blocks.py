"""Households in blocks: what lasts is drawn once a block, what changes once a block and year.

A block is a number of clusters that are visited in the same years: five in a row (panel) or one. Each has
random streams of its own, so that a block is the same however large the sample is written and in whatever
order, and memory holds one block at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.surveys.synthetic.geo_files import draw_districts
from juntos_eval.surveys.synthetic.history_model import HistoryModel, draw_rollout, poverty_rates

__all__ = ["SLOTS", "Block", "Families", "Frame", "YearState", "draw_families", "draw_year", "make_frame"]

PANEL_WAVES: Final = 5
CHILD_SLOTS: Final = 6
#: head, spouse, another adult, then the children in order of birth.
SLOTS: Final = 3 + CHILD_SLOTS
REFERENCE_SEED: Final = 2004
YEARLY_SPREAD: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The districts that are drawn from, and when each was reached.

    Attributes
    ----------
    districts : pandas.DataFrame
    entry_month : numpy.ndarray
        Months from January of year 0.
    chance : numpy.ndarray
        Probability that a cluster lies there.
    mu : mapping of int to float
        Level of consumption by year that gives its published poverty rate.
    cut_off : float
        Score below which households are eligible.
    """

    districts: pd.DataFrame
    entry_month: Floats
    chance: Floats
    mu: Mapping[int, float]
    cut_off: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Clusters visited in the same years.

    Attributes
    ----------
    key : tuple of int
        Seeds its streams.
    first_year : int
    waves : int
    clusters : numpy.ndarray
        Running numbers among all clusters of any of its years.
    dwellings : int
        A cluster.
    """

    key: tuple[int, ...]
    first_year: int
    waves: int
    clusters: Codes
    dwellings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """What lasts of a block's households (rows) and their members (slots)."""

    cluster: Codes
    vivienda: Codes
    district: Codes
    estrato: Codes
    is_rural: Bools
    index: Floats
    score: Floats
    hidden: Floats
    wish: Floats
    language: Codes
    schooling: Floats
    born: Floats
    is_female: Bools
    last_year: Codes
    weight: Floats

    def __len__(self) -> int:
        return len(self.cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearState:
    """A block in one year: only households and members that are there."""

    year: int
    month: Codes
    is_there: Bools
    age: Floats
    is_member: Bools
    log_ratio: Floats
    is_eligible: Bools
    has_juntos: Bools
    months: Floats


def _rng(block: Block, *more: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([*block.key, *more]))


def draw_families(block: Block, frame: Frame, model: HistoryModel) -> Families:
    """Draw what lasts of a block."""
    rng = _rng(block)
    n = len(block.clusters) * block.dwellings
    of = np.repeat(np.arange(len(block.clusters)), block.dwellings)
    district = rng.choice(len(frame.chance), size=len(block.clusters), p=frame.chance)[of]
    poverty = frame.districts["poverty_rate"].to_numpy(dtype=float)[district]
    is_lima = frame.districts["dominio"].to_numpy()[district] == 8
    chance = np.where(is_lima, 0.0, expit(-2.2 + 5 * poverty))
    is_rural = rng.random(len(block.clusters))[of] < chance
    rural_size, urban_size = rng.integers(6, 9, len(block.clusters)), rng.integers(1, 6, len(block.clusters))
    estrato = np.where(is_rural, rural_size[of], urban_size[of])
    estrato = np.where(is_lima, 1, estrato)
    born, is_female = _draw_members(rng, block.first_year, is_rural)
    schooling = np.clip(rng.normal(11 - 8 * poverty - 2 * is_rural, 3.5), 0, 17).round()
    young = np.sum(born[:, 3:] > block.first_year - 18, axis=1)
    index = (
        -2.2 * (poverty - 0.35)
        - 0.35 * is_rural
        - 0.09 * young
        + 0.06 * (schooling - 8)
        + 0.45 * rng.standard_normal(n)
    )
    lost = rng.geometric(model.attrition, n) if model.attrition > 0 else np.full(n, PANEL_WAVES + 1)
    return Families(
        cluster=block.clusters[of],
        vivienda=np.tile(np.arange(1, block.dwellings + 1), len(block.clusters)),
        district=district,
        estrato=estrato,
        is_rural=is_rural,
        index=index,
        score=index + 0.3 * rng.standard_normal(n),
        hidden=rng.standard_normal(n),
        wish=rng.random(n),
        language=np.where(rng.random(n) < 0.05 + 0.6 * poverty * is_rural, 1, 4),
        schooling=schooling,
        born=born,
        is_female=is_female,
        last_year=block.first_year + np.minimum(lost, block.waves) - 1,
        weight=np.exp(0.4 * rng.standard_normal(n) - 0.08) * np.where(is_lima, 2.0, 0.85),
    )


def _draw_members(rng: np.random.Generator, first_year: int, is_rural: Bools) -> tuple[Floats, Bools]:
    """Years of birth and sex by slot; not a number where nobody fills it."""
    n = len(is_rural)
    born = np.full((n, SLOTS), np.nan)
    age = np.clip(rng.normal(44, 14, n), 20, 85).round()
    born[:, 0] = first_year - age
    couple = rng.random(n) < 0.68
    born[couple, 1] = np.clip(born[couple, 0] + rng.normal(3, 4, couple.sum()).round(), None, first_year - 16)
    other = rng.random(n) < 0.18
    born[other, 2] = first_year - rng.integers(55, 90, other.sum())
    count = np.minimum(rng.poisson(np.where(age < 60, 2.0 + 0.7 * is_rural, 0.5)), CHILD_SLOTS)
    births = np.sort(rng.integers(first_year - 17, first_year + PANEL_WAVES, (n, CHILD_SLOTS)), axis=1)
    births = np.maximum(births, (born[:, :1] + 16).astype(np.int64))
    born[:, 3:] = np.where(np.arange(CHILD_SLOTS) < count[:, None], births, np.nan)
    is_female = rng.random((n, SLOTS)) < 0.5
    is_female[:, 0] = rng.random(n) < np.where(couple, 0.1, 0.6)
    is_female[:, 1] = ~is_female[:, 0]
    return born, is_female


def draw_year(block: Block, families: Families, frame: Frame, year: int, model: HistoryModel) -> YearState:
    """Draw what changes: who is there, consumption, Juntos."""
    rng = _rng(block, year)
    n = len(families)
    month = rng.integers(1, 13, n)
    age = year - families.born
    is_member = (age >= 0) & ((np.arange(SLOTS) < 3) | (age < 25))
    now = 12 * year + month - 1
    covered = now - frame.entry_month[families.district] - model.delay_months
    youngest_rule = 14 if year <= 2013 else 19
    has_child = ((age < youngest_rule) & is_member)[:, 3:].any(axis=1)
    is_eligible = has_child & (families.score < frame.cut_off)
    takes = families.wish < expit(0.9 + 0.5 * families.is_rural + model.hidden_confounding * families.hidden)
    log_ratio = frame.mu[year] + families.index + YEARLY_SPREAD * rng.standard_normal(n)
    return YearState(
        year=year,
        month=month,
        is_there=families.last_year >= year,
        age=age,
        is_member=is_member,
        log_ratio=log_ratio,
        is_eligible=is_eligible,
        has_juntos=is_eligible & takes & (covered >= 0),
        months=np.where(np.isfinite(covered), np.maximum(covered, 0.0), 0.0),
    )


def make_frame(seed: int, model: HistoryModel) -> Frame:
    """Draw districts and rollout, and set the levels that give the published poverty rates.

    The levels come from a large reference sample of the frame's first interviews.

    Parameters
    ----------
    seed : int
    model : HistoryModel

    Returns
    -------
    Frame
    """
    streams = [np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(2)]
    districts = draw_districts(streams[0])
    poverty = districts["poverty_rate"].to_numpy(dtype=float)
    size = 1.2 - poverty
    frame = Frame(
        districts=districts,
        entry_month=draw_rollout(streams[1], poverty),
        chance=size / size.sum(),
        mu={},
        cut_off=0.0,
    )
    block = Block(key=(REFERENCE_SEED,), first_year=2014, waves=1, clusters=np.arange(10_000), dwellings=4)
    families = draw_families(block, frame, model)
    age = block.first_year - families.born
    value = families.index + YEARLY_SPREAD * _rng(block, 0).standard_normal(len(families))
    order = np.argsort(value)
    people = np.cumsum((families.weight * np.sum(age >= 0, axis=1))[order])
    rates = poverty_rates()
    mu = {y: -float(value[order][np.searchsorted(people, rate * people[-1])]) for y, rate in rates.items()}
    return replace(frame, mu=mu, cut_off=float(np.quantile(families.score, model.eligible_share)))
