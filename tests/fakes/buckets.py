"""Real S3 servers on this machine: moto, which knows every call, and nanio, which checks signatures."""

from __future__ import annotations

import logging
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from urllib.request import Request, urlopen

from pydantic import SecretStr

from wanvideo.settings import AccessKey

KEY = AccessKey(SecretStr("AKIAEXAMPLE0EXAMPLE0"), SecretStr("sEcrEt/of+the+Key"))


class Buckets(Protocol):
    """A running server, and what a test may know about its buckets from outside."""

    port: int

    def create(self) -> str: ...
    def files(self, bucket: str) -> dict[str, bytes]: ...
    def unfinished(self, bucket: str) -> int:
        """Uploads whose parts are kept, though nobody completed them."""


@dataclass(frozen=True)
class Moto:
    """Takes any key, so that a test can ask it anything."""

    port: int

    def create(self) -> str:
        bucket = f"clips-{secrets.token_hex(4)}"
        self._ask(f"/{bucket}", "PUT")
        return bucket

    def files(self, bucket: str) -> dict[str, bytes]:
        listing = self._ask(f"/{bucket}?list-type=2").decode()
        keys = [unescape(key) for key in re.findall("<Key>(.*?)</Key>", listing)]
        return {key: self._ask(f"/{bucket}/{quote(key)}") for key in keys}

    def unfinished(self, bucket: str) -> int:
        return self._ask(f"/{bucket}?uploads").count(b"<UploadId>")

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header(
            "Authorization", "AWS4-HMAC-SHA256 Credential=anybody/20260101/us-east-1/s3/aws4_request"
        )
        with urlopen(request, timeout=10) as answer:
            data: bytes = answer.read()
        return data


@dataclass(frozen=True)
class Nanio:
    """Keeps plain files in a folder, and takes nothing that is not signed with KEY."""

    port: int
    folder: Path

    def create(self) -> str:
        bucket = f"clips-{secrets.token_hex(4)}"
        (self.folder / bucket).mkdir()
        return bucket

    def files(self, bucket: str) -> dict[str, bytes]:
        root = self.folder / bucket
        found = (path for path in root.rglob("*") if path.is_file())
        keys = {path.relative_to(root).as_posix(): path for path in found}
        return {key: path.read_bytes() for key, path in keys.items() if not key.startswith(".nanio")}

    def unfinished(self, bucket: str) -> int:
        kept = (self.folder / ".nanio/multipart").glob("*/init.json")
        return sum(f'"{bucket}"' in path.read_text() for path in kept)


@contextmanager
def moto_running() -> Iterator[Moto]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)  # a line a request; a traceback for a cut one
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield Moto(server.get_host_and_port()[1])
    finally:
        server.stop()


@contextmanager
def nanio_running(folder: Path) -> Iterator[Nanio]:
    import nanio.app  # type: ignore[import-untyped]  # it has no types
    import uvicorn
    from nanio import auth, config

    known = auth.credentials.StaticCredentialResolver(
        {KEY.id.get_secret_value(): KEY.secret.get_secret_value()}
    )
    app = nanio.app.build_app(config.Settings(data_dir=folder, credentials=known))
    logging.getLogger("nanio.app").setLevel(logging.CRITICAL)  # a traceback for a part that comes too late
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Nanio(listener.getsockname()[1], folder)
        finally:
            server.should_exit = True
            thread.join()
