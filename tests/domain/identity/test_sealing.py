"""Sealed secrets: opened by whoever has the key, and only as what they are."""

import base64

import pytest

from domain.identity.sealing import Sealer, SealError, new_key

OLD, NEW = (
    f"{name}:{base64.b64encode(bytes([number] * 32)).decode()}" for number, name in ((1, "k1"), (2, "k2"))
)


def test_what_was_sealed_is_opened_and_looks_like_nothing() -> None:
    sealer = Sealer.of(new_key())

    sealed = sealer.seal(b"JBSWY3DPEHPK3PXP", "ada")

    assert sealer.open(sealed, "ada") == b"JBSWY3DPEHPK3PXP"
    assert b"JBSW" not in sealed
    assert sealer.seal(b"JBSWY3DPEHPK3PXP", "ada") != sealed


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    before = Sealer.of(OLD).seal(b"secret", "ada")
    rotated = Sealer.of(f"{NEW},{OLD}")

    assert rotated.open(before, "ada") == b"secret"
    with pytest.raises(SealError):
        Sealer.of(OLD).open(rotated.seal(b"secret", "ada"), "ada")
    with pytest.raises(SealError):
        Sealer.of(NEW).open(before, "ada")


def test_digests_are_the_same_under_one_key_and_differ_under_another() -> None:
    old, both = Sealer.of(OLD).digests("CODE", "ada"), Sealer.of(f"{NEW},{OLD}").digests("CODE", "ada")

    assert both[1:] == old
    assert both[0] != both[1]
    assert Sealer.of(OLD).digests("CODE", "eve") != old


@pytest.mark.parametrize("place", range(60))
def test_what_was_changed_is_not_opened(place: int) -> None:
    sealer = Sealer.of(OLD)
    sealed = bytearray(sealer.seal(b"a secret of 30 characters, say", "ada"))
    sealed[place] ^= 1

    with pytest.raises(SealError):
        sealer.open(bytes(sealed), "ada")


@pytest.mark.parametrize("sealed", [b"", b"\x02", b"\x02k1", b"\xff" * 200])
def test_what_was_never_sealed_is_not_opened(sealed: bytes) -> None:
    with pytest.raises(SealError):
        Sealer.of(OLD).open(sealed, "ada")


def test_a_secret_of_one_account_is_not_anothers() -> None:
    sealer = Sealer.of(OLD)

    with pytest.raises(SealError):
        sealer.open(sealer.seal(b"secret", "ada"), "eve")


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:", "k1:c2hvcnQ=", ":" + OLD[3:], f"{OLD},{OLD}", "k1:!" + OLD[4:]]
)
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="sealing key") as refused:
        Sealer.of(text)

    assert OLD[3:] not in str(refused.value)
