"""What a storage URL names, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from wanvideo.errors import SettingsInvalid
from wanvideo.storage.url import Place, place_of


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("/srv/clips", "/srv/clips"),
        ("clips", "clips"),
        ("file:///srv/my%20clips", "/srv/my clips"),
        ("file://localhost/srv/clips", "/srv/clips"),
        ("C:\\clips", "C:\\clips"),
    ],
)
def test_a_path_is_a_folder(url: str, folder: str) -> None:
    assert place_of(url) == Path(folder)


def test_a_tilde_is_the_home_folder() -> None:
    assert place_of("~/clips") == Path.home() / "clips"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://clips", Place("s3", "clips")),
        ("s3://clips/films/wan/", Place("s3", "clips", "films/wan")),
        ("s3://clips/影片?region=eu-west-1", Place("s3", "clips", "影片", region="eu-west-1")),
        (
            "s3://clips?endpoint=http://127.0.0.1:9000&region=us-east-1",
            Place("s3", "clips", endpoint="http://127.0.0.1:9000", region="us-east-1"),
        ),
        (
            "s3://clips?endpoint=https%3A%2F%2Fs3.example.com/&style=virtual",
            Place("s3", "clips", endpoint="https://clips.s3.example.com", style="virtual"),
        ),
        ("s3://clips?style=virtual", Place("s3", "clips", style="virtual")),
        (
            "oss://clips/films?region=cn-beijing",
            Place(
                "oss", "clips", "films", "https://clips.oss-cn-beijing.aliyuncs.com", "cn-beijing", "virtual"
            ),
        ),
        (
            "oss://clips?region=oss-cn-beijing&endpoint=https://oss-cn-beijing-internal.aliyuncs.com",
            Place(
                "oss",
                "clips",
                "",
                "https://clips.oss-cn-beijing-internal.aliyuncs.com",
                "cn-beijing",
                "virtual",
            ),
        ),
        (
            "oss://clips?region=cn-beijing&endpoint=https://clips.oss-cn-beijing.aliyuncs.com",
            Place("oss", "clips", "", "https://clips.oss-cn-beijing.aliyuncs.com", "cn-beijing", "virtual"),
        ),
        (
            "oss://clips?region=cn-beijing&endpoint=https://films.example.com&style=domain",
            Place("oss", "clips", "", "https://films.example.com", "cn-beijing", "domain"),
        ),
        ("gs://clips.example_com/films", Place("gs", "clips.example_com", "films")),
        ("az://clips/films?account=shop", Place("az", "clips", "films", account="shop")),
    ],
)
def test_a_bucket_is_read_with_the_address_its_requests_go_to(url: str, place: Place) -> None:
    assert place_of(url) == place


def test_the_durable_url_holds_scheme_bucket_and_prefix_only() -> None:
    place = place_of("s3://clips/films?endpoint=http://127.0.0.1:9000&region=us-east-1")
    assert isinstance(place, Place)
    assert (place.root, place.folder) == ("s3://clips", "s3://clips/films")
    assert Place("gs", "clips").folder == "gs://clips"


SECRET = "sEcrEt"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://{SECRET}.example.com", "must be a folder, or start with"),
        (f"{SECRET}://clips", "must be a folder, or start with"),
        (f"s3://AKIA:{SECRET}@clips/films", "must not hold a key"),
        (f"s3:///{SECRET}", "must name a bucket, like s3://"),
        (f"s3://{SECRET}!", "must name a bucket"),
        (f"s3://clips:9000/{SECRET}", "must name a bucket"),
        (f"s3://clips/../{SECRET}", "may hold only letters"),
        (f"s3://clips/a//{SECRET}", "may hold only letters"),
        (f"s3://clips/{SECRET}%20x", "may hold only letters"),
        (f"s3://clips/films#{SECRET}", "must not hold a `#`"),
        (f"s3://clips?secret_access_key={SECRET}", "unknown or repeated option after the `?`; s3:// knows"),
        (f"s3://clips?region=a&region={SECRET}", "unknown or repeated option"),
        (f"gs://clips?endpoint={SECRET}", "has an unknown or repeated option after the `?`."),
        (f"s3://clips?region={SECRET}/x", "no proper value for region="),
        (f"az://clips?account={SECRET}.blob", "no proper value for account="),
        (f"s3://clips?style={SECRET}", "unknown style; there are path, virtual, domain"),
        ("s3://clips?style=domain", "needs the bucket's own domain as endpoint="),
        (f"s3://clips?endpoint={SECRET}:9000", "does not start with http:// or https://"),
        (f"s3://clips?endpoint=http://a:{SECRET}", "an endpoint that is not a URL"),
        (f"s3://clips?endpoint=http://x:{SECRET}@host", "more than a host and a port"),
        (f"s3://clips?endpoint=http://host/{SECRET}", "more than a host and a port"),
        (f"oss://clips/{SECRET}", "must name a region, like oss://"),
        ("file://server/clips", "must name a folder in full"),
        ("file:///", "must name a folder in full"),
        (f"s3://[{SECRET}/x", "is not a URL"),
    ],
)
def test_a_wrong_url_is_refused_with_the_reason_and_never_printed(url: str, reason: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        place_of(url)
    assert refusal.value.field == "WANVIDEO_STORAGE_URL"
    assert reason in refusal.value.detail
    assert "docs/storage.md" in refusal.value.hint
    assert SECRET.lower() not in str(refusal.value).lower()
