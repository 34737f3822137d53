"""The numbers that the package must give, each with its source and the test that holds it.

What takes long stands in the tests named here and is not done twice; what the clean tables alone must give,
R's ``survey`` on INEI's own files, is done below.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import clean_programmes, clean_sumaria

README = "../shared/data/README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number, where it is from, the test that holds it and how that test writes it."""

    what: str
    source: str
    file: str
    test: str
    written: tuple[str, ...]


NUMBERS = (
    Number(
        what="poverty 2015-2020 in per cent, within 0.05",
        source=f"INEI, as quoted in {README}",
        file="tests/surveys/test_real_enaho_years.py",
        test="test_weighted_poverty_is_the_published_one",
        written=("21.8", "20.7", "21.7", "20.5", "20.2", "30.1", "abs=0.05"),
    ),
    Number(
        what="Juntos 12.07 and 12.39 % of the households that answered, ENAHO 2024 and 2025",
        source=README,
        file="tests/surveys/test_real_enaho.py",
        test="test_juntos_share_among_answering_households",
        written=("12.07", "12.39"),
    ),
    Number(
        what="9,093 households with the same keys in 2024 and 2025",
        source=README,
        file="tests/surveys/test_real_enaho.py",
        test="test_links_by_key_and_after_the_checks",
        written=("9_093",),
    ),
    Number(
        what="stunting of under-fives 12.1 %, ENDES 2020",
        source=README,
        file="tests/surveys/endes/test_real_endes.py",
        test="test_stunting_is_that_published",
        written=("12.1",),
    ),
    Number(
        what="z-scores of WHO's test survey of the 2006 standards, within 0.005",
        source="MySurvey_z_st.csv of WHO's igrowup, in the package pygrowup",
        file="tests/surveys/growth/test_scores.py",
        test="test_the_survey_of_the_2006_standards",
        written=("TOLERANCE = 0.005 + 1e-6",),
    ),
    Number(
        what="errors of means, totals, shares, ratios and quantiles by R's survey, within 1e-6",
        source="tests/golden/survey, made by survey.R",
        file="tests/estimators/survey_statistics/test_golden.py",
        test="test_statistics",
        written=(),
    ),
    Number(
        what="the same on INEI's files of 2020 and 2024",
        source="tests/golden/survey/enaho.json, made by enaho.R",
        file="tests/estimators/survey_statistics/test_real_enaho.py",
        test="test_poverty_and_consumption",
        written=("30.1",),
    ),
)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.what)
def test_each_number_is_held_where_it_says(number: Number, repository: Path) -> None:
    text = (repository / number.file).read_text(encoding="utf-8")
    tests = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    assert number.test in tests
    for written in number.written:
        assert written in text, f"{number.what}: {written} is no longer in {number.file}"


@pytest.fixture(scope="module")
def r_survey(repository: Path) -> dict[str, dict[str, list[float]]]:
    content: dict[str, dict[str, list[float]]] = json.loads(
        (repository / "tests/golden/survey/enaho.json").read_text(encoding="utf-8")
    )
    return content


@pytest.fixture(scope="module")
def raw(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RawFolder:
    folder = shared_data / "peru" / "enaho"
    if not (folder / "sumaria").is_dir() or not (folder / "2024").is_dir():
        pytest.skip(f"no ENAHO files at {folder}: R's numbers on the real survey are not checked")
    place = tmp_path_factory.mktemp("real") / "raw.toml"
    place.write_text(
        f'[enaho.2024]\nprogrammes = "{folder}/2024/enaho01-2024-700.dta"\n'
        f'[enaho.2020]\nsumaria = "{folder}/sumaria/sumaria-2020.dta"\n',
        encoding="utf-8",
    )
    return RawFolder.at(place)


def holds(estimate: je.Estimate, expected: dict[str, list[float]]) -> None:
    np.testing.assert_allclose(estimate.values, expected["est"], rtol=1e-6)
    np.testing.assert_allclose(estimate.uncertainty.std_error, expected["se"], rtol=1e-6)


def test_a_clean_table_and_its_own_design_give_r_s_share_and_total(
    raw: RawFolder, r_survey: dict[str, dict[str, list[float]]]
) -> None:
    frame = clean_programmes(raw, 2024).frame
    weight = frame.attrs["design"]["weight"]
    rule = je.SurveyDesign.of(frame, lonely="adjust")
    share = je.Proportion(outcome="has_juntos", weights=weight).fit(frame, inference=rule)
    holds(share, r_survey["juntos-share"])
    total = je.Total(outcome="has_juntos", weights=weight).fit(frame, inference=rule)
    holds(total, r_survey["juntos-households"])


def test_clean_spending_gives_r_s_quantiles_and_poverty(
    raw: RawFolder, r_survey: dict[str, dict[str, list[float]]]
) -> None:
    frame = clean_sumaria(raw, 2020).frame
    # the extract lacks the domain: R's strata there are department and size of place
    frame["place"] = frame["ubigeo"].str[:2] + "-" + frame["estrato"].astype("str")
    rule = je.SurveyDesign.of(frame, strata="place", psu="psu", lonely="adjust")
    poor = je.Mean(outcome="is_poor", weights="person_weight").fit(frame, inference=rule)
    holds(poor, r_survey["poor-share"])
    asked = je.Quantile(
        outcome="spending_month", probabilities=(0.1, 0.25, 0.5, 0.75, 0.9), weights="person_weight"
    )
    holds(asked.fit(frame, inference=rule), r_survey["consumption-quantiles"])
