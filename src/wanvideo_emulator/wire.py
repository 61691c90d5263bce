"""Putting answers on the wire: the gateway's headers, the storage's XML, and connections that break."""

from __future__ import annotations

import json
import socket
import struct
import time
import uuid
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from wanvideo_emulator.codes import Refused
from wanvideo_emulator.uploads import OssRefused

HTML_502 = """<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr/>Powered by Tengine<hr><center>tengine</center>
</body>
</html>
"""


def _gateway_headers(arrived_at: float) -> dict[str, str]:
    spent_ms = int((time.time() - arrived_at) * 1000)
    return {
        "Server": "istio-envoy",
        "req-cost-time": str(spent_ms),
        "req-arrive-time": str(int(arrived_at * 1000)),
        "resp-start-time": str(int(time.time() * 1000)),
        "x-envoy-upstream-service-time": str(spent_ms),
        "Vary": "Origin,Access-Control-Request-Method,Access-Control-Request-Headers, Accept-Encoding",
    }


def answer(body: dict[str, Any], arrived_at: float, status: int = 200) -> web.Response:
    """A JSON answer as the gateway sends it."""
    response = web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        headers=_gateway_headers(arrived_at) | {"Content-Type": "application/json;charset=UTF-8"},
    )
    if status == 401 and "request_id" in body:
        response.headers["X-Request-ID"] = body["request_id"]
    return response


def half_answer(body: dict[str, Any], arrived_at: float) -> web.Response:
    """The first half of a JSON document, with status 200 and a length that fits the half."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = _gateway_headers(arrived_at) | {"Content-Type": "application/json;charset=UTF-8"}
    return web.Response(body=text[: len(text) // 2], headers=headers)


def trouble(status: str, request_id: str, arrived_at: float) -> web.Response:
    """What a gateway or a sick backend says: `429`, `500`, `502`, `503`, `504` or `html502`."""
    json_codes = {"429": "Throttling.RateQuota", "500": "InternalError", "503": "ModelUnavailable"}
    if status in json_codes:
        refusal = Refused(json_codes[status])
        body = {"code": refusal.code, "message": refusal.message, "request_id": request_id}
        return answer(body, arrived_at, int(status))
    headers = _gateway_headers(arrived_at)
    if status == "html502":
        return web.Response(
            status=502, text=HTML_502, content_type="text/html", headers=headers | {"Server": "Tengine"}
        )
    words = {"502": "", "504": "upstream request timeout"}[status]
    return web.Response(status=int(status), text=words, content_type="text/plain", headers=headers)


def oss_headers() -> dict[str, str]:
    return {
        "Server": "AliyunOSS",
        "x-oss-request-id": uuid.uuid4().hex[:24].upper(),
        "x-oss-server-time": "3",
    }


def oss_refused(refusal: OssRefused, host: str) -> web.Response:
    """The storage's XML error document."""
    headers = oss_headers()
    fields = {
        "Code": refusal.code,
        "Message": refusal.message,
        "RequestId": headers["x-oss-request-id"],
        "HostId": host,
    } | refusal.extra
    lines = "".join(f"  <{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
    return web.Response(
        status=refusal.status,
        body=f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n{lines}</Error>\n'.encode(),
        headers=headers | {"Content-Type": "application/xml"},
    )


def storage_trouble(status: str) -> OssRefused:
    """What the storage says when a fault makes it fail; statuses it never uses become 500."""
    codes = {
        "403": ("AccessDenied", "You have no right to access this object."),
        "404": ("NoSuchKey", "The specified key does not exist."),
        "429": ("QpsLimitExceeded", "Please reduce your request rate."),
        "502": ("BadGateway", "Please try again."),
        "503": ("ServiceUnavailable", "Please reduce your request rate."),
        "504": ("GatewayTimeout", "Please try again."),
    }
    internal = ("InternalError", "We encountered an internal error. Please try again.")
    code, message = codes.get(status, internal)
    return OssRefused(int(status) if status in codes else 500, code, message)


def hang_up(request: web.Request, *, reset: bool = False) -> None:
    """Close the connection without a further word; with `reset`, by a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def hung_up() -> web.Response:
    """Stands in for the answer on a connection that is closed already; nobody receives it."""
    response = web.Response(status=500)
    response.force_close()
    return response
