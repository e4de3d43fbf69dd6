"""Access tokens: what is in them, and everything that must not pass for one."""

import base64
import hmac
import json
import string
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from domain.identity import tokens as tokens_module
from domain.identity.keys import SigningKey, SigningKeys, new_key
from domain.identity.model import Caller, Role, Tier
from domain.identity.policy import Scope
from domain.identity.signatures import Signed
from domain.identity.tokens import MAX_LIFETIME_SECONDS, MAX_TOKEN_CHARACTERS, Issuer, Tokens
from domain.platform.errors import ErrorCode, Unauthenticated
from tests.accounts import (
    ABSOLUTE,
    ISSUER,
    LIFETIME_SECONDS,
    Clock,
    a_session,
    an_account,
    new_id,
    some_keys,
    tokens,
)

ACCOUNT = an_account(roles=(Role.VIEWER, Role.EDITOR), tier=Tier.PREMIUM)
SCOPES = frozenset({Scope.READ_CONTENT, Scope.WRITE_WATCHLIST})
SESSION = a_session(ACCOUNT, Clock(), scopes=frozenset(SCOPES))
DROPPED = object()
RSA = new_key("RS256")
RSA_KEY = SigningKey.of(RSA)
MARKS = "ABCxyz019-_.=~ \n"


class Mint:
    """Signs whatever a test wants, right in everything that the test does not change."""

    def __init__(self, algorithm: str = "EdDSA") -> None:
        self.clock = Clock()
        self.keys = SigningKeys(RSA_KEY) if algorithm == "RS256" else some_keys()
        self.tokens = tokens(self.clock, self.keys)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock.seconds())
        claims = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": ACCOUNT.id,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": "1",
            "client_id": "media-gateway",
            "sid": SESSION.id,
            "fam": SESSION.family_id,
            "auth_time": now,
            "amr": ["pwd"],
            "roles": ["viewer"],
            "tier": "free",
            "scope": "read:content",
        } | changes
        return {name: value for name, value in claims.items() if value is not DROPPED}

    def header(self, **changes: Any) -> dict[str, Any]:
        key = self.keys.current
        header = {"typ": "at+jwt", "alg": key.algorithm, "kid": key.kid} | changes
        return {name: value for name, value in header.items() if value is not DROPPED}

    def signed(self, header: Any, payload: bytes) -> str:
        """Signed with our key, whatever the header says."""
        return self.written(json.dumps(header, separators=(",", ":")), payload)

    def written(self, header: str, payload: bytes) -> str:
        """Signed with our key, the header to the letter."""
        signing_input = f"{encoded(header.encode())}.{encoded(payload)}"
        private: Any = self.keys.current.key.private_key
        how = (PKCS1v15(), SHA256()) if self.keys.current.algorithm == "RS256" else ()
        return f"{signing_input}.{encoded(private.sign(signing_input.encode(), *how))}"

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return self.signed(self.header(**(header or {})), json.dumps(self.claims(**claims)).encode())


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def assert_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        tokens.verify(token)
    # Whatever was wrong, the words are the same.
    assert refusal.value.message == "The access token is not valid or has expired: sign in again."
    assert refusal.value.extensions == {"error": "invalid_token"}
    assert refusal.value.code is ErrorCode.UNAUTHENTICATED
    assert not tokens._verified


def checked(minting: Mint) -> list[bytes]:
    """The messages whose signatures are checked, from now on."""
    seen: list[bytes] = []

    def watched(signed: Signed) -> Signed:
        def answer(message: bytes, signature: bytes) -> bool:
            seen.append(message)
            return signed(message, signature)

        return answer

    known = minting.tokens._signed
    known.update({header: watched(signed) for header, signed in known.items()})
    return seen


@pytest.fixture(params=["EdDSA", "RS256"])
def mint(request: pytest.FixtureRequest) -> Mint:
    return Mint(request.param)


