"""How politely and how stubbornly a portal is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from juntos_eval.surveys.catalog import HOSTS

__all__ = ["NO_PROGRESS", "Pacer", "Policy", "Progress"]


class Progress(Protocol):
    """Told what is going on; a progress bar, a log, or nothing."""

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Take the bytes done of a file and how many it has, None where the portal does not say."""


def NO_PROGRESS(name: str, done: int, total: int | None) -> None:  # noqa: N802 - it is passed as a constant
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Choices of a fetch.

    Attributes
    ----------
    hosts : tuple of str
        Tried in this order; ``http`` is accepted only of this machine.
    pause_s : float
        Between two requests.
    throttled_s : float
        Pause after the portal said that it is asked too much: 429, 503, or a web page under 200.
    retry_s : float
        First pause after a broken connection; it doubles each time.
    attempts : int
        Of each zip at each host.
    connect_s, read_s : float
        Patience with a portal that does not answer, or stops in the middle.
    max_bytes : int
        Of one zip.
    max_redirects : int
    sleep, clock : callable
        Of ``time``; a test passes its own.

    Examples
    --------
    >>> from juntos_eval.surveys.fetch.policy import Policy
    >>> Policy().pause_s, Policy().throttled_s
    (2.0, 35.0)
    """

    hosts: tuple[str, ...] = HOSTS
    pause_s: float = 2.0
    throttled_s: float = 35.0
    retry_s: float = 2.0
    attempts: int = 6
    connect_s: float = 20.0
    read_s: float = 60.0
    max_bytes: int = 4_000_000_000
    max_redirects: int = 5
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Pacer:
    """Keeps requests apart, however fast the answers come.

    Parameters
    ----------
    policy : Policy

    Examples
    --------
    >>> from juntos_eval.surveys.fetch.policy import Pacer, Policy
    >>> waited = []
    >>> pacer = Pacer(Policy(sleep=waited.append, clock=lambda: 10.0))
    >>> pacer.wait(); pacer.wait()
    >>> waited
    [2.0]
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._last: float | None = None

    def wait(self) -> None:
        """Return when the next request may go out."""
        if self._last is not None:
            left = self._last + self._policy.pause_s - self._policy.clock()
            if left > 0:
                self._policy.sleep(left)
        self._last = self._policy.clock()
