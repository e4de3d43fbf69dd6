"""What an account says of itself, put into one form or refused with every reason."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.identity.passwords import weaknesses
from domain.platform.errors import Refused, UserError, UserErrorCode

MAX_NAME_CHARACTERS = 100
MAX_EMAIL_CHARACTERS = 254

# The form that web pages use (https://html.spec.whatwg.org/#valid-e-mail-address), with a top-level domain.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}")
_REGION = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.IGNORECASE)
_MARK_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Profile:
    """What the owner may change; what is nothing stays as it is."""

    display_name: str | None = None
    region: str | None = None
    language: str | None = None


@dataclass
class _Findings:
    errors: list[UserError] = field(default_factory=list)

    def check(self, read: Callable[[str], str | None], text: str, path: str, message: str) -> str:
        value = read(text)
        if value is None:
            self.errors.append(UserError(message, UserErrorCode.INVALID, (path,)))
        return value or ""


def email_of(text: str) -> str | None:
    """The address in lower case, or nothing where it is none."""
    address = text.strip().lower()
    return address if len(address) <= MAX_EMAIL_CHARACTERS and _EMAIL.fullmatch(address) else None


def registered(email: str, password: str, profile: Profile) -> tuple[str, Profile]:
    """The normalised address and profile of a new account; raises `Refused` with all that is wrong."""
    found = _Findings()
    address = found.check(email_of, email, "email", "This is not an e-mail address such as ada@example.org.")
    found.errors += weaknesses(password)
    kept = _profile(profile, found)
    if found.errors:
        raise Refused(*found.errors)
    return address, kept


def normalised(profile: Profile) -> Profile:
    """The profile in the form we keep; raises `Refused` with all that is wrong."""
    found = _Findings()
    kept = _profile(profile, found)
    if found.errors:
        raise Refused(*found.errors)
    return kept


def _profile(given: Profile, found: _Findings) -> Profile:
    def checked(text: str | None, read: Callable[[str], str | None], path: str, message: str) -> str | None:
        return None if text is None else found.check(read, text, path, message)

    return Profile(
        checked(
            given.display_name, _name_of, "displayName", "A name has 1 to 100 characters that can be seen."
        ),
        checked(
            given.region, _region_of, "region", "A region has two letters as in ISO 3166-1, such as US or DE."
        ),
        checked(
            given.language, _language_of, "language", "A language is a tag of BCP 47, such as en or pt-BR."
        ),
    )


def _name_of(text: str) -> str | None:
    name = unicodedata.normalize("NFC", text).strip()
    seen = 1 <= len(name) <= MAX_NAME_CHARACTERS and not any(
        # Joiners are part of emoji and of Indic and Arabic writing.
        unicodedata.category(mark) in _MARK_CATEGORIES and mark not in "\u200c\u200d"
        for mark in name
    )
    return name if seen else None


def _region_of(text: str) -> str | None:
    region = text.strip().upper()
    return region if _REGION.fullmatch(region) else None


def _language_of(text: str) -> str | None:
    """Cased as RFC 5646, section 2.1.1 recommends."""
    tag = text.strip()
    if not _LANGUAGE.fullmatch(tag):
        return None
    first, *rest = tag.lower().split("-")
    return "-".join([first, *(_cased(part) for part in rest)])


def _cased(subtag: str) -> str:
    cases = {2: str.upper, 4: str.title}
    return cases.get(len(subtag), str)(subtag)
