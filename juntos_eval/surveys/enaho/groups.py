"""Age and sex groups by which household members are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CHILD_GROUPS", "MEMBER_GROUPS", "ChildGroup"]

#: (suffix, from age, to age, English, Spanish) of the counts of members; ages in completed years, inclusive.
MEMBER_GROUPS: Final[tuple[tuple[str, int, int, str, str], ...]] = (
    ("", 0, 200, "", ""),
    ("_0_5", 0, 5, " aged 0-5", " de 0 a 5 años"),
    ("_6_11", 6, 11, " aged 6-11", " de 6 a 11 años"),
    ("_12_18", 12, 18, " aged 12-18", " de 12 a 18 años"),
    ("_19_64", 19, 64, " aged 19-64", " de 19 a 64 años"),
    ("_65_plus", 65, 200, " aged 65 and more", " de 65 años y más"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildGroup:
    """Children by age and sex, whose work last week is known.

    Attributes
    ----------
    name : str
        As in ``children_5_13_girls``.
    youngest, oldest : int
        Completed years, inclusive.
    sex : str or None
        None for both.
    label_en, label_es : str

    Examples
    --------
    >>> from juntos_eval.surveys.enaho.groups import CHILD_GROUPS
    >>> [group.name for group in CHILD_GROUPS][:3]
    ['5_13', '5_13_girls', '5_13_boys']
    """

    name: str
    youngest: int
    oldest: int
    sex: str | None
    label_en: str
    label_es: str


def _groups(youngest: int, oldest: int, *, by_sex: bool) -> tuple[ChildGroup, ...]:
    ages = f"{youngest}_{oldest}"
    kinds: tuple[tuple[str, str | None, str, str], ...] = (
        ("", None, "children", "niñas y niños"),
        ("_girls", "female", "girls", "niñas"),
        ("_boys", "male", "boys", "niños"),
    )
    return tuple(
        ChildGroup(
            name=f"{ages}{suffix}",
            youngest=youngest,
            oldest=oldest,
            sex=sex,
            label_en=f"{english} aged {youngest}-{oldest}",
            label_es=f"{spanish} de {youngest} a {oldest} años",
        )
        for suffix, sex, english, spanish in (kinds if by_sex else kinds[:1])
    )


#: The groups of the report: 5-13 and 14-17 by sex, and all of 5-17.
CHILD_GROUPS: Final = (
    *_groups(5, 13, by_sex=True),
    *_groups(14, 17, by_sex=True),
    *_groups(5, 17, by_sex=False),
)