def test_a_token_of_ours_gives_back_whom_it_was_issued_to() -> None:
    clock = Clock()
    issuing = tokens(clock)

    token = issuing.issue(ACCOUNT, SESSION)
    caller = issuing.verify(token.value)

    assert token.expires_at == clock.at + timedelta(seconds=LIFETIME_SECONDS)
    assert caller == Caller(
        account_id=ACCOUNT.id,
        roles=frozenset({Role.VIEWER, Role.EDITOR}),
        scopes=frozenset({Scope.READ_CONTENT, Scope.WRITE_WATCHLIST, Scope.READ_WATCHLIST}),
        tier=Tier.PREMIUM,
        token_id=caller.token_id,
        expires_at=token.expires_at,
        client_id=SESSION.client_id,
        session_id=SESSION.id,
        family_id=SESSION.family_id,
        authenticated_at=SESSION.authenticated_at,
        methods=("pwd",),
        audience=frozenset({ISSUER}),
    )
    assert caller.token_id


def test_a_token_lapses_with_its_session_at_the_latest() -> None:
    clock = Clock()
    issuing = tokens(clock)
    clock.turn(ABSOLUTE.total_seconds() - 60)

    token = issuing.issue(ACCOUNT, SESSION)

    assert token.expires_at == SESSION.final_at


def test_the_mint_of_these_tests_makes_tokens_that_hold(mint: Mint) -> None:
    assert mint.tokens.verify(mint.token()).account_id == ACCOUNT.id


def test_another_library_call_verifies_our_token_by_our_published_keys(mint: Mint) -> None:
    token = mint.tokens.issue(ACCOUNT, SESSION).value
    published: Any = mint.keys.jwks()

    algorithm = mint.keys.current.algorithm
    with pytest.warns(match="RFC 9864") if algorithm == "EdDSA" else nullcontext():
        decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=[algorithm])

    assert decoded.header == {"typ": "at+jwt", "alg": algorithm, "kid": mint.keys.current.kid}
    assert set(decoded.claims) == {
        *("iss", "aud", "sub", "iat", "exp", "jti", "roles", "tier", "scope"),
        *("client_id", "sid", "fam", "auth_time", "amr"),
    }
    assert decoded.claims["scope"] == "read:content read:watchlist write:watchlist"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": DROPPED},
        {"iss": [ISSUER]},
        {"iss": ""},
        {"aud": "https://elsewhere.example"},
        {"aud": ["https://elsewhere.example"]},
        {"aud": []},
        {"aud": DROPPED},
        {"aud": {ISSUER: 1}},
        {"aud": [ISSUER, 1]},
        {"sub": DROPPED},
        {"sub": ""},
        {"sub": "demo"},
        {"sub": ACCOUNT.id.upper()},
        {"sub": f"{ACCOUNT.id}\n"},
        {"sub": [ACCOUNT.id]},
        {"sub": True},
        {"sub": 7},
        {"jti": DROPPED},
        {"jti": 7},
        {"exp": DROPPED},
        {"exp": True},
        {"exp": [4102444800]},
        {"exp": "4102444800"},
        {"exp": 0},
        {"exp": -1},
        {"exp": 10**18},
        {"exp": 1e300},
        {"iat": DROPPED},
        {"iat": True},
        {"iat": "0"},
        {"nbf": 4102444800},
        {"nbf": "0"},
        {"roles": "admin"},
        {"roles": True},
        {"roles": [True]},
        {"roles": [["admin"]]},
        {"roles": {"admin": True}},
        {"scope": ["admin:full"]},
        {"scope": True},
        {"scope": None},
        {"tier": ["premium"]},
        {"tier": True},
    ],
)
def test_claims_that_are_missing_or_wrong_are_refused(mint: Mint, claims: dict[str, Any]) -> None:
    assert_refused(mint.tokens, mint.token(**claims))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"typ": "application/at+jwt"},
        {"typ": DROPPED},
        {"typ": "id+jwt"},
        {"typ": ["at+jwt"]},
        {"typ": 1},
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": "Ed25519"},
        {"alg": "ES256"},
        {"alg": DROPPED},
        {"alg": ["EdDSA"]},
        {"alg": {}},
        {"alg": True},
        {"kid": DROPPED},
        {"kid": "unknown"},
        {"kid": ["a"]},
        {"kid": "../../dev/null"},
        {"jwk": OKPKey.generate_key("Ed25519").as_dict(private=False)},
        {"jku": "https://elsewhere.example/jwks.json"},
        {"x5u": "https://elsewhere.example/cert.pem"},
        {"b64": False, "crit": ["b64"]},
        {"crit": []},
        {"crit": ["exp"]},
        {"zip": "DEF"},
        {"x": "y" * 600},
    ],
)
def test_headers_other_than_ours_are_refused_though_the_signature_is_right(
    mint: Mint, header: dict[str, Any]
) -> None:
    assert_refused(mint.tokens, mint.token(header))


