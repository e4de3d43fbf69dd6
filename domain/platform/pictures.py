"""Pictures that we draw."""

import io

import segno


def qr_code(text: str) -> str:
    """A text as a QR code, in SVG: dark on white, with the margin that readers need."""
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(image, kind="svg", scale=8, border=4, light="#fff")
    return image.getvalue().decode()
