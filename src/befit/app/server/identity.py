"""Who is asking: the key says who may, and a service key may say for whom.

A person's id is the same string wherever it comes from: the key, a header, the body, the CLI.
Everything that a caller says of the person is refused under a personal key unless it is the same.

Source: the order of LiteLLM's end-user resolution; Open WebUI's signed user header.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import jwt

from befit.app.server.keys import Key, KeyStore, check_id
from befit.app.server.options import ServerOptions
from befit.core.errors import AuthenticationError, InputError, PermissionDeniedError
from befit.core.people import UserId

CUSTOMER_HEADERS = ("x-litellm-customer-id", "x-litellm-end-user-id")
JWT_HEADER = "x-openwebui-user-jwt"
JWT_ISSUER = "open-webui"
JWT_LIFETIME = 300.0  # seconds
JWT_LEEWAY = 5.0  # seconds that two clocks may differ

Headers = Mapping[str, str]
Body = Mapping[str, Any]


def authenticate(headers: Headers, keys: KeyStore) -> Key:
    """The key of a request: ``Authorization: Bearer``, ``api-key`` or ``x-api-key``.

    Raises:
        AuthenticationError: There is none, or it is wrong.
    """
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else ""
    given = given or headers.get("api-key", "") or headers.get("x-api-key", "")
    if not given:
        raise AuthenticationError(
            "no API key was given", hint="send Authorization: Bearer sk-befit-..."
        )
    key = keys.find(given)
    if key is None:
        raise AuthenticationError(
            "the API key is not known here", hint="make one with: befit key create PERSON"
        )
    return key


def person_of(
    key: Key, headers: Headers, body: Body, options: ServerOptions, at: datetime
) -> UserId | None:
    """The person a request is for; None where a service key names nobody.

    Raises:
        PermissionDeniedError: A personal key names somebody else.
        AuthenticationError: Open WebUI's signed header does not hold.
        InputError: The name makes no sense.
    """
    named = next(_named(headers, body, options, at), None)
    if key.person is None or named is None:
        return key.person if named is None else named
    if named != key.person:
        raise PermissionDeniedError(
            "this key is bound to one person and may not act for another",
            hint="leave the user out, or use a service key: befit key create --service",
            field="user",
        )
    return key.person


def _named(headers: Headers, body: Body, options: ServerOptions, at: datetime) -> Iterator[UserId]:
    """Whom the request names, most trusted source first."""
    for name in CUSTOMER_HEADERS:
        if name in headers:
            yield _clean(headers[name], name)
    if options.openwebui_secret:
        if JWT_HEADER in headers:
            yield _clean(_verified(headers[JWT_HEADER], options.openwebui_secret, at), JWT_HEADER)
    else:
        for name in options.user_headers:
            if name in headers:
                yield _clean(unquote(headers[name]), name)
    for place, value in (
        ("user", body.get("user")),
        ("litellm_metadata.user", _inside(body, "litellm_metadata", "user")),
        ("metadata.user_id", _inside(body, "metadata", "user_id")),
        ("safety_identifier", body.get("safety_identifier")),
    ):
        if value is not None:
            yield _clean(value, place)


def _inside(body: Body, outer: str, inner: str) -> object:
    table = body.get(outer)
    return table.get(inner) if isinstance(table, Mapping) else None


def _clean(value: object, place: str) -> UserId:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InputError(
            f"{place} names a person by a string or a number, not by {type(value).__name__}",
            hint="send an opaque id",
            field=place,
        )
    try:
        return check_id(str(value))
    except InputError as error:
        raise InputError(str(error), hint=error.hint, field=place) from error


def _verified(token: str, secret: str, at: datetime) -> object:
    """The subject of a token that Open WebUI signed and that is fresh at ``at``."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            issuer=JWT_ISSUER,
            options={
                "require": ["exp", "iss", "sub"],
                "verify_exp": False,  # checked below, at the request's own time
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            },
        )
    except jwt.PyJWTError as error:
        raise AuthenticationError(
            f"the signed user does not hold: {error}",
            hint="give Open WebUI and befit the same secret",
            field=JWT_HEADER,
        ) from error
    left = _number(claims["exp"]) - at.timestamp()
    if not -JWT_LEEWAY <= left <= JWT_LIFETIME + JWT_LEEWAY:
        raise AuthenticationError(
            "the signed user is out of date", hint="check both clocks", field=JWT_HEADER
        )
    return claims["sub"]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