@pytest.mark.parametrize(
    "changed",
    [
        lambda header: header.replace('"alg"', '"alg":"none","alg"'),
        lambda header: header.replace("}", ',"alg":"none"}'),
        lambda header: header.replace("}", ',"typ":"at+jwt"}'),
        lambda header: header.replace(":", ": "),
        lambda header: f" {header}",
        lambda header: f"{header}\n",
        lambda header: f"{header}{{}}",
        lambda header: header.replace("a", "\\u0061", 1),
        lambda header: json.dumps(dict(reversed(json.loads(header).items())), separators=(",", ":")),
    ],
)
def test_a_header_is_ours_to_the_letter(mint: Mint, changed: Callable[[str], str]) -> None:
    header, payload = json.dumps(mint.header(), separators=(",", ":")), json.dumps(mint.claims()).encode()

    assert_refused(mint.tokens, mint.written(changed(header), payload))
    assert mint.tokens.verify(mint.written(header, payload)).account_id == ACCOUNT.id


def test_a_token_has_one_way_to_be_written(mint: Mint) -> None:
    token = mint.token()
    content, _, signature = token.rpartition(".")
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    last = alphabet.index(token[-1])
    same_bytes = [
        letter for number, letter in enumerate(alphabet) if number != last and number >> 4 == last >> 4
    ]

    assert same_bytes
    for letter in same_bytes:
        assert_refused(mint.tokens, token[:-1] + letter)
    for changed in ("=", "==", "\n", " ", "%", "é"):
        assert_refused(mint.tokens, token + changed)
        assert_refused(mint.tokens, f"{content}{changed}.{signature}")
        assert_refused(mint.tokens, f"{content}.{changed}{signature}")
        assert_refused(mint.tokens, changed + token)
    for parts in (
        f".{token}",
        f"{token}.",
        f"{token}.{signature}",
        content,
        f"{content}.",
        signature,
        "",
        "..",
    ):
        assert_refused(mint.tokens, parts)


def test_the_algorithm_is_the_keys_whatever_the_token_says(mint: Mint) -> None:
    other = {"EdDSA": "RS256", "RS256": "EdDSA"}[mint.keys.current.algorithm]

    assert_refused(mint.tokens, mint.token({"alg": other}))


@pytest.mark.parametrize("kid", ["schlüssel 🔑", 'a"b\\c', "a/b+c", "1"])
def test_a_key_may_have_any_name(kid: str) -> None:
    issuing = tokens(Clock(), SigningKeys(SigningKey.of({**RSA, "kid": kid})))

    assert issuing.verify(issuing.issue(ACCOUNT, SESSION).value).account_id == ACCOUNT.id


@pytest.mark.parametrize("cut", [0, 1, 32, 63, -1])
def test_signatures_of_another_length_are_refused(mint: Mint, cut: int) -> None:
    content, _, signature = mint.token().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")

    assert_refused(mint.tokens, f"{content}.{encoded(raw[:cut])}")
    assert_refused(mint.tokens, f"{content}.{encoded(raw + raw[:1])}")


@pytest.mark.parametrize("header", [[], ["alg"], "alg", 7, None, True, {"alg": 10**400}], ids=str)
def test_headers_that_are_no_object_are_refused(mint: Mint, header: Any) -> None:
    assert_refused(mint.tokens, mint.signed(header, json.dumps(mint.claims()).encode()))


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"7", b'"sub"', b"null", b"{", b"\xff", b'{"exp": NaN}', b"[" * 2_000], ids=str
)
def test_payloads_that_are_no_object_are_refused(mint: Mint, payload: bytes) -> None:
    assert_refused(mint.tokens, mint.signed(mint.header(), payload))


def test_a_service_is_nobody_but_its_client(mint: Mint) -> None:
    of_service: dict[str, Any] = dict.fromkeys(("sid", "fam", "auth_time", "roles"), DROPPED) | {
        "client_id": "reports"
    }

    assert_refused(mint.tokens, mint.token(**of_service, sub=ACCOUNT.id))
    assert mint.tokens.verify(mint.token(**of_service, sub="reports")).account_id is None


