"""The form POST that puts one file into the temporary storage."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from wanvideo_emulator import wire
from wanvideo_emulator.faults import STORAGE_ANSWERS, FaultPlan
from wanvideo_emulator.uploads import FILE_BYTES_MAX, OssRefused, Uploads

CHUNK_BYTES = 1 << 16


@dataclass
class FormPost:
    faults: FaultPlan
    uploads: Uploads

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take one file: multipart form fields first, the file last."""
        fault = self.faults.take("upload")
        action = fault.action if fault is not None else ""
        try:
            fields, name, data = await _form(request)
            if action == "drop-before":
                wire.hang_up(request)
                return wire.hung_up()
            if action in STORAGE_ANSWERS:
                raise wire.storage_trouble(action)
            grant = self.uploads.check_form(fields)
            await self.uploads.store(fields["key"].replace("${filename}", name), grant, data)
        except OssRefused as refusal:
            return wire.oss_refused(refusal, request.host)
        if action == "slow":
            assert fault is not None
            await asyncio.sleep(fault.seconds)
        elif action:
            wire.hang_up(request, reset=action == "reset")
            return wire.hung_up()
        wanted = fields.get("success_action_status")
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
        return web.Response(
            status=int(wanted) if wanted in {"200", "201", "204"} else 204,
            headers=wire.oss_headers() | {"ETag": f'"{etag}"'},
        )


async def _form(request: web.Request) -> tuple[dict[str, str], str, bytes]:
    """The fields before the file, the file's name and its bytes. What follows the file is ignored."""
    if not request.content_type.startswith("multipart/form-data"):
        raise OssRefused(
            412, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data."
        )
    fields: dict[str, str] = {}
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "file":
                return fields, part.filename or "", await _file(part)
            fields[part.name or ""] = await part.text()
    except ValueError as trouble:
        raise OssRefused(
            400,
            "MalformedPOSTRequest",
            "The body of your POST request is not well-formed multipart/form-data.",
        ) from trouble
    raise OssRefused(400, "InvalidArgument", "POST requires exactly one file upload per request.")


async def _file(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        data += chunk
        if len(data) > FILE_BYTES_MAX:
            raise OssRefused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    return bytes(data)
