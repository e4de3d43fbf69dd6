"""The address where a device is let in, as a code that a phone's camera reads."""

import io
from typing import Final
from urllib.parse import urlencode

import segno
from starlette.requests import Request
from starlette.responses import Response

from domain.identity.grants import read, shown
from gateway.oauth.desk import DEVICE, OAuthDesk

# The device may show it within a page of its own.
HEADERS: Final = {"cache-control": "no-store", "cross-origin-resource-policy": "cross-origin"}


def qr_code(desk: OAuthDesk, request: Request) -> Response:
    """An image for the user code in the query; whether a device waits with it is not told."""
    code = read(request.query_params.get("user_code", ""))
    if code is None:
        return Response(status_code=404)
    image = io.BytesIO()
    address = f"{desk.url(DEVICE)}?{urlencode({'user_code': shown(code)})}"
    segno.make(address, error="m", micro=False).save(image, kind="svg", scale=8, border=4, light="#fff")
    return Response(image.getvalue(), media_type="image/svg+xml", headers=HEADERS)