def test_an_unsigned_token_is_refused(mint: Mint) -> None:
    header, payload = mint.header(alg="none"), json.dumps(mint.claims()).encode()
    unsigned = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}."

    assert_refused(mint.tokens, unsigned)
    assert_refused(mint.tokens, f"{unsigned}AA")


@pytest.mark.parametrize("form", ["raw", "pem", "jwk"])
def test_our_public_key_is_no_shared_secret(mint: Mint, form: str) -> None:
    key = mint.keys.current.key
    secret: Any = {
        "raw": key.public_key.public_bytes_raw() if isinstance(key, OKPKey) else b"",
        "pem": key.as_pem(private=False),
        "jwk": json.dumps(mint.keys.jwks()["keys"][0]).encode(),
    }[form]
    header, claims = mint.header(alg="HS256"), mint.claims(roles=["admin"])
    signing_input = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    mac = hmac.digest(secret, signing_input.encode(), "sha256")

    assert_refused(mint.tokens, f"{signing_input}.{encoded(mac)}")


def test_a_stranger_who_uses_the_name_of_our_key_is_refused(mint: Mint) -> None:
    stranger = Mint()

    assert_refused(mint.tokens, stranger.token({"kid": mint.keys.current.kid}))
    assert_refused(mint.tokens, stranger.token())


def test_an_rsa_key_does_not_take_what_it_signed_under_another_name(mint: Mint) -> None:
    key = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
    keys = SigningKeys(mint.keys.current, [SigningKey.of(dict(key.as_dict(private=True, kid="rsa")))])
    both = tokens(mint.clock, keys)
    payload = json.dumps(mint.claims())

    good = jws.serialize_compact(mint.header(kid="rsa", alg="RS256"), payload, key, algorithms=["RS256"])
    other = jws.serialize_compact(mint.header(kid="rsa", alg="PS256"), payload, key, algorithms=["PS256"])

    assert_refused(both, other)
    assert both.verify(good).account_id == ACCOUNT.id


# Tokens differ from run to run, and nothing drawn may depend on one: a place counts around it.
@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
@settings(deadline=None)
@given(place=st.integers(0, 2_000), step=st.integers(1, len(MARKS) - 1))
def test_a_token_with_any_character_changed_is_refused(algorithm: str, place: int, step: int) -> None:
    mint = Mint(algorithm)
    token = mint.token()
    place %= len(token)
    other = MARKS[(MARKS.find(token[place]) + step) % len(MARKS)]

    assert_refused(mint.tokens, token[:place] + other + token[place + 1 :])


@given(st.text(max_size=200) | st.from_regex(r"\A[\w-]+\.[\w-]+\.[\w-]+\Z"))
def test_no_text_whatever_is_more_than_refused(text: str) -> None:
    assert_refused(tokens(Clock()), text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    st.sampled_from(["iss", "aud", "sub", "iat", "exp", "jti", "roles", "tier", "scope", "nbf"]),
)
def test_a_claim_of_any_shape_is_taken_or_refused_and_never_a_fault(value: Any, name: str) -> None:
    mint = Mint()
    try:
        caller = mint.tokens.verify(mint.token(**{name: value}))
    except Unauthenticated:
        return
    assert caller.account_id == ACCOUNT.id
    assert caller.roles <= {Role.VIEWER}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "cty", "zip"]),
)
def test_a_header_of_any_shape_is_refused_and_never_a_fault(value: Any, name: str) -> None:
    mint = Mint()
    header = mint.header(**{name: value})
    if header == mint.header():
        return

    assert_refused(mint.tokens, mint.signed(header, json.dumps(mint.claims()).encode()))


