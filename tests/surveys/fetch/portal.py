"""A portal on this machine that misbehaves on demand."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HTML = b"<!DOCTYPE html><html><body>Servicio no disponible, intente mas tarde</body></html>"


@dataclass
class Answer:
    """How one request is answered; by default as a good server would."""

    status: int = 200
    content: bytes | None = None  # in place of the file
    cut_at: int | None = None  # close the connection after so many bytes of the body
    announced: int | None = None  # a Content-Length that lies; -1: none at all
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    stall_s: float = 0.0  # silence after the first bytes
    piece: int = 1 << 16
    pause_s: float = 0.0  # between pieces


@dataclass
class Portal:
    """What the server holds, what it will do next, and what it was asked."""

    content: bytes
    answers: list[Answer] = field(default_factory=list)  # of the next requests; then good ones
    has_ranges: bool = True
    etag: str = '"edition-1"'
    paths: dict[str, bytes] = field(default_factory=dict)  # other files by path; content answers the rest
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def of(self, path: str) -> bytes | None:
        """What lies under a path."""
        return self.paths.get(path) if self.paths else self.content


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        del format, args

    def do_GET(self) -> None:
        portal: Portal = self.server.portal  # type: ignore[attr-defined]
        portal.asked.append((self.path, dict(self.headers)))
        answer = portal.answers.pop(0) if portal.answers else Answer()
        content = answer.content if answer.content is not None else portal.of(self.path)
        status, start = answer.status, 0
        if content is None:
            status, content = 404, b"<html>404</html>"
        headers = {"ETag": portal.etag, **answer.headers} if portal.etag else dict(answer.headers)
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range", portal.etag) == portal.etag
        if wanted and is_same and portal.has_ranges and status == 200 and answer.content is None:
            start, status = int(wanted[1]), 206
            headers.setdefault("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self._send(status, headers, content[start:], answer)

    def _send(self, status: int, headers: dict[str, str], body: bytes, answer: Answer) -> None:
        self.send_response(status)
        if answer.location is not None:
            self.send_header("Location", answer.location)
            body = b""
        announced = len(body) if answer.announced is None else answer.announced
        if announced >= 0:
            self.send_header("Content-Length", str(announced))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        whole = body if answer.cut_at is None else body[: answer.cut_at]
        try:
            for at in range(0, len(whole), answer.piece):
                self.wfile.write(whole[at : at + answer.piece])
                self.wfile.flush()
                time.sleep(answer.pause_s)
                if at == 0 and answer.stall_s:
                    time.sleep(answer.stall_s)
        except OSError:  # the client has hung up, as it should
            return


@contextmanager
def serving(portal: Portal, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Portal]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.portal = portal  # type: ignore[attr-defined]
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    portal.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
