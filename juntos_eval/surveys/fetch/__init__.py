"""INEI's zips from the portal to the raw folder: resumable, paced, verified, and never half-written."""

from juntos_eval.surveys.fetch.ledger import LEDGER, Ledger, Record
from juntos_eval.surveys.fetch.policy import Policy
from juntos_eval.surveys.fetch.run import Fetched, fetch
from juntos_eval.surveys.fetch.young_lives import how_to_get, unpack_deposits

__all__ = ["LEDGER", "Fetched", "Ledger", "Policy", "Record", "fetch", "how_to_get", "unpack_deposits"]
