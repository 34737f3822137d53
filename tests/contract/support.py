"""Which inference each estimator can carry, found by asking.

`python -m tests.contract.support` from the root of the checkout writes docs/methods/support.md again.
"""

from __future__ import annotations

from pathlib import Path

from juntos_eval.errors import InferenceError
from tests.contract.registry import ESTIMATORS, INFERENCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods" / "support.md"
HEAD = """# Which inference each estimator can carry

Found by asking each estimator of the contract suite (`tests/contract/registry.py`) for each inference.
● is a yes; a number is a refusal by `InferenceError`, with the reason below. No inference is ever replaced by
another. `python -m tests.contract.support` writes this page, and a test fails when it is out of date.
"""


def refusal(estimator: str, inference: str) -> str | None:
    """Why the estimator cannot carry the inference, or None if it can."""
    try:
        ESTIMATORS[estimator].fit(inference=INFERENCES[inference].inference)
    except InferenceError as error:
        return error.what.rstrip(".")
    return None


def page() -> str:
    """The whole page."""
    reasons: list[str] = []
    rows = []
    for name, case in ESTIMATORS.items():
        cells = [_cell(refusal(name, inference), reasons) for inference in INFERENCES]
        default = case.fit().uncertainty.method
        rows.append(f"| {name} | {default} | {' | '.join(cells)} |")
    columns = ["estimator", "inference by default", *INFERENCES]
    table = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *rows]
    notes = [f"{number}. {reason}." for number, reason in enumerate(reasons, start=1)]
    return "\n".join([HEAD, *table, "", *notes]) + "\n"


def _cell(reason: str | None, reasons: list[str]) -> str:
    if reason is None:
        return "●"
    if reason not in reasons:
        reasons.append(reason)
    return str(reasons.index(reason) + 1)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
