"""Certificates are checked, a CA bundle and a proxy are honoured, and nothing switches that off."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog import HOSTS, CatalogFile
from juntos_eval.surveys.fetch import Policy, fetch
from juntos_eval.surveys.fetch.session import open_session, request
from tests.surveys.fetch.portal import Portal, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody but itself vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl program: a self-signed certificate cannot be made")
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "self-signed.pem", folder / "key.pem"
    command = [
        openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:TRUE",
        "-keyout", str(key), "-out", str(made),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@pytest.fixture
def secure(certificate: tuple[Path, Path], sumaria_zip: bytes) -> Iterator[Portal]:
    with serving(Portal(content=sumaria_zip), certificate=certificate) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused(
    module: CatalogFile, root: Path, secure: Portal, make_policy: Callable[..., Policy]
) -> None:
    (done,) = fetch((module,), root, policy=make_policy(hosts=(secure.url,)))
    assert done.outcome == "failed"
    assert "certificate does not hold" in str(done.error)
    assert "REQUESTS_CA_BUNDLE" in str(done.error)
    assert not secure.asked
    assert not list(root.rglob("*.zip"))


def test_an_institution_s_bundle_is_honoured(
    module: CatalogFile, root: Path, secure: Portal, make_policy: Callable[..., Policy],
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    (done,) = fetch((module,), root, policy=make_policy(hosts=(secure.url,)))
    assert done.outcome == "fetched"
    assert len(secure.asked) == 1


def test_a_proxy_of_the_environment_is_used(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Portal(content=b"from the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with open_session() as session, request(session, f"{portal.url}/a.zip", {}, Policy()) as response:
            assert response.content == b"from the proxy"
        assert proxy.asked[0][0] == f"{portal.url}/a.zip"
    assert not portal.asked


def test_a_proxy_that_does_not_answer_is_named(
    module: CatalogFile, root: Path, make_policy: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Portal(content=b"")) as gone:
        dead = gone.url
    monkeypatch.setenv("http_proxy", dead)
    (done,) = fetch((module,), root, policy=make_policy(attempts=2))
    assert done.outcome == "failed"
    assert "the proxy does not answer (look at HTTPS_PROXY)" in str(done.error)


@pytest.mark.parametrize(
    "url", ["http://proyectos.inei.gob.pe/a.zip", "ftp://127.0.0.1/a", "file:///etc/passwd"]
)
def test_only_https_leaves_this_machine(url: str) -> None:
    with open_session() as session, pytest.raises(SourceError, match="not https"):
        request(session, url, {}, Policy())


def test_both_hosts_are_https() -> None:
    assert len(HOSTS) == 2
    assert all(host.startswith("https://") for host in HOSTS)


def test_the_guard_of_the_tests_holds_for_requests_too() -> None:
    with open_session() as session, pytest.raises(requests.ConnectionError):
        request(session, "https://192.0.2.1/a.zip", {}, Policy())
