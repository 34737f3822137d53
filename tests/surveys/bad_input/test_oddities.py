"""What is odd and still right: the result is that of the plain file, to the last value."""

from __future__ import annotations

import multiprocessing
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.paths import write_atomically
from juntos_eval.surveys.enaho import clean_members
from juntos_eval.surveys.extract import MemberRule
from juntos_eval.surveys.provenance import Provenance
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.store import read_table, write_table
from tests.surveys.bad_input.scene import Scene
from tests.surveys.invented import YEAR, RawSurvey, invent


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        path = scene.write().file("members")
        path.write_bytes(change(path.read_bytes()))

    return do


def _survey(change: Callable[[RawSurvey], None]) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        change(scene.survey)
        scene.write()

    return do


def _with_members(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Scene], None]:
    def do(survey: RawSurvey) -> None:
        survey.members = change(survey.members)

    return _survey(do)


def _encoded(encoding: str) -> Callable[[Scene], None]:
    return _survey(lambda survey: setattr(survey, "encoding", encoding))


def _named(year: str, encoding: str = "utf-8") -> Callable[[Scene], None]:
    def do(survey: RawSurvey) -> None:
        survey.encoding = encoding
        survey.members = survey.members.rename(columns={YEAR: year})

    return _survey(do)


def _without_zeros(frame: pd.DataFrame) -> pd.DataFrame:
    keys = ["CONGLOME", "VIVIENDA", "HOGAR", "CODPERSO", "UBIGEO"]
    return frame.assign(**{key: frame[key].astype(int).astype(str) for key in keys})


def _as_floats(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(CONGLOME=frame["CONGLOME"].astype(int).astype(str) + ".0")


ODDITIES: dict[str, Callable[[Scene], None]] = {
    "year called aÑo": _named("aÑo"),
    "year called a—o": _named("a—o"),
    "year called A\ufffdO": _named("A\ufffdO"),
    "year read byte by byte": _named("AÃ\u2018O"),
    "year called año in latin-1": _named("año", "latin-1"),
    "keys without leading zeros": _with_members(_without_zeros),
    "keys that became floats": _with_members(_as_floats),
    "lower-case names": _with_members(lambda frame: frame.rename(columns=str.lower)),
    "names with blanks": _with_members(lambda frame: frame.rename(columns=lambda name: f" {name} ")),
    "columns in another order": _with_members(lambda frame: frame[list(frame.columns[::-1])]),
    "columns that nobody declared": _with_members(lambda frame: frame.assign(P999="x")),
    "utf-8": _encoded("utf-8"),
    "utf-8 with a mark": _encoded("utf-8-sig"),
    "cp1252": _encoded("cp1252"),
    "semicolons": _bytes(lambda content: content.replace(b",", b";")),
    "tabs": _bytes(lambda content: content.replace(b",", b"\t")),
    "Windows line ends": _bytes(lambda content: content.replace(b"\n", b"\r\n")),
    "quoted fields": _bytes(
        lambda content: b"".join(
            b",".join(b'"' + field + b'"' for field in line.split(b",")) + b"\n"
            for line in content.splitlines()
        )
    ),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_oddity_does_not_change_the_result(name: str, tmp_path: Path) -> None:
    plain = Scene(folder=tmp_path / "plain").write().members()
    odd = Scene(folder=tmp_path / "odd")
    ODDITIES[name](odd)
    made = clean_members(odd.raw(), 2025)
    pd.testing.assert_frame_equal(made.frame, plain.frame)


def test_repairs_are_counted(tmp_path: Path) -> None:
    scene = Scene(folder=tmp_path)
    _with_members(_without_zeros)(scene)
    made = clean_members(scene.raw(), 2025)
    notes = made.provenance.notes
    assert notes["conglome: leading zeros restored"] == len(scene.survey.members)


def test_bad_crc_in_another_member_does_not_matter(tmp_path: Path) -> None:
    scene = Scene(folder=tmp_path).write()
    path, pdf = tmp_path / "a.zip", b"%PDF-1.4 ficha tecnica"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("Ficha.pdf", pdf)
        archive.write(scene.file("members"), "1031-Modulo02/Enaho01-2025-200.csv")
    path.write_bytes(path.read_bytes().replace(pdf, pdf[::-1]))
    with zipfile.ZipFile(path) as damaged:
        assert damaged.testzip() == "Ficha.pdf"
    raw = read_raw(path, member=MemberRule(patterns=(r"enaho01-2025-200\.csv",), needs=("P208A",)))
    pd.testing.assert_frame_equal(raw.frame, read_raw(scene.file("members")).frame)


def _write_often(path: Path, letter: str) -> None:
    for _ in range(40):
        write_atomically(path, letter * 300_000)


def test_two_processes_that_write_one_file_leave_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            seen.add((len(text), len(set(text))))
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen <= {(300_000, 1)}
    assert path.read_text(encoding="utf-8") in {"a" * 300_000, "b" * 300_000}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def _write_table_often(path: Path, seed: int) -> None:
    frame = pd.DataFrame({"age_years": [float(seed)] * 50})
    facts = Provenance(survey="x", table="x", year=None, rows_in=50, rows_out=50, notes={"seed": seed})
    for _ in range(25):
        write_table(frame, path, facts)


def test_two_runs_that_write_one_table_never_mix_table_and_provenance(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_table_often, args=(path, seed)) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    words = ""
    try:
        table = read_table(path)
        is_one = bool(table.frame["age_years"].eq(float(table.provenance.notes["seed"])).all())
    except SourceError as error:
        is_one, words = False, error.what
    assert is_one or "not the one that its provenance was written with" in words


def test_the_invented_survey_is_not_itself_at_fault() -> None:
    assert invent(seed=1).members.equals(invent(seed=1).members)
