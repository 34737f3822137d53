"""The documented support matrix is the one that stands."""

from __future__ import annotations

import re

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimator
from juntos_eval.inference.robust import Robust
from tests.contract import support
from tests.contract.registry import ASKED_IN_THEIR_OWN_TESTS, ESTIMATORS, INFERENCES, OF_STUDIES


def test_support_page_is_current() -> None:
    assert support.PAGE.read_text(encoding="utf-8") == support.page(), (
        "write it again with: python -m tests.contract.support"
    )


def test_the_registry_knows_what_suits() -> None:
    for estimator, case in ESTIMATORS.items():
        for inference, rule in INFERENCES.items():
            assert rule.suits(case) == (support.refusal(estimator, inference) is None)


def test_estimators_with_leverage_are_those_that_the_refusal_names() -> None:
    carrying, message = set(), ""
    for case in ESTIMATORS.values():
        try:
            case.fit(inference=Robust("HC3"))
            carrying.add(type(case.estimator).__name__)
        except InferenceError as error:
            message = str(error)
    named = set(re.findall(r"\b(Mean|MeanDifference)\b", message))
    assert named
    assert named <= carrying


def test_every_estimator_is_one_and_has_an_entry() -> None:
    import juntos_eval as je

    public = {name for name in je.PUBLIC_NAMES if is_estimator(getattr(je, name))}
    assert all(isinstance(case.estimator, Estimator) for case in ESTIMATORS.values())
    asked = {type(case.estimator).__name__ for case in ESTIMATORS.values()}
    assert public == asked | ASKED_IN_THEIR_OWN_TESTS


def test_every_inference_has_an_entry() -> None:
    import juntos_eval as je

    public = {name for name in je.PUBLIC_NAMES if hasattr(getattr(je, name), "infer")}
    assert public == {type(rule.inference).__name__ for rule in INFERENCES.values()} | OF_STUDIES


def is_estimator(thing: object) -> bool:
    return isinstance(thing, type) and callable(getattr(thing, "fit", None))
