"""The numbers that must come out of the real files; skipped, loudly, where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import (
    build_households,
    clean_districts,
    clean_dwellings,
    clean_food_security,
    clean_members,
    clean_programmes,
    link_households,
)
from juntos_eval.surveys.provenance import CleanTable

YEARS = (2024, 2025)
FORMER = "former panel member, not in the household now"


class RealTables(NamedTuple):
    members: dict[int, CleanTable]
    programmes: dict[int, CleanTable]
    households: dict[int, CleanTable]
    food_security: CleanTable
    dwellings: CleanTable
    districts: CleanTable
    linked: CleanTable


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> RawFolder:
    folder = shared_data / "peru"
    if not (folder / "enaho" / "2024").is_dir():
        pytest.skip("no ENAHO files at ../shared/data/peru: the numbers of the real survey are not checked")
    return RawFolder.at(folder)


@pytest.fixture(scope="module")
def real(raw: RawFolder) -> RealTables:
    members = {year: clean_members(raw, year) for year in YEARS}
    programmes = {year: clean_programmes(raw, year) for year in YEARS}
    food_security, dwellings = clean_food_security(raw, 2025), clean_dwellings(raw, 2025)
    districts = clean_districts(raw)
    households = {
        2024: build_households(members[2024], programmes[2024], districts=districts),
        2025: build_households(
            members[2025],
            programmes[2025],
            districts=districts,
            food_security=food_security,
            dwellings=dwellings,
        ),
    }
    return RealTables(
        members=members,
        programmes=programmes,
        households=households,
        food_security=food_security,
        dwellings=dwellings,
        districts=districts,
        linked=link_households(households[2024], households[2025]),
    )


@pytest.mark.parametrize(
    ("year", "lines", "households", "former"),
    [(2024, 117_721, 33_691, 3_966), (2025, 115_145, 33_702, 4_473)],
)
def test_row_counts_are_those_of_the_files(
    year: int, lines: int, households: int, former: int, real: RealTables
) -> None:
    members = real.members[year].provenance
    assert members.rows_in == lines
    assert members.dropped == {FORMER: former}
    assert members.rows_out == lines - former
    assert real.programmes[year].provenance.rows_out == households
    assert real.households[year].provenance.rows_out == households
    assert real.households[year].provenance.dropped == {}


def test_row_counts_of_the_other_tables(real: RealTables) -> None:
    assert real.food_security.provenance.rows_out == 33_702
    assert real.dwellings.provenance.rows_out == 27_260
    assert real.districts.provenance.rows_in == 1_893
    assert real.districts.provenance.rows_out == 1_892


@pytest.mark.parametrize(("year", "silent", "percent"), [(2024, 2_302, 12.07), (2025, 2_280, 12.39)])
def test_juntos_share_among_answering_households(
    year: int, silent: int, percent: float, real: RealTables
) -> None:
    frame = real.programmes[year].frame
    assert (~frame["has_answered_programmes"]).sum() == silent
    answering = frame[frame["has_answered_programmes"]]
    share = np.average(answering["has_juntos"].astype(float), weights=answering["household_weight"])
    assert 100 * share == pytest.approx(percent, abs=0.005)


def test_links_by_key_and_after_the_checks(real: RealTables) -> None:
    notes = real.linked.provenance.notes
    linked = notes["households linked by key"]
    assert linked == 9_093
    assert notes["district differs"] == 0
    assert 100 * (1 - notes["head's sex differs"] / linked) == pytest.approx(95.7, abs=0.05)
    assert 100 * (1 - notes["head's age not 0 to 2 years more"] / linked) == pytest.approx(92, abs=0.5)
    assert len(real.linked.frame) == 2 * 8_333


def test_nobody_stops_being_a_beneficiary_among_the_links_by_key(real: RealTables) -> None:
    """What the item means: of those with a yes in 2024, none says no in 2025."""
    first, second = (real.programmes[year].frame for year in YEARS)
    pairs = first.merge(second, on="household_id", suffixes=("_1", "_2"))
    both = pairs[pairs["has_juntos_1"].notna() & pairs["has_juntos_2"].notna()]
    assert both["has_juntos_1"].sum() == 1_255
    assert (both["has_juntos_1"] & ~both["has_juntos_2"]).sum() == 0


def test_everything_matches_but_incomplete_interviews(real: RealTables) -> None:
    for year in YEARS:
        notes = real.households[year].provenance.notes
        assert notes["member lines without a household in module 700"] == 0
        assert notes["households without a head"] == 0
        assert notes["households without a match in districts"] == 0
    notes = real.households[2025].provenance.notes
    assert notes["households without a match in food_security"] == 0
    assert notes["households without a match in dwellings"] == 33_702 - 27_260


def test_child_work_is_known_exactly_from_five_to_seventeen(real: RealTables) -> None:
    for year in YEARS:
        frame = real.members[year].frame
        asked = frame["age_years"].between(5, 17)
        np.testing.assert_array_equal(frame["is_working_child"].notna(), asked)


def test_the_food_insecurity_scale_behaves(real: RealTables) -> None:
    scale = real.food_security.provenance.details["fies_scale"]
    assert scale["complete_households"] == 32_065
    assert np.argmax(scale["severities"]) == 7
    assert np.argmin(scale["severities"]) == 0
    assert 0.7 < min(scale["infit"]) <= max(scale["infit"]) < 1.3
    answered = real.food_security.frame.dropna(subset=["fies_category"])
    assert len(answered) == 32_065
    assert set(answered["fies_category"]) == {"food_secure_or_mild", "moderate", "severe"}


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
@pytest.mark.parametrize(
    "name",
    ["2024/enaho01-2024-700.dta", "2025/Enaho01-2025-700.csv", "2025/module100-household-derived.parquet"],
)
def test_half_copied_real_files_are_refused(name: str, share: float, raw: RawFolder, tmp_path: Path) -> None:
    content = (raw.root / "enaho" / name).read_bytes()
    copy = tmp_path / "enaho" / name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content[: int(len(content) * share)])
    cleaner = clean_dwellings if "module100" in name else clean_programmes
    with pytest.raises(SourceError, match="half-copied"):
        cleaner(RawFolder.at(tmp_path), int(name[:4]))
