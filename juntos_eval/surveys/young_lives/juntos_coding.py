"""Which code of the Juntos item is the beneficiary's: the cohorts' dictionaries contradict each other.

The item ``appjntr3`` of the younger cohort reads 0 no, 1 beneficiary, 2 turned down, 3 left; the older
cohort's dictionary reads 1 turned down, 2 beneficiary. The constructed panel appends both and takes ``== 1``
for both, so either that dictionary or the released flag is wrong. The data decide: a beneficiary has a start
date and, where the round asks, has received money (says so, or names an amount); who was turned down has
neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.estimate import Check
from juntos_eval.surveys.young_lives.open_table import StudyTable

__all__ = ["ANSWERS", "CodeEvidence", "CodingFinding", "decide_coding", "dictionary_code"]

ANSWERS: Final = ("never", "beneficiary", "turned_down", "left")
RELEASED_CODE: Final = 1
_CONTESTED: Final = (1, 2)
#: A code is the beneficiary's if at least the first share of its answers have start and receipt, and at most
#: the second of the other's: dates are forgotten and payments late, but who was turned down has neither.
LEAST_SHARE: Final = 0.5
MOST_OF_OTHER: Final = 0.2
PROGRAMME_START: Final = 2005


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEvidence:
    """What those who gave one code say elsewhere.

    Attributes
    ----------
    code, answers : int
    with_start : int
        With a year of entry that is no code of no answer.
    with_receipt : int or None
        Who received money in the last 12 months; None where the round does not ask.
    with_both : int
        With all that the round asks.
    label : str
        What the file itself calls the code; "" where it carries no labels.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.juntos_coding import CodeEvidence
    >>> CodeEvidence(code=1, answers=4, with_start=3, with_receipt=3, with_both=3, label="").share
    0.75
    """

    code: int
    answers: int
    with_start: int
    with_receipt: int | None
    with_both: int
    label: str

    @property
    def share(self) -> float:
        """Share of the answers with start and receipt; NaN of none."""
        return self.with_both / self.answers if self.answers else float("nan")

    def sentence(self) -> str:
        """Return the counts in words."""
        label = f" (the file says {self.label!r})" if self.label else ""
        what = "a start date" if self.with_receipt is None else "a start date and receipt"
        return f"code {self.code}{label}: {self.with_both:,} of {self.answers:,} answers have {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingFinding:
    """Which code means beneficiary in one cohort and round, and what it was decided by.

    Attributes
    ----------
    cohort : str
    round : int
    evidence : tuple of CodeEvidence
        Of codes 1 and 2.
    dictionary : int
        The beneficiary's code by the dictionary of that cohort.
    decided : int or None
        The code by the rule; None where the answers do not tell.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.juntos_coding import CodeEvidence, CodingFinding
    >>> turned_down = CodeEvidence(code=1, answers=20, with_start=0, with_receipt=0, with_both=0, label="")
    >>> beneficiary = CodeEvidence(code=2, answers=60, with_start=60, with_receipt=59, with_both=59, label="")
    >>> finding = CodingFinding(
    ...     cohort="older", round=3, evidence=(turned_down, beneficiary), dictionary=2, decided=2
    ... )
    >>> finding.check().passed
    False
    """

    cohort: str
    round: int
    evidence: tuple[CodeEvidence, ...]
    dictionary: int
    decided: int | None

    @property
    def released_is_wrong(self) -> bool:
        """Whether the released flag takes another code for the beneficiary's."""
        return self.decided not in {None, RELEASED_CODE}

    def meaning(self) -> FrozenMapping[int, str]:
        """Return what each code means by the decision; contested ones are left out where there is none."""
        known = {0: "never", 3: "left"}
        if self.decided is not None:
            other = _CONTESTED[0] if self.decided == _CONTESTED[1] else _CONTESTED[1]
            known |= {self.decided: "beneficiary", other: "turned_down"}
        return FrozenMapping(known)

    def check(self) -> Check:
        """Return the finding as a check: passed where the released flag and the answers agree."""
        counts = "; ".join(one.sentence() for one in self.evidence)
        if self.decided is None:
            verdict = (
                "the answers do not tell which code is the beneficiary's, and these codes are left missing"
            )
        else:
            verdict = f"code {self.decided} is the beneficiary's"
            if self.decided != self.dictionary:
                verdict += f", the dictionary says {self.dictionary}"
            if self.released_is_wrong:
                verdict += (
                    f"; the released flag takes {RELEASED_CODE}, and is wrong for this cohort and round"
                )
        return Check(
            name=f"juntos_coding_{self.cohort}_round_{self.round}",
            passed=None if self.decided is None else not self.released_is_wrong,
            detail=f"{self.cohort} cohort, round {self.round}: {counts}; {verdict}",
        )

    def record(self) -> dict[str, object]:
        """Return it as plain values, for the provenance."""
        return {
            "cohort": self.cohort,
            "round": self.round,
            "dictionary": self.dictionary,
            "decided": self.decided,
            "evidence": [
                {name: getattr(one, name) for name in CodeEvidence.__dataclass_fields__}
                for one in self.evidence
            ],
            "detail": self.check().detail,
        }


def dictionary_code(cohort: str, survey_round: int) -> int:
    """Return the beneficiary's code by the dictionaries.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.juntos_coding import dictionary_code
    >>> dictionary_code("younger", 3), dictionary_code("older", 3), dictionary_code("older", 4)
    (1, 2, 1)
    """
    return 2 if (cohort, survey_round) == ("older", 3) else 1


def decide_coding(table: StudyTable, *, cohort: str, survey_round: int) -> CodingFinding:
    """Decide by the answers which code is the beneficiary's.

    The code of which at least half have a start date (and receipt, where the round asks), the other having at
    most a fifth, or no answer at all.

    Parameters
    ----------
    table : StudyTable
        A household file of round 3, 4 or 5.
    cohort : str
    survey_round : int

    Returns
    -------
    CodingFinding

    Examples
    --------
    See ``clean_juntos_status``, which decides every cohort and round with it.
    """
    frame = table.frame
    labels = table.labels.get("juntos_answer", FrozenMapping())
    evidence = tuple(_evidence(frame, code, labels.get(float(code), "")) for code in _CONTESTED)
    decided = None
    for own, other in (evidence, evidence[::-1]):
        is_refuted = other.answers == 0 or other.share <= MOST_OF_OTHER
        if own.answers and own.share >= LEAST_SHARE and is_refuted:
            decided = own.code
    return CodingFinding(
        cohort=cohort,
        round=survey_round,
        evidence=evidence,
        dictionary=dictionary_code(cohort, survey_round),
        decided=decided,
    )


def _evidence(frame: pd.DataFrame, code: int, label: str) -> CodeEvidence:
    rows = frame[frame["juntos_answer"].eq(code)]
    has_start = rows["juntos_start_year"].ge(PROGRAMME_START)
    has_receipt = _has_receipt(rows)
    return CodeEvidence(
        code=code,
        answers=len(rows),
        with_start=int(has_start.sum()),
        with_receipt=None if has_receipt is None else int(has_receipt.sum()),
        with_both=int((has_start if has_receipt is None else has_start & has_receipt).sum()),
        label=label,
    )


def _has_receipt(rows: pd.DataFrame) -> pd.Series | None:
    if "has_received_juntos" not in rows and "juntos_amount_soles" not in rows:
        return None
    received = pd.Series(data=False, index=rows.index)
    if "has_received_juntos" in rows:
        received = received | rows["has_received_juntos"].eq("yes")
    if "juntos_amount_soles" in rows:
        received = received | rows["juntos_amount_soles"].gt(0)
    return received
