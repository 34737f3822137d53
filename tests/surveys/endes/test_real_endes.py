"""The numbers that must come out of ENDES 2020; skipped, loudly, where the files are not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.estimators.means import Mean
from juntos_eval.inference.survey_design import SurveyDesign
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import endes
from juntos_eval.surveys.provenance import CleanTable

YEAR = 2020


class Real(NamedTuple):
    raw: RawFolder
    households: CleanTable
    persons: CleanTable
    children: CleanTable
    violence: CleanTable
    health: CleanTable


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Real:
    folder = shared_data / "peru"
    if not (folder / "endes" / "2020").is_dir():
        pytest.skip("no ENDES files at ../shared/data/peru: the numbers of the real survey are not checked")
    raw = RawFolder.at(folder)
    homes = endes.clean_households(raw, YEAR)
    people = endes.clean_persons(raw, YEAR, households=homes)
    return Real(
        raw=raw,
        households=homes,
        persons=people,
        children=endes.clean_children(raw, YEAR, households=homes, persons=people),
        violence=endes.clean_violence(raw, YEAR, households=homes),
        health=endes.clean_health(raw, YEAR, households=homes, persons=people),
    )


def share(
    values: np.ndarray, weights: np.ndarray, strata: np.ndarray, psu: np.ndarray
) -> tuple[float, float]:
    """A weighted share and its linearised standard error, written out."""
    total = weights.sum()
    mean = float(values @ weights / total)
    scores = weights * (values - mean) / total
    variance = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        sums = np.array([scores[inside & (psu == one)].sum() for one in np.unique(psu[inside])])
        if len(sums) > 1:
            variance += len(sums) / (len(sums) - 1) * float(((sums - sums.mean()) ** 2).sum())
    return mean, variance**0.5


def test_rows(real: Real) -> None:
    assert len(real.households.frame) == 34_403
    assert dict(real.households.provenance.dropped) == {"household not interviewed (weight 0)": 3_680}
    assert len(real.persons.frame) == 139_653
    assert len(real.children.frame) == 13_529
    assert len(real.violence.frame) == 27_922
    assert len(real.health.frame) == 34_403 - 2_206


@pytest.mark.parametrize("only_slept_here", [False, True])
def test_stunting_is_that_published(real: Real, *, only_slept_here: bool) -> None:
    children = real.children.frame
    counted = children[children["is_stunted"].notna()]
    if only_slept_here:
        counted = counted[counted["slept_here"]]
    mean, error = share(
        counted["is_stunted"].to_numpy(dtype=float),
        counted["child_weight"].to_numpy(),
        counted["stratum"].to_numpy(),
        counted["psu"].to_numpy(),
    )
    assert round(100 * mean, 1) == 12.1
    # of a design of 248 strata and 3,253 clusters
    assert 0.003 < error < 0.007
    design = SurveyDesign.of(counted, strata="stratum", psu="psu", lonely="adjust")
    ours = Mean(outcome="is_stunted", weights="child_weight").fit(counted, inference=design).tidy()
    assert ours["estimate"].iloc[0] == pytest.approx(mean, abs=1e-12)
    assert ours["std_error"].iloc[0] == pytest.approx(error, rel=1e-2)


def test_who_has_no_score_is_told(real: Real) -> None:
    notes = real.children.provenance.notes
    assert notes["haz: flagged as implausible"] == 42
    assert notes["haz: height out of plausible limits"] == 4
    assert real.children.frame["haz"].notna().sum() == 13_529 - 332 - 46


def test_there_is_no_juntos_and_the_reason_is_told(real: Real) -> None:
    for table in (real.households, real.children, real.violence):
        assert table.frame["has_juntos"].isna().all()
        assert str(table.provenance.details["juntos"]).startswith("missing: no file of social programmes")


def test_districts_exist(real: Real, shared_data: Path) -> None:
    codes = set(
        (shared_data / "peru" / "geo" / "ubigeo_distrito.csv")
        .read_text(encoding="utf-8")
        .split("\n", 1)[1]
        .split("\n")
    )
    known = {line.split(",")[0].strip('"').zfill(6) for line in codes if line}
    assert real.households.frame["ubigeo"].isin(known).mean() > 0.99


def test_acts_that_the_file_lacks_are_named(real: Real) -> None:
    assert real.violence.provenance.details["acts_without_answers"] == "physical_g, physical_j, emotional_d"
    assert real.violence.provenance.details["weight"] == "household_weight"
    frame = real.violence.frame
    assert frame["has_physical_violence_ever"].isna().sum() == 8_632
    last, ever = frame["has_physical_violence_last_12_months"], frame["has_physical_violence_ever"]
    assert not (last & ~ever).fillna(value=False).any()


def test_files_that_are_not_there_are_an_error(real: Real) -> None:
    with pytest.raises(SourceError, match="women file of endes 2020 is missing"):
        endes.clean_women(real.raw, YEAR)


def test_an_undocumented_year_is_an_error(real: Real) -> None:
    with pytest.raises(SchemaError, match="not documented"):
        endes.clean_households(real.raw, 2025)
