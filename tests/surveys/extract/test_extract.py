"""Archives: the member wanted and no other, and nothing outside the place given."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.extract import (
    Limits,
    MemberRule,
    check_archive,
    extract_all,
    extract_member,
    pick_member,
)
from juntos_eval.surveys.read_columns import column_names

SUMARIA = MemberRule(patterns=(r"sumaria-\d{4}\.csv", r"sumaria-\d{4}.*\.csv"), needs=("pobreza", "mieperho"))


def archive(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


CLIMBING = [
    "../evil.csv",
    "a/../../evil.csv",
    "/etc/evil.csv",
    "C:/evil.csv",
    "..\\evil.csv",
    "\\\\host\\evil.csv",
]


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"good.csv": b"A,B\n", name: b"A"})
    for act in (
        lambda: extract_all(path, tmp_path / "out"),
        lambda: extract_member(path, "good.csv", tmp_path / "out" / "good.csv"),
    ):
        with pytest.raises(SourceError, match="leads out of the folder"):
            act()
    assert everything_below(tmp_path) == {"a.zip"}


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("data.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match="is a link"):
        extract_all(path, tmp_path / "out")


def test_bombs_are_refused_by_ratio_size_and_count(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "a.zip", {"a.csv": b"0" * 5_000_000})
    with pytest.raises(SourceError, match=r"times its size, allowed are 200"):
        check_archive(bomb)
    with pytest.raises(SourceError, match="would fill 5,000,000 bytes, at most 1,000"):
        check_archive(bomb, Limits(ratio=1e9, member_bytes=1_000))
    with pytest.raises(SourceError, match="Unpacked the archive would fill"):
        check_archive(bomb, Limits(ratio=1e9, total_bytes=1_000))
    many = archive(tmp_path / "b.zip", {f"{n}.csv": b"A" for n in range(20)})
    with pytest.raises(SourceError, match="20 members, at most 10"):
        check_archive(many, Limits(members=10))


def test_a_member_longer_than_it_announces_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.csv": b"A,B\n" * 100}, method=zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    true_size, claimed = (400).to_bytes(4, "little"), (8).to_bytes(4, "little")
    path.write_bytes(content.replace(true_size, claimed))
    with pytest.raises(SourceError, match="damaged"):
        extract_member(path, "a.csv", tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def encrypted(path: Path) -> Path:
    archive(path, {"a.csv": b"A,B\n", "b.csv": b"A,B\n1,2\n"}, method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    return path


def test_an_encrypted_member_is_named_and_others_are_read(tmp_path: Path) -> None:
    path = encrypted(tmp_path / "a.zip")
    with pytest.raises(SourceError, match=r"a\.csv is encrypted.*Remedy: unpack it by hand"):
        extract_member(path, "a.csv", tmp_path / "a.csv")
    assert extract_member(path, "b.csv", tmp_path / "b.csv").read_bytes() == b"A,B\n1,2\n"


def test_a_packing_that_python_does_not_know_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.csv": b"A,B\n" * 9})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(signature) + offset] = 9  # Deflate64, as Windows packs large files
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"cannot be unpacked here.*7-Zip reads Deflate64"):
        extract_member(path, "a.csv", tmp_path / "a.csv")


def with_bad_crc(path: Path, victim: bytes) -> Path:
    content = path.read_bytes()
    assert content.count(victim) == 1
    path.write_bytes(content.replace(victim, victim[::-1]))
    return path


def test_damage_counts_only_in_the_member_wanted(tmp_path: Path) -> None:
    members = {"Ficha.pdf": b"%PDF-1.4 abcdef", "enaho01-2012-200.csv": b"CONGLOME,P203\n015009,1\n"}
    path = with_bad_crc(archive(tmp_path / "a.zip", members, method=zipfile.ZIP_STORED), b"%PDF-1.4 abcdef")
    good = extract_member(path, "enaho01-2012-200.csv", tmp_path / "out.csv")
    assert good.read_bytes() == members["enaho01-2012-200.csv"]
    with pytest.raises(SourceError, match=r"Ficha\.pdf is damaged: Bad CRC-32"):
        extract_member(path, "Ficha.pdf", tmp_path / "Ficha.pdf")
    with_bad_crc(path, members["enaho01-2012-200.csv"])
    with pytest.raises(SourceError, match=r"enaho01-2012-200\.csv is damaged"):
        extract_member(path, "enaho01-2012-200.csv", tmp_path / "out.csv")
    assert good.read_bytes() == members["enaho01-2012-200.csv"], "the good copy was touched"


@pytest.mark.parametrize("share", [0.0, 0.30, 0.60, 0.90, 0.99])
def test_cut_archives_are_refused(share: float, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {f"{n}.csv": bytes(range(256)) * 40 for n in range(5)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SourceError, match=r"half-copied|not a zip"):
        check_archive(path)


def test_a_web_page_and_an_empty_archive_are_named(tmp_path: Path) -> None:
    page = tmp_path / "a.zip"
    page.write_bytes(b"\r\n<!DOCTYPE html><html>ocupado</html>")
    with pytest.raises(SourceError, match="web page, not a zip"):
        check_archive(page)
    with pytest.raises(SourceError, match="is empty"):
        check_archive(archive(tmp_path / "b.zip", {}))
    with pytest.raises(SourceError, match="is missing"):
        check_archive(tmp_path / "none.zip")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"A.csv": b"1", "a.CSV": b"2"})
    with pytest.raises(SourceError, match="Two members are named"):
        check_archive(path)
    flat = archive(tmp_path / "b.zip", {"r1/a.csv": b"1", "r2/a.csv": b"2"})
    with pytest.raises(SourceError, match=r"one name: a\.csv"):
        extract_all(flat, tmp_path / "out")


def test_the_decoy_is_passed_over_and_the_variables_decide(tmp_path: Path) -> None:
    good, decoy = b"conglome,pobreza,mieperho\n1,2,3\n", b"conglome,gashog2d\n1,2\n" * 50
    both = {"687-Modulo34/sumaria-2019-12.csv": decoy, "687-Modulo34/Sumaria-2019.csv": good, "ñ.pdf": b"%"}
    path = archive(tmp_path / "a.zip", both)
    assert pick_member(path, SUMARIA, column_names) == "687-Modulo34/Sumaria-2019.csv"
    only_decoy = archive(tmp_path / "b.zip", {"sumaria-2019-12.csv": decoy})
    with pytest.raises(SourceError, match=r"sumaria-2019-12\.csv lacks pobreza, mieperho"):
        pick_member(only_decoy, SUMARIA, column_names)
    misnamed = archive(tmp_path / "c.zip", {"sumaria-2019.csv": decoy, "sumaria-2019-12g.csv": good})
    assert pick_member(misnamed, SUMARIA, column_names) == "sumaria-2019-12g.csv"
    twins = archive(tmp_path / "d.zip", {"x/sumaria-2019.csv": good, "y/sumaria-2019.csv": good})
    with pytest.raises(SourceError, match="2 members fit equally well"):
        pick_member(twins, SUMARIA, column_names)


def test_variables_are_matched_whatever_their_case_and_dollar(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"Enaho01-2025-700.csv": b"CONGLOME,P710$04\n1,1\n"})
    rule = MemberRule(patterns=(r"enaho01-2025-700\.csv",), needs=("p710_04",))
    assert pick_member(path, rule, column_names) == "Enaho01-2025-700.csv"


def test_everything_of_a_hand_placed_archive_is_unpacked_flat(tmp_path: Path) -> None:
    pd.DataFrame({"childid": ["PE011001"]}).to_stata(tmp_path / "a.dta", write_index=False)
    members = {
        "UKDA-5307-stata/stata/stata13/pechildlevel1yrold.dta": (tmp_path / "a.dta").read_bytes(),
        "UKDA-5307-stata/mrdoc/pdf/guide.pdf": b"%PDF",
    }
    made = extract_all(archive(tmp_path / "a.zip", members), tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in made] == ["out/pechildlevel1yrold.dta"]
