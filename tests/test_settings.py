"""Every setting: where it comes from, what wins, and what is said about a wrong one."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from wanvideo.errors import SettingsInvalid
from wanvideo.settings import Settings


def test_without_anything_the_defaults_hold() -> None:
    settings = Settings.read({})
    assert [settings.api_key, settings.provider, settings.database_url, settings.max_cost_cny] == [None] * 4
    assert (settings.region, settings.profile, settings.keep_source) == ("beijing", "default", True)
    assert (settings.running_tasks, settings.lease_s, settings.absence_gap_s) == (5, 30, 30)
    assert settings.app_dir == Path("output/ai-video-wan-video")


def test_every_setting_has_a_name_in_the_environment_and_a_word_about_it() -> None:
    for name, field in Settings.model_fields.items():
        assert str(field.validation_alias).isupper(), name
        assert str(field.description).endswith("."), name
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    assert len(aliases) == len(set(aliases))


def test_the_environment_is_read() -> None:
    settings = Settings.read(
        {
            "DASHSCOPE_API_KEY": "sk-1", "OUTPUT_DIR": "/clips", "WANVIDEO_MAX_COST": "1.50",
            "WANVIDEO_KEEP_SOURCE": "false", "WANVIDEO_PROVIDER": "preview", "UNRELATED": "x",
        }
    )  # fmt: skip
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-1"
    assert settings.app_dir == Path("/clips/ai-video-wan-video")
    assert (settings.max_cost_cny, settings.keep_source) == (Decimal("1.50"), False)
    assert settings.provider == "preview"


def test_an_empty_variable_counts_as_left_out() -> None:
    settings = Settings.read({"DASHSCOPE_API_KEY": "", "WANVIDEO_LEASE": "", "DASHSCOPE_HTTP_BASE_URL": "  "})
    assert (settings.api_key, settings.lease_s, settings.base_url) == (None, 30, None)


def test_overrides_beat_the_environment_which_beats_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("OUTPUT_DIR=from-file\nWANVIDEO_LEASE=11\nDASHSCOPE_API_KEY=sk-file\n")
    for name in [name for name in os.environ if name.startswith(("WANVIDEO_", "DASHSCOPE_", "OUTPUT_DIR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OUTPUT_DIR", "from-environment")
    settings = Settings.read(lease_s=12.0, provider=None)
    assert settings.output_dir == Path("from-environment")
    assert settings.lease_s == 12
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-file"
    assert os.environ.get("DASHSCOPE_API_KEY") is None, "reading a file changes nobody's environment"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WANVIDEO_REGION", "virginia"),
        ("WANVIDEO_PROVIDER", "other"),
        ("WANVIDEO_MAX_COST", "-1"),
        ("WANVIDEO_MAX_COST", "much"),
        ("WANVIDEO_MAX_COST", "nan"),
        ("WANVIDEO_RUNNING_TASKS", "0"),
        ("WANVIDEO_LEASE", "0.5"),
        ("WANVIDEO_LEASE", "nan"),
        ("WANVIDEO_LEASE", "inf"),
        ("WANVIDEO_SUBMIT_TIMEOUT", "0"),
        ("WANVIDEO_KEEP_SOURCE", "perhaps"),
        ("DASHSCOPE_HTTP_BASE_URL", "dashscope.aliyuncs.com/api/v1"),
        ("WANVIDEO_LOG", "loud"),
        ("WANVIDEO_PUBLIC_URL", "cdn.example.com"),
        ("WANVIDEO_PUBLIC_URL", "https://user:word@cdn.example.com"),
        ("WANVIDEO_PUBLIC_URL", "https://cdn.example.com/?token=1"),
        ("WANVIDEO_LINK_TTL", "604801"),
        ("WANVIDEO_LINK_TTL", "59"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        Settings.read({variable: value})
    assert refusal.value.field == variable


def test_a_wrong_option_names_its_variable_too() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        Settings.read({}, lease_s=0)
    assert refusal.value.field == "WANVIDEO_LEASE"


def test_a_value_is_never_printed() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        Settings.read({"DASHSCOPE_HTTP_BASE_URL": "sk-pasted-into-the-wrong-variable"})
    assert "sk-pasted" not in str(refusal.value)
    assert "sk-1" not in repr(Settings.read({"DASHSCOPE_API_KEY": "sk-1"}))


def test_an_endpoint_loses_its_last_slash() -> None:
    url = Settings.read({"DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9/api/v1/ "}).base_url
    assert url == "http://127.0.0.1:9/api/v1"


def test_a_public_address_loses_its_last_slash() -> None:
    assert Settings.read({"WANVIDEO_PUBLIC_URL": "https://cdn.example.com/clips/"}).public_url == (
        "https://cdn.example.com/clips"
    )


def test_each_kind_of_storage_has_its_own_key_and_none_is_shown() -> None:
    settings = Settings.read(
        {
            "AWS_ACCESS_KEY_ID": "aws-id", "AWS_SECRET_ACCESS_KEY": "aws-word",
            "AWS_SESSION_TOKEN": "aws-token",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "ali-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "ali-word",
        }
    )  # fmt: skip
    aws, oss = settings.access_key("s3"), settings.access_key("oss")
    assert aws is not None
    assert aws.token is not None
    assert oss is not None
    assert (aws.secret.get_secret_value(), aws.token.get_secret_value()) == ("aws-word", "aws-token")
    assert (oss.id.get_secret_value(), oss.token) == ("ali-id", None)
    assert settings.access_key("gs") is None
    assert "ali-" not in repr(settings) + repr(oss)
    both = settings.model_copy(update={"oss_key_id": SecretStr("o"), "oss_key_secret": SecretStr("p")})
    chosen = both.access_key("oss")
    assert chosen is not None
    assert chosen.secret.get_secret_value() == "p"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    ],
)
def test_half_a_key_is_refused_only_where_it_is_needed(given: str, missing: str) -> None:
    settings = Settings.read({given: "x"})
    assert settings.access_key("s3") is None
    with pytest.raises(SettingsInvalid) as refusal:
        settings.access_key("oss")
    assert refusal.value.field == missing


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.read({}).lease_s = 1  # type: ignore[misc]
