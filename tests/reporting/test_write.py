"""Files of a report: whole or absent, named for their run, the same when made again."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RunPaths
from juntos_eval.reporting import write
from juntos_eval.reporting.example import example_input
from juntos_eval.reporting.exhibits import EXHIBITS, NEEDS, SECTIONS, exhibits_markdown, numbered
from juntos_eval.reporting.language import language
from juntos_eval.reporting.write import write_report
from tests.reporting.simulated import report_input


def every_file(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def paths(folder: Path, run: str = "synthetic-data") -> RunPaths:
    return RunPaths(root=folder, run=run)


@pytest.fixture
def tables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures out where only the writing matters."""
    quick = tuple(entry for entry in numbered(example_input()) if entry.exhibit.kind == "table")
    monkeypatch.setattr(write, "numbered", lambda _: quick)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the example."""
    made = tmp_path_factory.mktemp("report")
    write_report(example_input(), paths(made))
    return made


def test_every_file_of_a_synthetic_run_says_so_in_its_name(folder: Path) -> None:
    found = list((folder / "reports" / "synthetic-data").rglob("*.*"))
    assert len(found) > 30
    for path in found:
        assert path.name.startswith("synthetic-data-")
        assert path.parent.name in ("tables", "figures")
        assert path.suffix in (".csv", ".tex", ".svg", ".png")


def test_every_table_says_so_inside(folder: Path) -> None:
    for path in folder.rglob("*.csv"):
        assert "SYNTHETIC DATA" in path.read_text(encoding="utf-8")
    for path in folder.rglob("*.tex"):
        assert language(path.stem[-2:]).say("word.synthetic") in path.read_text(encoding="utf-8")


def test_real_files_bear_no_such_name(tmp_path: Path) -> None:
    content = example_input()
    real = replace(
        content,
        run=replace(content.run, name="real", is_synthetic=False),
        estimates=tuple(replace(s, truth=None) for s in content.estimates),
    )
    written = write_report(real, paths(tmp_path, "real"))
    assert not [path for path in written if "synthetic" in path.name]
    assert not [path for path in written if b"SYNTHETIC" in path.read_bytes()]


def test_made_again_it_is_the_same_to_the_byte(folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    written = write_report(example_input(), paths(tmp_path), progress=told.append)
    assert every_file(folder) == every_file(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in written) == sorted(every_file(tmp_path))
    assert written[-1] == tmp_path / "reports" / "index.html"
    assert told == [entry.exhibit.id for entry in numbered(example_input())]


def test_links_of_the_page_are_the_files(folder: Path) -> None:
    html = (folder / "reports" / "index.html").read_text(encoding="utf-8")
    hrefs = set(re.findall(r'<a href="([^"#]+)"', html))
    assert hrefs == {name.removeprefix("reports/") for name in every_file(folder)} - {"index.html"}


def test_paths_of_another_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="another run"):
        write_report(example_input(), paths(tmp_path, "real"))
    assert every_file(tmp_path) == {}


@pytest.mark.usefixtures("tables_only")
def test_nothing_is_written_if_an_exhibit_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr(write, "page", broken)
    with pytest.raises(RuntimeError, match="no page"):
        write_report(example_input(), paths(tmp_path))
    assert every_file(tmp_path) == {}


@pytest.mark.usefixtures("tables_only")
def test_a_write_that_fails_leaves_no_half_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "reports" / "index.html"
    index.parent.mkdir()
    index.write_text("an earlier report", encoding="utf-8")
    calls = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_report(example_input(), paths(tmp_path))
    files = every_file(tmp_path)
    assert not [name for name in files if name.endswith(".partial")]
    assert index.read_text(encoding="utf-8") == "an earlier report"


def test_exhibits_stand_in_the_order_of_the_page() -> None:
    order = ["summary", "data", *SECTIONS]
    places = [order.index(exhibit.section) for exhibit in EXHIBITS]
    assert places == sorted(places)
    assert len({exhibit.id for exhibit in EXHIBITS}) == len(EXHIBITS)


def test_every_exhibit_has_one_maker_and_known_needs() -> None:
    for exhibit in EXHIBITS:
        assert (exhibit.table is None) != (exhibit.figure is None)
        assert set(exhibit.needs) <= set(NEEDS)
        for code in ("en", "es"):
            assert exhibit.title.of(code)
            assert "{" not in exhibit.caption(report_input(), language(code))


def test_the_list_for_the_readme_has_every_exhibit() -> None:
    rows = exhibits_markdown().splitlines()
    assert len(rows) == len(EXHIBITS) + 2
    assert all(row.count("|") == 5 for row in rows)
