"""The right client is built for each URL, and what the environment says about AWS stays with AWS."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from obstore.store import AzureStore, GCSStore, S3Store
from tests.fakes.buckets import KEY, Nanio
from tests.storage.test_keys import job

from wanvideo.errors import SettingsInvalid
from wanvideo.ports import Keep
from wanvideo.storage.local import LocalStore
from wanvideo.storage.opening import open_store
from wanvideo.storage.services import Service, connect
from wanvideo.storage.url import Place, place_of


def connected(url: str) -> Service:
    place = place_of(url)
    assert isinstance(place, Place)
    return connect(place, KEY if place.scheme in ("s3", "oss") else None, connect_timeout_s=5, silence_s=30)


def test_without_a_url_the_given_folder_is_the_store(tmp_path: Path) -> None:
    assert isinstance(open_store(None, tmp_path), LocalStore)


async def test_a_folder_is_a_store_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.mp4").write_bytes(b"clip")
    stored = await open_store("clips", tmp_path / "no").put_clip(job(), tmp_path / "work.mp4", Keep.CLIP)
    assert Path(stored.url).parent == tmp_path / "clips" / "videos"


def test_s3_is_asked_for_a_short_time_and_files_are_moved_with_patience() -> None:
    service = connected("s3://clips/films?region=eu-west-1")
    assert isinstance(service.quick, S3Store)
    assert isinstance(service.patient, S3Store)
    quick, patient, retry = (
        service.quick.client_options, service.patient.client_options, service.patient.retry_config
    )  # fmt: skip
    assert quick is not None
    assert patient is not None
    assert retry is not None
    assert (quick["timeout"], patient["timeout"]) == ("30s", "2m")
    assert quick["connect_timeout"] == "5s"
    assert retry["retry_timeout"] == timedelta(seconds=10)
    assert service.quick.config["region"] == "eu-west-1"
    assert "allow_http" not in quick


async def test_azure_is_found_by_its_own_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connected("az://clips/films?account=shop").quick
    assert isinstance(client, AzureStore)
    assert (client.config["container_name"], client.config["account_name"]) == ("clips", "shop")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "store")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"sEcrEt").decode())
    link = await open_store("az://clips/films", tmp_path).link("az://clips/films/videos/x.mp4")
    assert link.startswith("https://store.blob.core.windows.net/clips/films/videos/x.mp4?")
    assert "&sig=" in link


async def test_gcs_is_found_by_its_own_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connected("gs://clips/films").quick
    assert isinstance(client, GCSStore)
    assert client.config["bucket"] == "clips"
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"client_email": "x@y.example", "private_key": private.decode(), "private_key_id": "1"}
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
    link = await open_store("gs://clips/films", tmp_path).link("gs://clips/films/videos/x.mp4")
    assert link.startswith("https://storage.googleapis.com/clips/films/videos/x.mp4?")
    assert "X-Goog-Signature=" in link


def test_azure_without_an_account_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(SettingsInvalid, match=r"\?account=NAME") as refusal:
        connected("az://clips")
    assert refusal.value.field == "WANVIDEO_STORAGE_URL"


def test_oss_without_a_key_is_refused_with_the_names_of_the_variables(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="OSS_ACCESS_KEY_SECRET") as refusal:
        open_store("oss://clips?region=cn-beijing", tmp_path)
    assert refusal.value.field == "OSS_ACCESS_KEY_ID"


def test_a_variable_of_the_service_that_makes_no_sense_is_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", "{sEcrEt")
    with pytest.raises(SettingsInvalid) as refusal:
        open_store("gs://clips", tmp_path)
    assert "sEcrEt" not in str(refusal.value)


async def test_nothing_that_is_set_for_aws_bends_where_another_service_is_asked(
    nanio: Nanio, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a token of another key")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    bucket = nanio.create()
    for scheme in ("s3", "oss"):
        url = (
            f"{scheme}://{bucket}/{scheme}?endpoint=http://127.0.0.1:{nanio.port}&region=us-east-1&style=path"
        )
        store = open_store(url, Path(), access_key=lambda _: KEY)
        await store.put_clip(job(), clip, Keep.CLIP)
        assert "token" not in (await store.link(f"{scheme}://{bucket}/x.mp4")).lower()
    assert len(nanio.files(bucket)) == 2


async def test_a_service_on_this_machine_is_asked_past_any_proxy(
    nanio: Nanio, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for host in ("127.0.0.1", "localhost"):
        url = f"s3://{nanio.create()}?endpoint=http://{host}:{nanio.port}"
        await open_store(url, Path(), access_key=lambda _: KEY).probe()


def test_obstore_is_loaded_only_by_who_stores_in_a_bucket() -> None:
    program = """
import sys
from datetime import timedelta
from pathlib import Path
import wanvideo.storage, wanvideo.storage.local, wanvideo.storage.opening, wanvideo.app, wanvideo.doctor
wanvideo.storage.opening.open_store(None, Path())
print("obstore" in sys.modules)
wanvideo.storage.opening.open_store("gs://clips", Path())
print("obstore" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]
