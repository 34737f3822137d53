"""A YAML to fill in: what a reader who has an article adds to its record."""

from __future__ import annotations

import json

from juntos_eval.evidence.record import StudyRecord

__all__ = ["fill_in"]

_ROW = """\
  # One block a number, as printed; a line that is not known stays out. Measures: difference relative_change
  # slope marginal_effect odds_ratio odds_change share mean prevalence count amount threshold p_value.
  # - id: table3_enrolment_girls        # letters, digits, underscores; unique; one of ours replaces ours
  #   kind: impact                      # impact descriptive context
  #   table: Table 3, column 2
  #   outcome: {outcome}
  #   subgroup: girls 6-14
  #   spec: matched difference-in-differences
  #   effect_measure: difference
  #   estimate: 0.045                   # or range_low: and range_high: where a range is printed
  #   se: 0.021                         # or t:, or ci_low: and ci_high: (95 percent), or p: and p_rel: '='
  #   stars: '**'                       # '' printed without a star; leave out where the table has no stars
  #   n: 1234
  #   control_mean: 0.81
  #   units: share
  #   direction: +                      # + - 0 mixed
  #   source: the article, p. 12
  #   seen: full_text                   # full_text table_page abstract secondary press
"""


def fill_in(record: StudyRecord) -> str:
    """Return the fill-in YAML of a study's overlay: what is missing, what we have, and an empty block.

    Parameters
    ----------
    record : StudyRecord

    Returns
    -------
    str
        Valid as it stands: it adds nothing until a block is filled in.

    Examples
    --------
    >>> from juntos_eval.evidence.load import load_record
    >>> print(fill_in(load_record("gaentzsch_2020")).splitlines()[1])
    # Gaentzsch, A. (2020). Do conditional cash transfers (CCTs) raise educational attainment? ...
    """
    outcome = record.outcomes[0].name if record.outcomes else "school attendance"
    lines = [
        f"# Published numbers of {record.id}, for a folder read beside the package (--overlay FOLDER).",
        f"# {' '.join(record.citation.split())}",
        "#",
        "# What a replication still needs:",
        *(f"#   {item.kind}: {item.item}" for item in record.missing),
        *_ours(record),
        "",
        f"id: {record.id}",
        "",
        "# Where the article says what our record leaves open, name it here; what is named replaces ours.",
        f"# treatment: {_shown(record.treatment)}",
        f"# comparison: {_shown(record.comparison)}",
        "",
        "results:",
        _ROW.format(outcome=outcome),
        "findings:",
        "  # Signs without numbers.",
        f"  # - outcome: {json.dumps(outcome, ensure_ascii=False)}",
        f"  #   domain: {record.domain}",
        "  #   direction: +",
        "  #   valence: favourable             # favourable unfavourable neutral mixed",
        "  #   source: the article, p. 12",
        "  #   seen: full_text",
        "",
        "notes:",
        "  # - what a reader of these numbers must know",
    ]
    return "\n".join(lines) + "\n"


def _ours(record: StudyRecord) -> list[str]:
    if not record.results:
        return ["#", "# Our record has no number of this study."]
    rows = [
        f"#   {row.id}: {row.outcome}{f', {row.subgroup}' if row.subgroup else ''}" for row in record.results
    ]
    shown = rows[:40] + ([f"#   and {len(rows) - 40} more"] if len(rows) > 40 else [])
    return ["#", "# Numbers that our record has (an id given again replaces ours):", *shown]


def _shown(text: str | None) -> str:
    return json.dumps(" ".join(text.split())[:200], ensure_ascii=False) if text else "(not stated)"
