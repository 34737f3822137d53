"""From a zip to the raw folder's layout: declared tables by name and variables, other modules whole."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog import CatalogFile, published
from juntos_eval.surveys.extract import DATA_SUFFIXES
from juntos_eval.surveys.fetch import how_to_get, unpack_deposits
from juntos_eval.surveys.fetch.unpack import folder_of, member_rules, unpack
from juntos_eval.surveys.source import load_source
from tests.surveys.fetch.conftest import needed_columns, stata_bytes


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def module(survey: str, year: int, code: str, file_format: str = "STATA") -> CatalogFile:
    return published(survey, years=(year,), modules=(code,), formats=(file_format,))[0]


def columns(table: str, year: int) -> list[str]:
    return [name for name in needed_columns(table, year) if not name.lower().startswith("a")]


def test_a_name_that_drifted_is_found_by_its_variables_and_gets_the_name_declared(tmp_path: Path) -> None:
    members = {
        "966-Modulo02/ENAHO_2024_200_v2.dta": stata_bytes(columns("members", 2024)),
        "966-Modulo02/tabla-ciiu.dta": stata_bytes(["codigo"]),
    }
    made = unpack(archive(tmp_path / "a.zip", members), module("enaho", 2024, "02"), tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in made.files] == [
        "enaho/2024/enaho01-2024-200.dta"
    ]


def test_a_table_of_the_wrong_content_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"enaho01-2024-200.dta": stata_bytes(["conglome", "vivienda"])})
    with pytest.raises(SourceError, match=r"enaho01-2024-200\.dta lacks"):
        unpack(path, module("enaho", 2024, "02"), tmp_path)
    assert not (tmp_path / "enaho").exists()


def test_a_module_without_declared_tables_is_unpacked_whole(tmp_path: Path) -> None:
    members = {"a/enaho01-2019-601.dta": stata_bytes(["p601a"]), "a/b.sav": b"$FL2", "a/c.pdf": b"%PDF"}
    made = unpack(archive(tmp_path / "a.zip", members), module("enaho", 2019, "07"), tmp_path)
    assert {path.name for path in made.files} == {"enaho01-2019-601.dta", "b.sav"}
    only_pdf = archive(tmp_path / "b.zip", {"c.pdf": b"%PDF"})
    with pytest.raises(SourceError, match="holds no data file"):
        unpack(only_pdf, module("enaho", 2019, "07"), tmp_path)


def test_every_declared_table_has_a_rule_in_every_year_and_format() -> None:
    for survey in ("enaho", "endes"):
        source = load_source(survey)
        for file in published(survey):
            declared = [
                table
                for table in source.tables.values()
                if source.module(table.name, file.year) == file.module and table.producer == source.producer
            ]
            rules = member_rules(file)
            assert len(rules) == len(declared)
            for names, rule in rules:
                assert rule.rank(f"{file.code}-Modulo{file.module}/{names[0].upper()}") == 0
                assert all(name.endswith(file.suffix) for name in names)
                assert file.suffix in DATA_SUFFIXES


def test_the_poverty_map_keeps_departments_apart() -> None:
    folders = {folder_of(Path("raw"), file) for file in published("poverty_map", years=(2018,))}
    assert len(folders) == len({file.code for file in published("poverty_map", years=(2018,))})


def test_young_lives_is_explained_and_what_was_placed_is_unpacked(tmp_path: Path) -> None:
    text = how_to_get(tmp_path)
    for study in (5307, 6852, 6853, 7931, 8357, 7483):
        assert f"{(tmp_path / 'young_lives').as_posix()}/UKDA-{study}-stata.zip" in text
    assert "Register at https://ukdataservice.ac.uk" in text
    assert unpack_deposits(tmp_path) == ()
    folder = tmp_path / "young_lives"
    folder.mkdir()
    panel = {
        "UKDA-7483-stata/stata/stata11/peru_constructed.dta": stata_bytes(["round"]),
        "guide.pdf": b"%PDF",
    }
    archive(folder / "UKDA-7483-stata.zip", panel)
    archive(folder / "other.zip", {"../evil.dta": b"x"})
    made = unpack_deposits(tmp_path)
    assert [path.relative_to(folder).as_posix() for path in made] == [
        "UKDA-7483-stata/UKDA-7483-stata/stata/stata11/peru_constructed.dta"
    ]
    archive(folder / "UKDA-5307-tab.zip", {"../evil.tab": b"x"})
    with pytest.raises(SourceError, match="leads out of the folder"):
        unpack_deposits(tmp_path)
    assert not (tmp_path / "evil.tab").exists()
