"""The words that a record may use, each a closed list."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = [
    "DOMAINS",
    "OWN_TEXT",
    "Access",
    "Basis",
    "Direction",
    "Domain",
    "Family",
    "Kind",
    "Measure",
    "MissingKind",
    "Mode",
    "Relation",
    "Seen",
    "Stars",
    "Valence",
]

Family = Literal[
    "did", "psm", "psm_did", "rdd", "iv", "fe", "payment_timing", "microsimulation", "descriptive",
    "qualitative", "process", "unknown",
]  # fmt: skip

#: Where the design was read; what was inferred or read off a title is not verified.
Basis = Literal["full_text", "abstract", "code", "registry", "contents", "title", "inferred", "none"]

Access = Literal["open", "registered", "restricted", "archive", "none", "unknown"]

Domain = Literal[
    "schooling", "child_work", "nutrition", "health_use", "adult_labour", "poverty_consumption", "inequality",
    "targeting", "women_time", "women_agency", "intimate_partner_violence", "social_relations",
    "service_quality", "state_relations", "local_economy", "programme_design",
]  # fmt: skip

#: Every outcome domain, in the order of the map.
DOMAINS: tuple[str, ...] = get_args(Domain)

#: ``impact`` (effect of Juntos), ``descriptive`` (of the sample or the programme), ``context`` (another
#: programme or background), ``pooled`` (of a review).
Kind = Literal["impact", "descriptive", "context", "pooled"]

Measure = Literal[
    "difference", "relative_change", "slope", "marginal_effect", "odds_ratio", "odds_change", "share", "mean",
    "prevalence", "count", "amount", "threshold", "p_value",
]  # fmt: skip

#: How a number was seen: the whole text, the publisher's page of one table, the abstract, in another
#: document, or in the press.
Seen = Literal["full_text", "table_page", "abstract", "secondary", "press"]

#: What counts as the study's own text.
OWN_TEXT = frozenset({"full_text", "table_page", "abstract"})

Direction = Literal["+", "0", "-", "mixed"]
Valence = Literal["favourable", "unfavourable", "neutral", "mixed"]
Relation = Literal["=", "<"]
Stars = Literal["", "*", "**", "***"]
Mode = Literal[
    "numeric_replication", "design_replication", "microsimulation", "evidence_map", "bibliographic"
]
MissingKind = Literal["full_text", "table", "data", "definition", "code"]
