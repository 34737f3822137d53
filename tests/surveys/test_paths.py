"""Where files lie, and the write that is whole or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder, RunPaths, atomic_path, write_atomically

MEMBERS = ("enaho01-2024-200.dta", "enaho01-2024-200.csv")


def find(raw: RawFolder, year: int | None = 2024) -> Path | None:
    return raw.find(survey="enaho", year=year, table="members", names=MEMBERS)


def put(root: Path, *names: str) -> None:
    folder = root / "enaho" / "2024"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def test_a_file_is_found_whatever_its_case_and_the_first_name_wins(tmp_path: Path) -> None:
    put(tmp_path, "ENAHO01-2024-200.CSV")
    raw = RawFolder.at(tmp_path)
    found = find(raw)
    assert found is not None
    assert found.name == "ENAHO01-2024-200.CSV"
    put(tmp_path, "Enaho01-2024-200.dta")
    found = find(raw)
    assert found is not None
    assert found.name == "Enaho01-2024-200.dta"
    assert find(raw, year=2025) is None


def test_two_files_of_one_name_but_for_case_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "enaho01-2024-200.dta", "Enaho01-2024-200.dta")
    if len(list((tmp_path / "enaho" / "2024").iterdir())) < 2:
        pytest.skip("this file system does not tell upper from lower case")
    with pytest.raises(SourceError, match="2 files are named"):
        find(RawFolder.at(tmp_path))


def test_a_toml_lists_files_relative_to_itself(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "m.dta")
    listing = tmp_path / "where.toml"
    listing.write_text(
        'synthetic = true\n[enaho.2024]\nmembers = "elsewhere/enaho/2024/m.dta"\n'
        '[geo]\ndistricts = "none.csv"\n[files."elsewhere/enaho/2024/m.dta"]\nrows = 7\n',
        encoding="utf-8",
    )
    raw = RawFolder.at(listing)
    found = find(raw)
    assert found == tmp_path / "elsewhere" / "enaho" / "2024" / "m.dta"
    assert raw.is_synthetic
    assert raw.expected[found].rows == 7
    assert find(raw, year=2025) is None
    with pytest.raises(SourceError, match=r"listed for geo/districts does not exist \[.*none\.csv"):
        raw.find(survey="geo", year=None, table="districts", names=("ubigeo_distrito.csv",))


def test_a_manifest_states_what_is_known(tmp_path: Path) -> None:
    put(tmp_path, "enaho01-2024-200.dta")
    (tmp_path / "manifest.toml").write_text(
        '[files."enaho/2024/enaho01-2024-200.dta"]\nrows = 3\nbytes = 1\nsha256 = "ab"\n', encoding="utf-8"
    )
    raw = RawFolder.at(tmp_path)
    found = find(raw)
    assert found is not None
    expected = raw.expected[found]
    assert (expected.rows, expected.size_bytes, expected.sha256) == (3, 1, "ab")
    assert not raw.is_synthetic


@pytest.mark.parametrize("text", ["[enaho", "[enaho.2024]\nmembers = 3\n"])
def test_a_toml_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    listing = tmp_path / "where.toml"
    listing.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"cannot be read|is not a file name"):
        RawFolder.at(listing)


def test_nothing_at_the_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no raw data here"):
        RawFolder.at(tmp_path / "nowhere")


def test_files_of_the_synthetic_run_say_so_in_their_names() -> None:
    synthetic = RunPaths(root=Path("x"), run="synthetic-data")
    real = RunPaths(root=Path("x"), run="real")
    assert synthetic.report_file("figures", "love.svg").name == "synthetic-data-love.svg"
    assert real.report_file("figures", "love.svg") == Path("x/reports/real/figures/love.svg")
    assert real.clean_table("enaho", "linked_households").name == "linked_households.parquet"
    assert synthetic.index == real.index == Path("x/reports/index.html")


@pytest.mark.parametrize("run", ["", "../x", "Real", "a b", "-a"])
def test_a_run_has_a_plain_name(run: str) -> None:
    with pytest.raises(SourceError, match="cannot name a run"):
        RunPaths(root=Path(), run=run)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "a.txt", "old")

    def write_half() -> None:
        with atomic_path(path) as partial:
            partial.write_text("ha", encoding="utf-8")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_text_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "b" / "a.txt", "año\n")
    assert path.read_bytes() == "año\n".encode()
    assert write_atomically(path, b"\x00").read_bytes() == b"\x00"
