"""A run makes what is stale and nothing else, and says in our words what failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.pipeline.build import Outcome, build
from juntos_eval.pipeline.step import Step


def copying(name: str, source: Path, target: Path, settings: str = "1") -> Step:
    def action() -> None:
        target.write_text(source.read_text() + name)

    return Step(
        name=name,
        label=name,
        stage="data",
        reads=(source,),
        writes=(target,),
        settings=settings,
        action=action,
    )


@pytest.fixture
def chain(tmp_path: Path) -> list[Step]:
    (tmp_path / "a").write_text("a")
    return [
        copying("first", tmp_path / "a", tmp_path / "b"),
        copying("second", tmp_path / "b", tmp_path / "c"),
    ]


def run(steps: list[Step], folder: Path) -> Outcome:
    return build(steps, until="report", state=folder / "state", quiet=True)


def test_order_follows_what_hangs_on_what(chain: list[Step], tmp_path: Path) -> None:
    outcome = run(chain[::-1], tmp_path)
    assert set(outcome.made) == {"first", "second"}
    assert (tmp_path / "c").read_text() == "afirstsecond"


def test_second_run_makes_nothing_even_after_a_touch(chain: list[Step], tmp_path: Path) -> None:
    run(chain, tmp_path)
    (tmp_path / "a").touch()
    outcome = run(chain, tmp_path)
    assert outcome.made == ()
    assert set(outcome.unchanged) == {"first", "second"}


def test_changed_content_and_changed_settings_are_stale(chain: list[Step], tmp_path: Path) -> None:
    run(chain, tmp_path)
    (tmp_path / "a").write_text("other")
    assert set(run(chain, tmp_path).made) == {"first", "second"}
    chain[1] = copying("second", tmp_path / "b", tmp_path / "c", settings="2")
    assert run(chain, tmp_path).made == ("second",)


def test_a_damaged_product_is_made_again(chain: list[Step], tmp_path: Path) -> None:
    run(chain, tmp_path)
    (tmp_path / "c").write_text("damaged")
    run(chain, tmp_path)
    assert (tmp_path / "c").read_text() == "afirstsecond"


def test_a_failure_stops_what_hangs_on_it_and_keeps_its_words(chain: list[Step], tmp_path: Path) -> None:
    def refuse() -> None:
        raise SourceError("a file is cut", where="b", remedy="fetch it again")

    first = chain[0]
    chain[0] = Step(
        name="first",
        label="first",
        stage="data",
        reads=first.reads,
        writes=first.writes,
        settings="1",
        action=refuse,
    )
    outcome = run(chain, tmp_path)
    assert [(name, str(error)) for name, error in outcome.failures] == [
        ("first", "a file is cut [b]. Remedy: fetch it again.")
    ]
    assert outcome.not_reached == ("second",)
    assert not (tmp_path / "c").exists()


def test_nothing_is_estimated_where_a_file_is_bad(chain: list[Step], tmp_path: Path) -> None:
    bad = copying("bad", tmp_path / "c", tmp_path / "d")
    good = replace(chain[1], name="good", stage="estimates", reads=(tmp_path / "a",), action=lambda: None)

    def refuse() -> None:
        raise SourceError("a file is cut", where="b", remedy="fetch it again")

    outcome = run([good, chain[0], replace(bad, reads=(), action=refuse)], tmp_path)
    assert [name for name, _ in outcome.failures] == ["bad"]
    assert outcome.made == ("first",)
    assert outcome.not_reached == ("good",)


def test_a_failed_step_is_taken_up_again(chain: list[Step], tmp_path: Path) -> None:
    missing = copying("third", tmp_path / "c", tmp_path / "d")
    assert run([missing], tmp_path).failures
    outcome = run([*chain, missing], tmp_path)
    assert outcome.is_sound
    assert (tmp_path / "d").read_text() == "afirstsecondthird"


def test_runs_in_one_repository_remember_apart(chain: list[Step], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    run(chain, tmp_path)
    (tmp_path / "other").mkdir()
    namesake = copying("first", tmp_path / "a", tmp_path / "other" / "b")
    assert run([namesake], tmp_path / "other").made == ("first",)
    assert run(chain, tmp_path).made == ()
    assert {path.name for path in tmp_path.iterdir()} == {".git", "a", "b", "c", "other", "state"}


def test_stages_after_the_wanted_one_are_left_alone(chain: list[Step], tmp_path: Path) -> None:
    later = Step(
        name="report",
        label="report",
        stage="report",
        reads=(tmp_path / "c",),
        writes=(tmp_path / "r",),
        settings="1",
        action=lambda: None,
    )
    outcome = build([*chain, later], until="estimates", state=tmp_path / "state", quiet=True)
    assert "report" not in (*outcome.made, *outcome.unchanged)
