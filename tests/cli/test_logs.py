"""Log lines never hold a key or a signed link, whoever wrote them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wanvideo.cli.logs import set_up_logs


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ("", "wanvideo", "dashscope")
    levels, handlers = {name: logging.getLogger(name).level for name in names}, list(root.handlers)
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.handlers[:] = handlers


def test_secrets_are_masked_in_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("debug")
    link = "https://bucket.oss-cn-beijing.aliyuncs.com/a.mp4?Expires=1&Signature=abcd"
    logging.getLogger("wanvideo.jobs").debug("got %s with %s", link, "sk-0123456789abcdef")
    logging.getLogger("aiohttp.client").warning("GET %s", link)
    told = capsys.readouterr().err
    assert told.count("a.mp4?***") == 2
    assert "abcd" not in told
    assert "0123456789" not in told
    assert "DEBUG wanvideo.jobs: got" in told


def test_libraries_speak_up_only_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info")
    logging.getLogger("sqlalchemy").info("BEGIN")
    logging.getLogger("wanvideo.jobs").debug("a detail")
    logging.getLogger("wanvideo.jobs").info("a fact")
    assert capsys.readouterr().err.rstrip().endswith("INFO wanvideo.jobs: a fact")
