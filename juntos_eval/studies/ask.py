"""Questions of cited studies in few words: what is planted, and whether its size was published."""

from __future__ import annotations

from juntos_eval.studies.cited_study import Planted, Question, Specification, World
from juntos_eval.studies.comparison import Text

__all__ = ["assumed_effect", "published_effect"]


def published_effect(
    label: Text,
    world: World,
    specifications: tuple[Specification, ...],
    *,
    row: str,
    effect: float,
    units: str,
    scale: float = 1.0,
) -> Question:
    """Return a question whose planted effect is a published number.

    Parameters
    ----------
    label : Text
    world : World
    specifications : tuple of Specification
    row : str
        Id of the published number, which names the question too.
    effect : float
        In published units.
    units : str
    scale : float
        Published units in one of ours.

    Returns
    -------
    Question
    """
    planted = Planted(effect=effect / scale, origin=f"published: {row}", world=world)
    return Question(
        id=row,
        label=label,
        units=units,
        planted=planted,
        specifications=specifications,
        published=(row,),
        scale=scale,
    )


def assumed_effect(  # noqa: PLR0913  a question is told in as many words
    label: Text,
    world: World,
    specifications: tuple[Specification, ...],
    *,
    id: str,  # noqa: A002
    effect: float,
    units: str,
    scale: float = 1.0,
    finding: tuple[str, str | None] | None = None,
) -> Question:
    """Return a question of which at most a sign was published: the size planted is ours.

    Parameters
    ----------
    label : Text
    world : World
    specifications : tuple of Specification
    id : str
    effect : float
        In the units shown.
    units : str
    scale : float
    finding : tuple of str, optional
        Outcome and subgroup of the published sign.

    Returns
    -------
    Question
    """
    planted = Planted(
        effect=effect / scale,
        origin="assumed: no size was seen"
        + (", the sign is the published one" if finding and effect else ""),
        world=world,
        is_published=False,
    )
    return Question(
        id=id,
        label=label,
        units=units,
        planted=planted,
        specifications=specifications,
        scale=scale,
        finding=finding,
    )