def test_a_huge_token_is_refused_before_it_is_looked_at(mint: Mint) -> None:
    seen = checked(mint)

    assert_refused(mint.tokens, mint.token(padding="x" * MAX_TOKEN_CHARACTERS))
    assert not seen
    assert mint.tokens.verify(mint.token(padding="x" * 1_000)).account_id == ACCOUNT.id
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("seconds", "holds"), [(LIFETIME_SECONDS + 59, True), (LIFETIME_SECONDS + 60, False)]
)
def test_a_token_lapses_a_minute_after_its_time(mint: Mint, seconds: int, holds: bool) -> None:  # noqa: FBT001
    token = mint.token()
    remembered = mint.token(jti="2")
    mint.tokens.verify(remembered)

    mint.clock.turn(seconds)

    if holds:
        assert mint.tokens.verify(token).account_id == ACCOUNT.id
        assert mint.tokens.verify(remembered).account_id == ACCOUNT.id
    else:
        with pytest.raises(Unauthenticated):
            mint.tokens.verify(remembered)
        assert_refused(mint.tokens, token)


def test_a_token_that_holds_longer_than_any_of_ours_is_refused(mint: Mint) -> None:
    now = int(mint.clock.seconds())

    assert_refused(mint.tokens, mint.token(exp=now + MAX_LIFETIME_SECONDS + 1))
    assert_refused(mint.tokens, mint.token(exp=now + 60, iat=now - MAX_LIFETIME_SECONDS))
    assert mint.tokens.verify(mint.token(exp=now + MAX_LIFETIME_SECONDS)).account_id == ACCOUNT.id


def test_clocks_may_differ_by_a_minute_and_no_more(mint: Mint) -> None:
    now = int(mint.clock.seconds())

    assert_refused(mint.tokens, mint.token(iat=now + 61))
    assert_refused(mint.tokens, mint.token(nbf=now + 61))
    assert mint.tokens.verify(mint.token(iat=now + 60, nbf=now + 60)).account_id == ACCOUNT.id


def test_roles_scopes_and_tiers_that_are_unknown_grant_nothing(mint: Mint) -> None:
    token = mint.token(roles=["viewer", "owner"], scope="read:content read:everything", tier="platinum")

    caller = mint.tokens.verify(token)

    assert caller.roles == {Role.VIEWER}
    assert caller.scopes == {Scope.READ_CONTENT}
    assert caller.tier is Tier.FREE


def test_a_token_without_scope_grants_nothing(mint: Mint) -> None:
    caller = mint.tokens.verify(mint.token(scope=DROPPED, roles=DROPPED))

    assert (caller.scopes, caller.roles) == (frozenset(), frozenset())


def test_tokens_of_the_previous_key_hold_until_it_is_dropped(mint: Mint) -> None:
    old = mint.token()
    following = SigningKey.of(new_key())
    overlapping = tokens(mint.clock, SigningKeys(following, [mint.keys.current]))
    afterwards = tokens(mint.clock, SigningKeys(following))

    new = overlapping.issue(ACCOUNT, SESSION).value

    assert_refused(afterwards, old)
    assert overlapping.verify(old).account_id == ACCOUNT.id
    assert afterwards.verify(new).account_id == ACCOUNT.id
    assert [jwk["kid"] for jwk in overlapping.keys.jwks()["keys"]] == [following.kid, mint.keys.current.kid]


def test_a_previous_key_may_be_public(mint: Mint) -> None:
    public = SigningKey.of(mint.keys.current.public_jwk)
    overlapping = tokens(mint.clock, SigningKeys(SigningKey.of(new_key()), [public]))

    assert overlapping.verify(mint.token()).account_id == ACCOUNT.id


def test_tokens_for_another_audience_of_the_same_issuer_are_refused(mint: Mint) -> None:
    other = Tokens(mint.keys, Issuer(ISSUER, "https://other.example", 900), mint.clock.now, new_id)

    assert_refused(mint.tokens, other.issue(ACCOUNT, SESSION).value)


def test_a_signature_is_checked_once_and_memory_is_bounded(
    mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "REMEMBERED_TOKENS", 3)
    seen = checked(mint)
    made = [mint.token(jti=str(number)) for number in range(4)]

    first = [mint.tokens.verify(token) for token in made[:3]]
    again = [mint.tokens.verify(token) for token in made[:3]]
    mint.tokens.verify(made[3])
    mint.tokens.verify(made[0])

    assert first == again
    assert len(seen) == 5
    assert len(mint.tokens._verified) == 3


def test_no_representation_shows_a_token(mint: Mint) -> None:
    token = mint.tokens.issue(ACCOUNT, SESSION)

    assert token.value not in repr(token)
