"""Poverty and inequality on ENAHO's own files: INEI's headcounts, and errors against replication."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean_deflators, clean_sumaria

#: Published by INEI, in per cent; ../shared/data/README.md.
POVERTY = {2019: 20.2, 2020: 30.1}
DESIGN = je.SurveyDesign(strata="cell", psu="psu")


@pytest.fixture(scope="module")
def households(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = shared_data / "peru" / "enaho" / "sumaria"
    if not folder.is_dir():
        pytest.skip(f"no ENAHO files at {folder}: poverty and inequality of the real survey are not checked")
    lines = ["[geo]", f'deflators = "{folder}/deflactores_base2020_new.dta"']
    for year in POVERTY:
        lines += [f"[enaho.{year}]", f'sumaria = "{folder}/sumaria-{year}.dta"']
    place = tmp_path_factory.mktemp("real") / "raw.toml"
    place.write_text("\n".join(lines), encoding="utf-8")
    raw = RawFolder.at(place)
    deflators = clean_deflators(raw)
    parts = []
    for year in POVERTY:
        frame = clean_sumaria(raw, year, deflators=deflators).frame
        parts.append(frame.assign(cell=f"{year}-" + frame["estrato"].astype(str), year=year))
    both = pd.concat(parts, ignore_index=True)
    return both.assign(psu=both["year"].astype(str) + "-" + both["psu"].astype(str))


def test_headcounts_are_inei_s_and_deeper_poverty_follows(households: pd.DataFrame) -> None:
    found = je.Poverty(outcome="spending_month", line="poverty_line", by="year", weights="person_weight").fit(
        households, inference=DESIGN
    )
    headcounts = found.values[0::3]
    assert 100 * headcounts == pytest.approx(list(POVERTY.values()), abs=0.05)
    assert (found.values[0::3] > found.values[1::3]).all()
    assert (found.values[1::3] > found.values[2::3]).all()


def test_errors_of_the_gini_are_those_of_leaving_clusters_out(households: pd.DataFrame) -> None:
    year = households[households["year"] == 2020]
    # a hundred clusters of one cell: the delete-one jackknife, written out
    cell = year["cell"].value_counts().index[0]
    part = year[year["cell"] == cell]
    some = part[part["psu"].isin(part["psu"].unique()[:100])]
    model = je.Inequality(outcome="spending_month", indices=("gini", "theil"), weights="person_weight")
    found = model.fit(some, inference=DESIGN)
    without = np.array([model.fit(some[some["psu"] != psu]).values for psu in some["psu"].unique()])
    jackknife = np.sqrt(99 / 100 * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    # influence and jackknife agree to the first order in the share of a cluster
    assert found.uncertainty.std_error == pytest.approx(jackknife, rel=0.05)
