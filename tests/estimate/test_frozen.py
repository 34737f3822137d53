from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import FrozenMapping, frozen


def test_the_owner_keeps_the_right_to_change_an_array_and_we_do_not_see_it() -> None:
    source = np.zeros(3)
    shut = frozen(source)
    source[0] = 1.0
    assert shut.tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        shut[0] = 1.0


def test_a_shut_view_of_an_open_array_is_copied() -> None:
    source = np.zeros((2, 2))
    view = source[:, 0]
    view.flags.writeable = False
    shut = frozen(view)
    source[:] = 1.0
    assert shut.tolist() == [0.0, 0.0]


def test_a_column_of_a_frame_is_copied() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0]})
    shut = frozen(frame["y"].to_numpy())
    frame.loc[0, "y"] = 9.0
    assert shut.tolist() == [1.0, 2.0]


def test_what_is_shut_is_not_copied_again() -> None:
    shut = frozen(np.arange(5.0))
    assert frozen(shut) is shut
    assert np.shares_memory(frozen(shut[1:]), shut)


def test_memory_of_bytes_is_copied() -> None:
    shut = frozen(np.frombuffer(bytearray(16), dtype=np.float64))
    assert shut.flags.owndata


def test_a_mapping_cannot_be_written_to_and_does_not_see_later_changes() -> None:
    source = {"n": 1}
    mapping = FrozenMapping(source)
    source["n"] = 2
    assert mapping["n"] == 1
    assert mapping == {"n": 1}
    assert len(mapping) == 1
    assert repr(mapping) == "{'n': 1}"
    with pytest.raises(TypeError):
        mapping["n"] = 3  # type: ignore[index]
    with pytest.raises(TypeError):
        del mapping["n"]  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        mapping["m"]


def test_a_mapping_survives_copies_and_pickles() -> None:
    mapping = FrozenMapping({"a": (1, 2), "b": None})
    for copied in (copy.copy(mapping), copy.deepcopy(mapping), pickle.loads(pickle.dumps(mapping))):  # noqa: S301
        assert copied == mapping
        assert isinstance(copied, FrozenMapping)
