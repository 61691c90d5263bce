"""A key is found where users of Alibaba Cloud keep it, and is never shown."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wanvideo.errors import SettingsInvalid
from wanvideo.providers.dashscope.credentials import Credentials, find
from wanvideo.settings import Settings

KEY = "sk-0123456789abcdef"


def settings(**environ: str) -> Settings:
    return Settings.read(environ)


def write(home: Path, text: str, encoding: str = "utf-8") -> None:
    folder = home / ".alibabacloud"
    folder.mkdir(exist_ok=True)
    (folder / "credentials").write_bytes(text.encode(encoding))


def key_of(found: Credentials) -> str:
    return found.api_key.get_secret_value()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, "[default]\ndashscope_api_key = sk-of-the-file\n")
    found = find(settings(DASHSCOPE_API_KEY=f" {KEY}\n"), tmp_path)
    assert found is not None
    assert (key_of(found), found.source) == (KEY, "DASHSCOPE_API_KEY")


@pytest.mark.parametrize("written", [f"{KEY}", f'"{KEY}"', f"'{KEY}'  "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_file_is_read_where_the_environment_is_silent(
    tmp_path: Path, written: str, encoding: str
) -> None:
    write(tmp_path, f"[default]\ntype = access_key\ndashscope_api_key = {written}\n", encoding)
    for environ in ({}, {"DASHSCOPE_API_KEY": "  "}):
        found = find(settings(**environ), tmp_path)
        assert found is not None
        assert (key_of(found), found.source) == (KEY, "~/.alibabacloud/credentials [default]")


def test_a_profile_names_the_section(tmp_path: Path) -> None:
    write(tmp_path, f"[default]\ndashscope_api_key=sk-other\n[work]\ndashscope_api_key = {KEY}%1\n")
    found = find(settings(ALIBABA_CLOUD_PROFILE="work"), tmp_path)
    assert found is not None
    assert (key_of(found), found.source) == (f"{KEY}%1", "~/.alibabacloud/credentials [work]")


def test_a_profile_that_is_not_there_is_said_and_the_others_are_named(tmp_path: Path) -> None:
    write(tmp_path, f"[default]\ndashscope_api_key = {KEY}\n[home]\n")
    with pytest.raises(SettingsInvalid, match=r"no section \[work\].*default, home") as caught:
        find(settings(ALIBABA_CLOUD_PROFILE="work"), tmp_path)
    assert caught.value.field == "ALIBABA_CLOUD_PROFILE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[default]\n",
        "[default]\ndashscope_api_key =  \n",
        "[default]\naccess_key_id = x\n",
        "[DEFAULT]\ndashscope_api_key = sk-123456\n",
    ],
)
def test_no_key_is_no_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    assert find(settings(), tmp_path) is None


def test_no_file_is_no_error(tmp_path: Path) -> None:
    assert find(settings(), tmp_path) is None
    assert find(settings(ALIBABA_CLOUD_PROFILE="work"), tmp_path) is None


@pytest.mark.parametrize("key", ["sk-01 # my key", "sk-012\n345", "sk-０１２３４５", "sk-0\x07"])
def test_a_key_no_header_can_carry_is_refused_without_showing_it(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        find(settings(DASHSCOPE_API_KEY=key), tmp_path)
    assert caught.value.field == "DASHSCOPE_API_KEY"
    assert key not in str(caught.value)
    assert "sk-0" not in repr(caught.value)


@pytest.mark.parametrize("text", [f"dashscope_api_key = {KEY}\n", f"[default]\n{KEY}\n", "[default\n"])
def test_a_broken_file_is_named_by_line_and_not_quoted(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingsInvalid, match=r"not a credentials file \(line \d\)") as caught:
        find(settings(), tmp_path)
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_folder_or_bytes_in_place_of_the_file_are_said(tmp_path: Path) -> None:
    (tmp_path / ".alibabacloud" / "credentials").mkdir(parents=True)
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        find(settings(), tmp_path)
    (tmp_path / ".alibabacloud" / "credentials").rmdir()
    write(tmp_path, "[default]\nné = 1\n", "latin-1")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        find(settings(), tmp_path)


def test_the_fingerprint_tells_keys_apart_and_nothing_shows_them(tmp_path: Path) -> None:
    found = find(settings(DASHSCOPE_API_KEY=KEY), tmp_path)
    assert found is not None
    assert found.fingerprint == hashlib.sha256(KEY.encode()).hexdigest()[:8]
    assert KEY not in f"{found} {found!r} {found.api_key} {found.api_key!r}"
