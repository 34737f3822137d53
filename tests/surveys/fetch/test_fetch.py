"""A fetch against a portal that misbehaves: what arrives is whole and known, or nothing is changed."""

from __future__ import annotations

import errno
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import filelock
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog import CatalogFile
from juntos_eval.surveys.fetch import LEDGER, Fetched, Ledger, Policy, fetch
from juntos_eval.surveys.read import sha256_of
from tests.surveys.fetch.portal import HTML, Answer, Portal, serving

MakePolicy = Callable[..., Policy]
PATH = "/iinei/srienaho/descarga/STATA/687-Modulo34.zip"


def once(file: CatalogFile, root: Path, policy: Policy, **choices: Any) -> Fetched:
    done = list(fetch((file,), root, policy=policy, **choices))
    assert len(done) == 1
    return done[0]


def files_below(root: Path) -> set[str]:
    return {
        p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != ".fetch.lock"
    }


WHOLE = {"fetched.json", "zips/enaho/687-Modulo34.STATA.zip", "enaho/2019/Sumaria-2019.dta"}


def test_a_zip_is_fetched_unpacked_and_written_down(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    seen: list[tuple[str, int, int | None]] = []
    done = once(module, root, make_policy(), progress=lambda *step: seen.append(step))
    assert (done.outcome, done.files, done.error) == ("fetched", ("enaho/2019/Sumaria-2019.dta",), None)
    assert files_below(root) == WHOLE
    assert portal.asked[0][0] == PATH
    assert portal.asked[0][1]["Accept-Encoding"] == "identity"
    assert seen[-1] == ("687-Modulo34.STATA.zip", len(sumaria_zip), len(sumaria_zip))
    record = Ledger.read(root).records["enaho/687-Modulo34.STATA.zip"]
    assert record.sha256 == sha256_of(root / "zips/enaho/687-Modulo34.STATA.zip")
    assert record.size_bytes == len(sumaria_zip)
    assert record.files["enaho/2019/Sumaria-2019.dta"] == sha256_of(root / "enaho/2019/Sumaria-2019.dta")
    assert record.url.endswith(PATH)


def test_what_is_there_is_not_asked_for_again(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    once(module, root, make_policy())
    before = (root / LEDGER).read_bytes()
    assert once(module, root, make_policy()).outcome == "there"
    assert len(portal.asked) == 1
    assert (root / LEDGER).read_bytes() == before


def test_a_lost_or_damaged_data_file_comes_back_from_the_zip_kept(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    once(module, root, make_policy())
    data_file = root / "enaho/2019/Sumaria-2019.dta"
    whole = data_file.read_bytes()
    for damage in (whole[:500], None):
        data_file.unlink() if damage is None else data_file.write_bytes(damage)
        assert once(module, root, make_policy()).outcome == "fetched"
        assert data_file.read_bytes() == whole
    assert len(portal.asked) == 1


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
def test_a_broken_connection_is_resumed_where_it_broke(
    share: float, module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    cut = int(len(sumaria_zip) * share)
    portal.answers = [Answer(cut_at=cut)]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert len(portal.asked) == 2
    resumed = portal.asked[1][1]
    start = int(resumed["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= cut
    assert resumed["If-Range"] == '"edition-1"'
    assert (root / "zips/enaho/687-Modulo34.STATA.zip").read_bytes() == sumaria_zip
    assert files_below(root) == WHOLE


def test_a_fetch_that_was_ended_goes_on_in_the_next(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.answers = [Answer(cut_at=len(sumaria_zip) // 2)]
    first = once(module, root, make_policy(attempts=1))
    assert first.outcome == "failed"
    assert "the same command goes on" in str(first.error)
    assert (root / "zips/enaho/687-Modulo34.STATA.zip.part").stat().st_size > 0
    assert once(module, root, make_policy()).outcome == "fetched"
    assert "Range" in portal.asked[1][1]
    assert files_below(root) == WHOLE


def test_a_part_of_another_edition_is_thrown_away(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.answers = [Answer(cut_at=len(sumaria_zip) // 2)]
    once(module, root, make_policy(attempts=1))
    portal.etag = '"edition-2"'
    assert once(module, root, make_policy()).outcome == "fetched"
    assert (root / "zips/enaho/687-Modulo34.STATA.zip").read_bytes() == sumaria_zip


def test_without_an_edition_nothing_is_glued_together(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.etag = ""
    portal.answers = [Answer(cut_at=len(sumaria_zip) // 2)]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert all("Range" not in headers for _, headers in portal.asked)


@pytest.mark.parametrize("range_answer", ["bytes 7-9/10", "", "bytes */10"])
def test_a_range_that_was_not_asked_for_is_not_taken(
    range_answer: str,
    module: CatalogFile,
    root: Path,
    portal: Portal,
    make_policy: MakePolicy,
    sumaria_zip: bytes,
) -> None:
    portal.answers = [Answer(cut_at=len(sumaria_zip) // 2), Answer(headers={"Content-Range": range_answer})]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert len(portal.asked) == 3
    assert "Range" not in portal.asked[2][1]


def test_a_server_that_says_416_is_asked_for_the_whole(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.answers = [Answer(cut_at=len(sumaria_zip) // 2), Answer(status=416, content=b"")]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert "Range" not in portal.asked[2][1]


@pytest.mark.parametrize("announced", [-1, 5_000])
def test_a_length_that_is_missing_or_too_short_does_not_pass(
    announced: int,
    module: CatalogFile,
    root: Path,
    portal: Portal,
    make_policy: MakePolicy,
    sumaria_zip: bytes,
) -> None:
    assert len(sumaria_zip) > 5_000
    portal.answers = [Answer(announced=announced, cut_at=len(sumaria_zip) // 2)]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert (root / "zips/enaho/687-Modulo34.STATA.zip").read_bytes() == sumaria_zip
    assert len(portal.asked) == 2


def test_a_length_that_is_too_long_is_a_broken_connection(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.has_ranges = False
    portal.answers = [Answer(announced=len(sumaria_zip) + 10)] * 3
    done = once(module, root, make_policy(attempts=3))
    assert done.outcome == "failed"
    assert "broke" in str(done.error)
    assert not (root / "enaho").exists()


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (Answer(status=429, content=HTML), 35.0),
        (Answer(status=503, content=HTML, headers={"Retry-After": "70"}), 70.0),
        (Answer(status=503, content=HTML, headers={"Retry-After": "999999"}), 300.0),
        (Answer(content=HTML), 35.0),
        (Answer(content=b"\xef\xbb\xbf\r\n <html lang='es'>" + HTML), 35.0),
        (Answer(status=500, content=HTML), 2.0),
        (Answer(content=b""), 2.0),
        (Answer(status=504, content=HTML), 2.0),
    ],
)
def test_a_portal_asked_too_much_is_left_in_peace(
    answer: Answer, pause: float, module: CatalogFile, root: Path, portal: Portal,
    make_policy: MakePolicy, slept: list[float],
) -> None:  # fmt: skip
    portal.answers = [answer]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert slept[0] == pause
    assert files_below(root) == WHOLE


def test_a_web_page_that_stays_is_named_and_nothing_is_written(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, slept: list[float]
) -> None:
    portal.answers = [Answer(content=HTML)] * 4
    done = once(module, root, make_policy(attempts=4))
    assert done.outcome == "failed"
    assert "a web page came under HTTP 200" in str(done.error)
    assert slept == [35.0] * 3
    assert not [name for name in files_below(root) if name.endswith((".zip", ".dta"))]


def test_requests_are_kept_apart(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, slept: list[float]
) -> None:
    list(fetch((module, module, module), root, policy=make_policy(), is_again=True))
    assert len(portal.asked) == 3
    assert slept == [2.0, 2.0]


def test_broken_connections_are_tried_with_growing_pauses(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, slept: list[float]
) -> None:
    portal.answers = [Answer(cut_at=0)] * 4
    assert once(module, root, make_policy()).outcome == "fetched"
    assert slept == [2.0, 4.0, 8.0, 16.0]


def test_a_portal_that_falls_silent_is_not_waited_for(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    portal.answers = [Answer(stall_s=0.6, piece=20_000)]
    assert once(module, root, make_policy(read_s=0.2)).outcome == "fetched"
    assert "Range" in portal.asked[1][1]
    assert (root / "zips/enaho/687-Modulo34.STATA.zip").read_bytes() == sumaria_zip


def test_a_slow_portal_is_waited_for(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    portal.answers = [Answer(piece=2_000, pause_s=0.02)]
    assert once(module, root, make_policy(read_s=2.0)).outcome == "fetched"
    assert len(portal.asked) == 1


def test_the_older_host_is_asked_where_the_first_has_nothing(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    with serving(Portal(content=b"", paths={"/other": b""})) as empty:
        done = once(module, root, make_policy(hosts=(empty.url, portal.url)))
    assert done.outcome == "fetched"
    assert empty.asked[0][0] == portal.asked[0][0] == PATH


def test_what_no_host_has_is_named_with_what_each_said(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    portal.answers = [Answer(status=404, content=HTML), Answer(content=b"\x00\x01 something else")]
    done = once(module, root, make_policy(hosts=(portal.url, portal.url)))
    assert done.outcome == "failed"
    assert "HTTP 404" in str(done.error)
    assert "no zip but something that starts with" in str(done.error)
    assert len(portal.asked) == 2


def test_redirects_are_followed_watched_and_ended(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    portal.answers = [Answer(status=302, content=b"", location="/elsewhere/687.zip")]
    assert once(module, root, make_policy()).outcome == "fetched"
    assert portal.asked[1][0] == "/elsewhere/687.zip"
    portal.answers = [Answer(status=302, content=b"", location=PATH)] * 50
    done = once(module, root, make_policy(), is_again=True)
    assert "redirects more than 5 times" in str(done.error)
    assert len(portal.asked) == 2 + 6
    portal.answers = [Answer(status=302, content=b"", location="http://descargas.example/687.zip")]
    done = once(module, root, make_policy(), is_again=True)
    assert "not https" in str(done.error)


def test_an_endless_file_is_not_taken(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    done = once(module, root, make_policy(max_bytes=4_000))
    assert "at most 4,000" in str(done.error)
    portal.answers = [Answer(announced=-1)]
    done = once(module, root, make_policy(max_bytes=4_000))
    assert "longer than 4,000 bytes" in str(done.error)


def reissued(sumaria_zip: bytes) -> bytes:
    """The same table and one row of a text more."""
    stream = io.BytesIO(sumaria_zip)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("687-Modulo34/LEEME.txt", "Actualizado")
    return stream.getvalue()


def test_a_silent_reissue_is_named_and_what_is_there_stays(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    once(module, root, make_policy())
    before, ledger = (root / "enaho/2019/Sumaria-2019.dta").read_bytes(), (root / LEDGER).read_bytes()
    portal.content, portal.etag = reissued(sumaria_zip), '"edition-2"'
    done = once(module, root, make_policy(), is_again=True)
    assert done.outcome == "reissued"
    assert "issued 687-Modulo34.zip (STATA) anew" in str(done.error)
    assert (root / "enaho/2019/Sumaria-2019.dta").read_bytes() == before
    assert (root / "zips/enaho/687-Modulo34.STATA.zip").read_bytes() == sumaria_zip
    assert (root / LEDGER).read_bytes() == ledger
    assert len(list((root / "zips/enaho").glob("*.reissued-*.zip"))) == 1


def test_a_reissue_is_taken_on_demand_and_the_old_one_is_remembered(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    once(module, root, make_policy())
    first = Ledger.read(root).records["enaho/687-Modulo34.STATA.zip"].sha256
    portal.content, portal.etag = reissued(sumaria_zip), '"edition-2"'
    done = once(module, root, make_policy(), is_again=True, takes_reissues=True)
    assert done.outcome == "fetched"
    record = Ledger.read(root).records["enaho/687-Modulo34.STATA.zip"]
    assert record.earlier == (first,)
    assert record.sha256 == sha256_of(root / "zips/enaho/687-Modulo34.STATA.zip") != first


def test_a_zip_of_another_table_is_refused_and_one_failure_does_not_stop_the_rest(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy, sumaria_zip: bytes
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sumaria_zip)) as whole, zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("sumaria-2019-12.dta", whole.read("687-Modulo34/sumaria-2019-12.dta"))
    portal.answers = [Answer(content=stream.getvalue())]
    from juntos_eval.surveys.catalog import published

    other = published("enaho", years=(2018,), modules=("34",), formats=("STATA",))[0]
    wrong, good = fetch((other, module), root, policy=make_policy())
    assert wrong.outcome == "failed"
    assert "No member has the variables needed: sumaria-2019-12.dta lacks" in str(wrong.error)
    assert good.outcome == "fetched"
    assert set(Ledger.read(root).records) == {"enaho/687-Modulo34.STATA.zip"}


def test_two_processes_do_not_fetch_into_one_folder(
    module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    root.mkdir()
    with (
        filelock.FileLock(root / ".fetch.lock"),
        pytest.raises(SourceError, match="Another process is fetching"),
    ):
        once(module, root, make_policy())
    assert not portal.asked
    assert once(module, root, make_policy()).outcome == "fetched"


def test_a_full_disk_stops_the_fetch_and_leaves_what_was_there(
    module: CatalogFile, root: Path, make_policy: MakePolicy,
    monkeypatch: pytest.MonkeyPatch, sumaria_zip: bytes,
) -> None:  # fmt: skip
    once(module, root, make_policy())
    before = {name: (root / name).read_bytes() for name in files_below(root)}
    opened = Path.open

    class Full(io.FileIO):
        def write(self, _data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_full(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        if self.name.endswith(".part") and "w" in mode:
            return Full(str(self), "w")
        return opened(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(SourceError, match=r"The disk is full.*Remedy: make room"):
        once(module, root, make_policy(), is_again=True)
    monkeypatch.undo()
    assert {name: (root / name).read_bytes() for name in before} == before
    assert sumaria_zip == before["zips/enaho/687-Modulo34.STATA.zip"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"zips": {"a": {}}}', '{"zips": 3}'])
def test_a_damaged_ledger_is_not_guessed_at(
    content: str, module: CatalogFile, root: Path, portal: Portal, make_policy: MakePolicy
) -> None:
    root.mkdir()
    (root / LEDGER).write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match="ledger of what was fetched is damaged"):
        once(module, root, make_policy())
    assert (root / LEDGER).read_text(encoding="utf-8") == content
    assert not portal.asked


def test_the_ledger_is_plain_json(
    module: CatalogFile, root: Path, make_policy: MakePolicy, portal: Portal
) -> None:
    once(module, root, make_policy())
    content = json.loads((root / LEDGER).read_text(encoding="utf-8"))
    assert list(content["zips"]) == ["enaho/687-Modulo34.STATA.zip"]
    assert portal.url in content["zips"]["enaho/687-Modulo34.STATA.zip"]["url"]
