"""Every fault is refused in our own words, says what to do, and leaves every file as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.surveys.bad_input.archive_faults import ARCHIVES
from tests.surveys.bad_input.content_faults import CONTENT
from tests.surveys.bad_input.raw_faults import CUT, FILES
from tests.surveys.bad_input.scene import Fault, Scene

FAULTS = [*CUT, *FILES, *CONTENT, *ARCHIVES]


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 40


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_refused_and_nothing_is_damaged(fault: Fault, tmp_path: Path) -> None:
    scene = Scene(folder=tmp_path)
    ask = fault.prepare(scene)
    before = scene.state()
    with pytest.raises(fault.error) as caught:
        ask()
    assert type(caught.value) is fault.error
    assert fault.says in str(caught.value), str(caught.value)
    assert caught.value.remedy
    assert scene.state() == before
