"""`wanvideo doctor`: each finding says what is so, and what is wrong also says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from wanvideo.clock import SystemClock
from wanvideo.doctor import Finding, examine
from wanvideo.errors import StorageFailed
from wanvideo.settings import Settings
from wanvideo.storage.local import LocalStore
from wanvideo_emulator import EmulatorThread, Options

KEY = "sk-doctor-0123456789"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a credentials file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def provider() -> Iterator[EmulatorThread]:
    with EmulatorThread(Options(api_keys=(KEY,))) as emulator:
        yield emulator


def settings(folder: Path, **more: object) -> Settings:
    return Settings.model_validate({"output_dir": folder / "output", **more})


async def findings(chosen: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await examine(chosen)}


async def test_without_a_key_it_says_that_previews_are_made_and_all_is_well(tmp_path: Path) -> None:
    found = await findings(settings(tmp_path))
    assert list(found) == ["key", "region", "endpoint", "ledger", "store", "disk", "encoder"]
    assert found["key"].state == "note"
    assert "DASHSCOPE_API_KEY" in found["key"].todo
    assert found["endpoint"].text == "not asked: there is no key to ask with"
    assert all(finding.state != "bad" for finding in found.values())


async def test_a_good_key_is_proven_by_the_endpoint_and_the_clock_is_compared(
    tmp_path: Path, provider: EmulatorThread
) -> None:
    found = await findings(settings(tmp_path, api_key=SecretStr(KEY), base_url=provider.base_url))
    assert (found["key"].state, found["endpoint"].state, found["clock"].state) == ("good", "good", "good")
    assert KEY not in str(found)
    assert provider.base_url in found["region"].text
    assert provider.truth()["creates"] == [], "asking costs nothing"


async def test_a_wrong_key_is_a_bad_endpoint_with_a_way_out(tmp_path: Path, provider: EmulatorThread) -> None:
    found = await findings(settings(tmp_path, api_key=SecretStr("sk-wrong-0123"), base_url=provider.base_url))
    assert found["endpoint"].state == "bad"
    assert found["endpoint"].todo
    assert "sk-wrong-0123" not in str(found)


async def test_an_endpoint_that_is_not_there_is_said_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    found = await findings(
        settings(tmp_path, api_key=SecretStr(KEY), base_url="http://127.0.0.1:9/api/v1", connect_timeout_s=1)
    )
    assert found["endpoint"].state == "bad"
    assert found["encoder"].state == "good"


async def test_a_clock_that_is_wrong_is_bad_because_lost_submits_are_found_by_time(
    tmp_path: Path, provider: EmulatorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + timedelta(hours=1))
    found = await findings(settings(tmp_path, api_key=SecretStr(KEY), base_url=provider.base_url))
    assert found["clock"].state == "bad"
    assert re.search(r"\+3[56]\d\d s off", found["clock"].text)
    assert "NTP" in found["clock"].todo


async def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file, not a folder")
    found = await findings(settings(tmp_path))
    assert found["set-up"].state == "bad"
    assert found["set-up"].text.startswith("OUTPUT_DIR")
    assert found["disk"].state == "bad"
    assert found["encoder"].state == "good"


async def test_ledger_and_store_are_really_written_to(tmp_path: Path) -> None:
    found = await findings(settings(tmp_path))
    assert (found["ledger"].state, found["store"].state) == ("good", "good")
    assert found["store"].text == f"{settings(tmp_path).app_dir}: written, read and removed"
    assert [path.name for path in settings(tmp_path).app_dir.iterdir() if "probe" in path.name] == []


async def test_a_broken_store_is_told_and_the_rest_is_still_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> str:
        raise StorageFailed("s3://clips: the bucket does not exist.", hint="Create it.")

    monkeypatch.setattr(LocalStore, "probe", broken)
    found = await findings(settings(tmp_path))
    assert found["store"] == Finding("store", "bad", "s3://clips: the bucket does not exist.", "Create it.")
    assert found["ledger"].state == found["encoder"].state == "good"
