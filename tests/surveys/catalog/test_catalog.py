"""The catalogue: packed tables that give the crawl back, and the facts of INEI's portal that they hold."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.surveys.catalog import (
    HOSTS,
    PUBLISHED,
    load_catalogue,
    parse_years,
    published,
    table_text,
)
from juntos_eval.surveys.catalog_pack import TABLES, expand_catalogue, pack_catalogue
from juntos_eval.surveys.source import load_source


def origins() -> list[dict[str, str]]:
    return list(csv.DictReader(table_text("origins.csv").splitlines()))


@pytest.fixture(scope="module")
def crawl(repository: Path) -> list[dict[str, str]]:
    path = repository.parent / "shared" / "inei" / "catalog.csv"
    if not path.is_file():
        pytest.skip(
            "no crawl at ../shared/inei/catalog.csv (next to the repository): this test compares with it"
        )
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_packed_tables_are_the_crawl(crawl: list[dict[str, str]]) -> None:
    sources = {row["listing"]: (row["source"], row["status"]) for row in origins()}
    expanded = list(expand_catalogue({name: table_text(name) for name in TABLES}, sources))
    assert len(expanded) == len(crawl) == 2651
    assert sorted(tuple(row.items()) for row in expanded) == sorted(tuple(row.items()) for row in crawl)


def test_packing_again_makes_the_same_tables(crawl: list[dict[str, str]]) -> None:
    packed = pack_catalogue(crawl, {row["status"]: row["listing"] for row in origins()})
    assert packed == {name: table_text(name) for name in TABLES}


def test_a_crawl_that_cannot_be_packed_is_refused() -> None:
    row = dict.fromkeys(
        ("survey", "year", "period", "survey_code", "module", "module_name", "n_rows_index", "n_vars_index"),
        "1",
    )
    row |= {"format": "SPSS", "url": "https://elsewhere.example/a.zip", "source": "s", "status": "listed"}
    with pytest.raises(SchemaError, match="would not give its rows back"):
        pack_catalogue([row], {"listed": "portal"})


def test_every_survey_has_its_years() -> None:
    years = {survey: {file.year for file in published(survey)} for survey in PUBLISHED}
    assert years["enaho"] == set(range(2004, 2026))
    assert years["endes"] == {1996, 2000, *range(2004, 2026)}
    assert years["enaho_panel"] >= {2011, *range(2015, 2025)}
    assert years["poverty_map"] == {2013, 2018}


# ../shared/inei/README.md states them; they are not in the order of the years
ENAHO_CODES = "280 281 282 283 284 285 279 291 324 404 440 498 546 603 634 687 737 759 784 906 966 1031"
PANEL_CODES = {
    2011: "302", 2015: "529", 2016: "614", 2017: "612", 2018: "651", 2019: "699", 2020: "743",
    2021: "763", 2022: "845", 2023: "912", 2024: "978",
}  # fmt: skip
ENDES_CODES = "120 150 183 194 209 238 260 290 323 407 441 504 548 605 638 691 739 760 786 910 968 1038"


def test_survey_codes_are_inei_s() -> None:
    assert {f.year: f.code for f in published("enaho")} == dict(
        zip(range(2004, 2026), ENAHO_CODES.split(), strict=True)
    )
    assert {f.year: f.code for f in published("enaho_panel") if f.year in PANEL_CODES} == PANEL_CODES
    endes = {f.year: f.code for f in published("endes") if f.year >= 2004}
    assert endes == dict(zip(range(2004, 2026), ENDES_CODES.split(), strict=True))


def test_formats_are_as_published() -> None:
    for file in published("enaho", modules=("37",)):
        assert file.file_format != "CSV" or file.year >= 2008
    assert {f.year for f in published("endes", formats=("STATA",))} == set(range(2021, 2025))
    assert {f.year for f in published("endes", formats=("CSV",))} == set(range(2020, 2025))
    assert {f.year for f in published("endes", formats=("SPSS",))} == {1996, 2000, *range(2004, 2026)}


def test_addresses_that_were_built_are_marked() -> None:
    built = [file for file in load_catalogue() if not file.is_listed]
    assert len(built) == 14
    assert {(file.survey, file.year) for file in built} == {("endes", 2004), ("endes", 2025)}
    assert all(file.title for file in built)


def test_addresses_on_both_hosts() -> None:
    file = published("enaho", years=(2010,), modules=("2",), formats=("stata",))[0]
    assert [file.address(host) for host in HOSTS] == [
        f"{host}/iinei/srienaho/descarga/STATA/279-Modulo02.zip" for host in HOSTS
    ]
    assert file.stored_name == "279-Modulo02.STATA.zip"


@pytest.mark.parametrize("survey", ["enaho", "endes"])
def test_sources_and_catalogue_agree(survey: str) -> None:
    source = load_source(survey)
    for label, facts in source.years.items():
        files = published(survey, years=(int(label),))
        assert {file.code for file in files} == {facts["code"]}
        for file_format in facts["formats"]:
            assert any(file.file_format == file_format for file in files), (label, file_format)
        listed = {(file.module, file.file_format) for file in files}
        for table in source.tables.values():
            module = source.module(table.name, int(label))
            if module and table.rows.get(label):
                assert (module, facts["formats"][0]) in listed, (table.name, label)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"survey": "encuesta"}, "no survey 'encuesta'"),
        ({"survey": "enaho", "years": (1999,)}, "no year 1999"),
        ({"survey": "enaho", "modules": ("1629",)}, "no module 1629"),
        ({"survey": "enaho", "formats": ("XLS",)}, "no format XLS"),
    ],
)
def test_what_does_not_exist_is_named(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        published(**wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2009-2011", (2009, 2010, 2011)),
        ("2015,2009-2010,2010", (2009, 2010, 2015)),
        ("", ()),
        (" 2024 ", (2024,)),
    ],
)
def test_years_are_read(text: str, years: tuple[int, ...]) -> None:
    assert parse_years(text) == years


@pytest.mark.parametrize("text", ["09-13", "2013-2009", "all", "2009:2013"])
def test_what_is_no_year_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="is no year"):
        parse_years(text)
