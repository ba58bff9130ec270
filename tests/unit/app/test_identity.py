from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from befit.app.server.identity import authenticate, person_of
from befit.app.server.keys import Key, KeyStore
from befit.app.server.options import ServerOptions
from befit.core.errors import AuthenticationError, InputError, PermissionDeniedError
from befit.core.people import UserId

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "a secret of enough bytes for the algorithm"
SERVICE = Key(id="s", person=None, created=AT)
ANA = Key(id="a", person=UserId("ana"), created=AT)
PLAIN = ServerOptions()
SIGNED = ServerOptions(openwebui_secret=SECRET)

ORDER: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"x-litellm-customer-id": "who"}, {}),
    ({"x-litellm-end-user-id": "who"}, {}),
    ({"x-openwebui-user-id": "who"}, {}),
    ({}, {"user": "who"}),
    ({}, {"litellm_metadata": {"user": "who"}}),
    ({}, {"metadata": {"user_id": "who"}}),
    ({}, {"safety_identifier": "who"}),
]


def token(**claims: object) -> str:
    now = AT.timestamp()
    return jwt.encode(
        {"sub": "who", "iss": "open-webui", "iat": now, "exp": now + 60} | claims, SECRET
    )


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_sources_are_believed_in_the_usual_order(first: int) -> None:
    headers, body = (dict(part) for part in ORDER[first])
    for later_headers, later_body in ORDER[first + 1 :]:
        headers |= dict.fromkeys(later_headers, "later")
        for k, v in later_body.items():
            body |= {k: "later" if isinstance(v, str) else dict.fromkeys(v, "later")}
    assert person_of(SERVICE, headers, body, PLAIN, AT) == "who"


def test_a_service_key_that_names_nobody_acts_for_nobody() -> None:
    assert person_of(SERVICE, {}, {"metadata": {}}, PLAIN, AT) is None


@pytest.mark.parametrize(("headers", "body"), ORDER)
def test_a_personal_key_acts_for_its_person_alone(
    headers: dict[str, str], body: dict[str, Any]
) -> None:
    with pytest.raises(PermissionDeniedError):
        person_of(ANA, headers, body, PLAIN, AT)
    assert person_of(ANA, {}, {"user": " ana "}, PLAIN, AT) == "ana"
    assert person_of(ANA, {}, {}, PLAIN, AT) == "ana"


@pytest.mark.parametrize("value", ["", "  ", [], ["who"], {"id": 1}, True, "a\tb", "x" * 300])
def test_senseless_names_are_refused(value: object) -> None:
    with pytest.raises(InputError) as caught:
        person_of(SERVICE, {}, {"user": value}, PLAIN, AT)
    assert caught.value.field == "user"


def test_numbers_are_names_and_spaces_around_them_are_not() -> None:
    assert person_of(SERVICE, {}, {"user": 42}, PLAIN, AT) == "42"
    assert person_of(SERVICE, {"x-openwebui-user-id": "%20J%C3%B3%20"}, {}, PLAIN, AT) == "Jó"


def test_with_a_secret_the_signed_header_counts_and_the_plain_one_not() -> None:
    plain = {"x-openwebui-user-id": "mallory"}
    assert person_of(SERVICE, plain, {}, SIGNED, AT) is None
    signed = plain | {"x-openwebui-user-jwt": token()}
    assert person_of(SERVICE, signed, {}, SIGNED, AT) == "who"
    assert person_of(SERVICE, {"x-openwebui-user-jwt": token()}, {}, PLAIN, AT) is None


@pytest.mark.parametrize(
    "bad",
    [
        token(exp=AT.timestamp() - 6),
        token(exp=AT.timestamp() + 306),
        token(exp="soon"),
        token(iss="somebody"),
        jwt.encode({"iss": "open-webui", "exp": AT.timestamp() + 60}, SECRET),
        jwt.encode({"sub": "who", "iss": "open-webui"}, SECRET),
        jwt.encode({"sub": "who", "iss": "open-webui", "exp": AT.timestamp() + 60}, SECRET[::-1]),
        jwt.encode(
            {"sub": "who", "iss": "open-webui", "exp": AT.timestamp() + 60}, "", algorithm="none"
        ),
        "nonsense",
        "",
    ],
)
def test_a_signature_that_does_not_hold_is_no_identity(bad: str) -> None:
    with pytest.raises(AuthenticationError):
        person_of(SERVICE, {"x-openwebui-user-jwt": bad}, {"user": "who"}, SIGNED, AT)


def test_two_clocks_may_differ_by_seconds() -> None:
    late = AT + timedelta(seconds=64)
    assert person_of(SERVICE, {"x-openwebui-user-jwt": token()}, {}, SIGNED, late) == "who"


def test_a_key_is_read_from_the_usual_headers(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys.db")
    plaintext = keys.create(UserId("ana"), AT)
    for headers in (
        {"authorization": f"Bearer {plaintext}"},
        {"authorization": f"bearer  {plaintext}"},
        {"api-key": plaintext},
        {"x-api-key": plaintext},
    ):
        assert authenticate(headers, keys).person == "ana"
    for wrong in ({}, {"authorization": plaintext}, {"authorization": "Bearer sk-befit-x"}):
        with pytest.raises(AuthenticationError):
            authenticate(wrong, keys)
    keys.close()
