"""The address where a device is let in, as a code that a phone's camera reads."""

from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from domain.identity.grants import read, shown
from domain.platform.pictures import qr_code as qr_picture
from gateway.oauth.desk import DEVICE, OAuthDesk

# The device may show it within a page of its own.
HEADERS: Final = {"cache-control": "no-store", "cross-origin-resource-policy": "cross-origin"}


def qr_code(desk: OAuthDesk, request: Request) -> Response:
    """An image for the user code in the query; whether a device waits with it is not told."""
    code = read(request.query_params.get("user_code", ""))
    if code is None:
        return Response(status_code=404)
    address = f"{desk.url(DEVICE)}?{urlencode({'user_code': shown(code)})}"
    return Response(qr_picture(address), media_type="image/svg+xml", headers=HEADERS)
