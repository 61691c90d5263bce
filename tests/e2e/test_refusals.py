"""What cannot work is refused with the field, the reason and the way out, before a byte leaves if it can."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image

from .conftest import OpenDesk
from .desk import Desk, Ran, painted

PRESENT = "boat.png"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def put_pictures(folder: Path) -> None:
    """One file for each way in which a picture can be wrong."""
    whole = io.BytesIO()
    painted(480, 480).save(whole, "JPEG", quality=95)
    (folder / "truncated.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(4096))) + chunk(b"IEND", b"")
    (folder / "bomb.png").write_bytes(bomb)
    (folder / "notes.jpg").write_text("Dear diary, this is not a picture.\n" * 20)
    painted(200, 200).save(folder / "tiny.png")
    (folder / "empty.png").touch()


def refused(ran: Ran, *, code: str, field: str | None, exit_code: int = 2) -> dict[str, object]:
    """Its problem body: code, field, a reason and a way out."""
    problem = ran.json
    assert (ran.code, problem["code"], problem["field"]) == (exit_code, code, field)
    assert problem["detail"]
    assert problem["hint"]
    return problem


FIELDS = [
    pytest.param(["--size", "321*240"], "invalid_request", "size", "320*240", id="odd size"),
    pytest.param(["--duration", "16"], "invalid_request", "duration", "2 to 15", id="16 s"),
    pytest.param(["--model", "wan2.6-i2v"], "unsupported_model", "model", "wan2.6-i2v-flash", id="alias"),
    pytest.param(["--request", '{"promt": "x"}'], "invalid_request", "promt", "prompt", id="misspelt"),
]


@pytest.mark.parametrize(("flags", "code", "field", "hinted"), FIELDS)
def test_a_field_that_breaks_the_contract_is_refused_before_a_byte_leaves(
    wan: Desk, flags: list[str], code: str, field: str, hinted: str
) -> None:
    problem = refused(wan.run("generate", "x", "--image", PRESENT, *flags, "--json"), code=code, field=field)
    assert hinted in f"{problem['detail']} {problem['hint']}"
    assert wan.nothing_was_sent()


def test_a_picture_that_cannot_be_used_is_refused_before_a_byte_leaves(wan: Desk) -> None:
    put_pictures(wan.folder)
    reasons = {
        "truncated.jpg": "",
        "bomb.png": "20000",
        "notes.jpg": "",
        "tiny.png": "240",
        "empty.png": "",
        "nowhere.png": "no file",
        "home": "folder",
        "http://127.0.0.1:9/boat.png": "cannot be read",
        "data:image/png;base64,AAAA": "",
    }
    running = {name: wan.start("generate", "x", "--image", name, "--json") for name in reasons}
    for name, process in running.items():
        problem = refused(wan.finish(process), code="invalid_image", field="reference_image")
        assert reasons[name] in str(problem["detail"]), name
    assert wan.nothing_was_sent()
    assert wan.jobs() == []


def test_a_picture_is_required_and_the_hint_names_the_flag(wan: Desk) -> None:
    told = wan.run("generate", "slow push in")
    assert told.code == 2
    assert told.stdout == ""
    assert told.stderr == (
        "error: reference_image: A picture is required.\n"
        "  Give a path, URL, data URI or bytes (on the command line: --image FILE).\n"
        "  [invalid_image]\n"
    )


def test_odd_photos_are_taken_and_every_change_is_told(wan: Desk) -> None:
    painted(480, 640).convert("CMYK").save(wan.folder / "print.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    painted(640, 480).save(wan.folder / "phone.jpg", exif=exif)
    clear = painted(480, 640)
    clear.putalpha(128)
    clear.save(wan.folder / "clear.png")
    told = {
        "print.jpg": "CMYK",
        "phone.jpg": "EXIF",
        "clear.png": "transparen",
    }
    running = {
        name: wan.start("generate", "x", "--image", name, "--size", "480*640", "--dry-run", "--json")
        for name in told
    }
    for name, process in running.items():
        warnings = wan.finish(process).succeeded().json["warnings"]
        assert any(told[name].lower() in warning.lower() for warning in warnings), (name, warnings)
    assert wan.nothing_was_sent()


PROVIDER = [
    pytest.param({"api_keys": ("sk-another",)}, "credentials_rejected", 3, id="401 key"),
    pytest.param({"faults": ("submit:code=Arrearage",)}, "account_blocked", 3, id="unpaid"),
]


@pytest.mark.parametrize(("options", "code", "exit_code"), PROVIDER)
def test_what_only_the_provider_can_know_is_told_as_plainly(
    open_desk: OpenDesk, options: dict[str, tuple[str, ...]], code: str, exit_code: int
) -> None:
    desk = open_desk(**options)
    problem = refused(desk.generate("--json"), code=code, field=None, exit_code=exit_code)
    assert problem["provider_code"]
    assert problem["request_id"]
    assert len(desk.truth()["creates"]) <= 1
    assert desk.truth()["billed_s"] == 0


def test_an_endpoint_without_the_model_is_a_404_for_a_person_too(open_desk: OpenDesk) -> None:
    desk = open_desk(faults=("submit:code=ModelNotFound",))
    told = desk.generate()
    assert told.code == 3
    assert told.stdout == ""
    assert "error: Model can not be found.\n" in told.stderr
    assert "check DASHSCOPE_HTTP_BASE_URL" in told.stderr
    assert "[model_not_found; job j_" in told.stderr


def test_a_moderated_prompt_is_not_billed_and_says_so(wan: Desk) -> None:
    ran = wan.generate("--json", prompt="不雅的舞蹈")
    problem = refused(ran, code="content_rejected", field=None, exit_code=4)
    assert problem["task_id"]
    assert "not billed" in str(problem["hint"])
    assert wan.truth()["billed_s"] == 0


def test_a_stored_picture_that_has_gone_is_the_pictures_fault(wan: Desk) -> None:
    ran = wan.generate("--image", "oss://dashscope-instant/nobody/boat.png", "--json")
    refused(ran, code="media_rejected", field="reference_image", exit_code=4)
    assert wan.truth()["billed_s"] == 0


@contextmanager
def always(status: int, body: bytes) -> Iterator[str]:
    """An endpoint with one answer to everything. Yields its base URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/v1"
        finally:
            server.shutdown()
            thread.join()


def test_a_field_that_the_provider_misses_is_named_as_the_user_wrote_it(wan: Desk) -> None:
    answer = b'{"code": "InvalidParameter", "message": "Field required: input.img_url", "request_id": "r-1"}'
    with always(400, answer) as base_url:
        ran = wan.generate("--image", "oss://x/y.png", "--json", env={"DASHSCOPE_HTTP_BASE_URL": base_url})
    problem = refused(ran, code="provider_refused", field="reference_image", exit_code=4)
    assert problem["detail"] == "Field required: input.img_url."
    assert (problem["request_id"], problem["provider_code"]) == ("r-1", "InvalidParameter")
