"""The key and the signed links: in no file, in no output, however talkative the logs."""

from __future__ import annotations

from .conftest import OpenDesk
from .desk import KEY, Desk

FORBIDDEN = (KEY.encode(), KEY[3:].encode(), b"Signature=", b"OSSAccessKeyId")
TALKATIVE = {"WANVIDEO_LOG": "debug", "DASHSCOPE_LOGGING_LEVEL": "debug"}


def files_with_secrets(desk: Desk) -> list[str]:
    """Every file below the working folder (ledger, its journal, clips, leftovers) that holds one."""
    return [
        str(path.relative_to(desk.folder))
        for path in desk.folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in FORBIDDEN)
    ]


def test_no_secret_is_printed_or_written_when_all_goes_well_or_badly(open_desk: OpenDesk) -> None:
    """`Desk.finish` looks at everything that is printed; the faults make errors talk about links."""
    desk = open_desk(faults=("upload:500*1", "poll:html502*1", "download:truncate*1", "download:403*1"))
    made = desk.generate("--json", env=TALKATIVE).succeeded().json
    desk.run("jobs", "show", made["job_id"], "--json", env=TALKATIVE).succeeded()
    desk.run("jobs", "list", env=TALKATIVE).succeeded()
    desk.run("doctor", env=TALKATIVE)
    assert files_with_secrets(desk) == []
    assert (desk.output / "ledger.db").exists()


def test_no_secret_is_left_behind_by_a_kill(open_desk: OpenDesk) -> None:
    desk = open_desk()
    killed = desk.generate(env={**TALKATIVE, "WANVIDEO_FAILPOINT": "during_download"})
    assert killed.code == -9
    assert any(path.name.endswith("-wal") for path in desk.output.iterdir())
    assert files_with_secrets(desk) == []


def test_a_refused_key_is_not_repeated(open_desk: OpenDesk) -> None:
    desk = open_desk(api_keys=("sk-another",))
    assert desk.generate(env=TALKATIVE).code == 3
    assert desk.run("doctor", "--json", env=TALKATIVE).code == 1
    assert files_with_secrets(desk) == []
