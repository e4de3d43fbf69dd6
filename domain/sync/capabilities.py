"""What devices can do."""

from dataclasses import dataclass
from enum import StrEnum


class HdrFormat(StrEnum):
    """How a picture of high dynamic range is told to a screen."""

    HDR10 = "hdr10"
    """The common one, the same for all of a title."""
    HDR10_PLUS = "hdr10_plus"
    """Told for each scene; Samsung's."""
    DOLBY_VISION = "dolby_vision"
    """Told for each scene; Dolby's."""
    HLG = "hlg"
    """Of broadcasts."""


class AudioFormat(StrEnum):
    """How sound comes."""

    AAC = "aac"
    """Stereo, or several channels."""
    AC3 = "ac3"
    """Dolby Digital."""
    TRUE_HD = "true_hd"
    """Dolby TrueHD, without loss."""
    ATMOS = "atmos"
    """Dolby Atmos, with heights."""
    DTS_X = "dts_x"
    """DTS:X, with heights."""


@dataclass(frozen=True, slots=True)
class DeviceCapabilities:
    """What a device can do."""

    max_quality: str | None = None
    hdr: bool = False
    remote_controllable: bool = True
    can_cast: bool = False
    screen_inches: int | None = None
    missing_apps: tuple[str, ...] = ()
    """The services whose apps it is known to lack."""
    hdr_formats: tuple[HdrFormat, ...] = ()
    audio_formats: tuple[AudioFormat, ...] = ()
