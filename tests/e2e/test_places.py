"""Where settings are found and where things go: `.env`, OUTPUT_DIR, odd names, a folder that is none."""

from __future__ import annotations

from pathlib import Path

from .conftest import OpenDesk
from .desk import KEY, Desk


def test_a_dotenv_file_in_the_working_folder_is_read_and_the_environment_wins(open_desk: OpenDesk) -> None:
    desk = open_desk()
    assert desk.emulator is not None
    (desk.folder / ".env").write_text(
        f"DASHSCOPE_API_KEY={KEY}\nDASHSCOPE_HTTP_BASE_URL='{desk.emulator.base_url}'\nOUTPUT_DIR=clips\n"
    )
    emulator = desk.emulator
    desk.emulator = None  # nothing of it stands in the environment any more

    made = desk.generate("--json").succeeded().json

    assert made["provider"] == "dashscope"
    assert Path(made["video_url"]).parent == desk.folder / "clips" / "ai-video-wan-video" / "videos"
    assert len(emulator.truth()["creates"]) == 1
    listed = desk.run("jobs", "list", "--json", env={"OUTPUT_DIR": "elsewhere"}).succeeded().json
    assert listed == {"jobs": []}


def test_the_key_may_stand_in_the_credentials_file(wan: Desk) -> None:
    folder = wan.folder / "home" / ".alibabacloud"
    folder.mkdir(parents=True)
    (folder / "credentials").write_text(f"[default]\ndashscope_api_key = {KEY}\n")
    dry = wan.generate("--dry-run", "--json", env={"DASHSCOPE_API_KEY": ""}).succeeded().json
    assert dry["provider"] == "dashscope"


def test_spaces_and_chinese_in_every_name_are_nothing_special(desk: Desk) -> None:
    (desk.folder / "boat.png").rename(desk.folder / "我的 船.png")
    made = desk.run(
        "generate", "镜头缓慢推近，下雪", "--image", "我的 船.png", "--size", "320*240", "--duration", "2",
        env={"OUTPUT_DIR": "我的 输出"},
    ).succeeded()  # fmt: skip
    assert made.path.exists()
    assert made.path.parent == desk.folder / "我的 输出" / "ai-video-wan-video" / "videos"
    assert "镜头缓慢推近-下雪" in made.path.name


def test_an_output_folder_that_cannot_be_written_is_one_clear_error(wan: Desk) -> None:
    (wan.folder / "taken").write_text("a file, not a folder")
    told = wan.generate(env={"OUTPUT_DIR": "taken"})
    assert (told.code, told.stdout) == (2, "")
    assert told.stderr.startswith("error: OUTPUT_DIR: ")
    assert "Not a directory" in told.stderr
    assert told.stderr.endswith("[invalid_settings]\n")
    assert len(told.stderr.splitlines()) == 3
    assert wan.nothing_was_sent()


def test_a_setting_that_makes_no_sense_is_named(desk: Desk) -> None:
    wrong = desk.run("jobs", "list", "--json", env={"WANVIDEO_LEASE": "soon"})
    assert (wrong.code, wrong.json["code"], wrong.json["field"]) == (2, "invalid_settings", "WANVIDEO_LEASE")
    asked = desk.generate("--provider", "dashscope", "--json")
    assert (asked.code, asked.json["code"]) == (3, "credentials_missing")
    unknown = desk.generate("--provider", "sora", "--json")
    assert unknown.code == 2
