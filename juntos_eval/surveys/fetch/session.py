"""One request: TLS verified, proxies and CA bundle of the environment honoured, redirects watched."""

from __future__ import annotations

import ipaddress
from urllib.parse import urljoin, urlsplit

import requests

from juntos_eval.errors import SourceError
from juntos_eval.surveys.fetch.policy import Policy
from juntos_eval.surveys.provenance import code_version

__all__ = ["open_session", "request"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def open_session() -> requests.Session:
    """Return a session that says who asks and takes bytes as they lie on the portal."""
    session = requests.Session()
    session.headers["User-Agent"] = f"juntos-eval/{code_version()} (research use)"
    # a compressed transfer would make Range and Content-Length speak of other bytes than those stored
    session.headers["Accept-Encoding"] = "identity"
    return session


def request(
    session: requests.Session, url: str, headers: dict[str, str], policy: Policy
) -> requests.Response:
    """Ask for a file and follow redirects that stay as safe as the address was.

    Parameters
    ----------
    session : requests.Session
    url : str
    headers : dict
    policy : Policy

    Returns
    -------
    requests.Response
        Its body not yet read; the caller closes it.

    Raises
    ------
    SourceError
        If the certificate does not hold, an address is not https, or redirects go in a circle.
    requests.RequestException
        If the connection fails otherwise.
    """
    for _ in range(policy.max_redirects + 1):
        _check_address(url)
        try:
            response = session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(policy.connect_s, policy.read_s),
            )
        except requests.exceptions.SSLError as error:
            raise SourceError(
                f"The portal's certificate does not hold: {error}",
                where=url,
                remedy="behind an institution's proxy, set REQUESTS_CA_BUNDLE to its certificates; "
                "verification is never switched off",
            ) from error
        if response.status_code not in _REDIRECTS or "Location" not in response.headers:
            return response
        url = urljoin(url, response.headers["Location"])
        response.close()
    raise SourceError(
        f"The portal redirects more than {policy.max_redirects} times",
        where=url,
        remedy="open the address in a browser: the portal may ask for a login or be closed",
    )


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname or "")):
        return
    raise SourceError(
        "The portal leads to an address that is not https", where=url, remedy="do not fetch from there"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
