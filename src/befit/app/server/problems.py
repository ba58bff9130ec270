"""The one table from befit's errors to HTTP, in OpenAI's shape, and back again for the client.

``{"error": {"message", "type", "param", "code"}}``; ``code`` is stable and names the error class.
Needs the standard library alone, so that the client can read it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from befit.core.errors import (
    AuthenticationError,
    BefitError,
    ConfigError,
    CorruptStoreError,
    FullStoreError,
    InputError,
    InvalidFeedbackError,
    InvalidImportError,
    InvalidPromptError,
    MissingExtraError,
    ModelBusyError,
    ModelError,
    ModelFileError,
    ModelRejectedError,
    ModelUnavailableError,
    PermissionDeniedError,
    ReadOnlyStoreError,
    StoreError,
    UnknownResponseError,
    UnknownUserError,
    UserError,
)

INVALID = "invalid_request_error"
NOT_FOUND = "not_found_error"
SERVER = "server_error"


class NotFoundError(InputError):
    """There is nothing at that address."""


class MethodNotAllowedError(InputError):
    """The address exists, but not for that method."""


class BodyTooLargeError(InputError):
    """The request's body is larger than the server takes."""


class MediaTypeError(InputError):
    """The request's body is not JSON."""


class UpstreamRefusedError(ModelRejectedError):
    """The upstream answered with an error, which is passed on as it came.

    Attributes:
        headers: What goes on with it: its media type, ``Retry-After``, rate limits.
    """

    headers: tuple[tuple[str, str], ...] = ()


class Problem(NamedTuple):
    """What an error is over HTTP."""

    status: int
    type: str
    code: str


TABLE: dict[type[BefitError], Problem] = {
    AuthenticationError: Problem(401, "authentication_error", "invalid_api_key"),
    PermissionDeniedError: Problem(403, "permission_error", "permission_denied"),
    UnknownUserError: Problem(404, NOT_FOUND, "unknown_user"),
    UnknownResponseError: Problem(404, NOT_FOUND, "unknown_response"),
    UserError: Problem(400, INVALID, "user_error"),
    NotFoundError: Problem(404, NOT_FOUND, "not_found"),
    MethodNotAllowedError: Problem(405, INVALID, "method_not_allowed"),
    BodyTooLargeError: Problem(413, INVALID, "body_too_large"),
    MediaTypeError: Problem(415, INVALID, "unsupported_media_type"),
    InvalidPromptError: Problem(400, INVALID, "invalid_prompt"),
    InvalidFeedbackError: Problem(400, INVALID, "invalid_feedback"),
    InvalidImportError: Problem(400, INVALID, "invalid_import"),
    InputError: Problem(400, INVALID, "invalid_request"),
    ModelBusyError: Problem(429, "rate_limit_error", "model_busy"),
    ModelUnavailableError: Problem(503, SERVER, "model_unavailable"),
    ModelRejectedError: Problem(400, INVALID, "model_rejected"),
    ModelFileError: Problem(500, SERVER, "model_file"),
    ModelError: Problem(502, SERVER, "model_error"),
    ReadOnlyStoreError: Problem(503, SERVER, "store_read_only"),
    FullStoreError: Problem(503, SERVER, "store_full"),
    CorruptStoreError: Problem(503, SERVER, "store_corrupt"),
    StoreError: Problem(503, SERVER, "store_unavailable"),
    MissingExtraError: Problem(500, SERVER, "missing_extra"),
    ConfigError: Problem(500, SERVER, "configuration"),
    BefitError: Problem(500, SERVER, "server_error"),
}
_BY_CODE = {problem.code: error for error, problem in TABLE.items()}
_BY_STATUS = {401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError}


def problem_of(error: BefitError) -> Problem:
    """The row of the nearest class in the error's ancestry."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def error_body(error: BefitError) -> dict[str, Any]:
    """The error in OpenAI's shape; the way out is part of the message."""
    problem = problem_of(error)
    message = f"{error}; {error.hint}" if error.hint else str(error)
    return {
        "error": {
            "message": message,
            "type": problem.type,
            "param": error.field or None,
            "code": problem.code,
        }
    }


def error_from(status: int, body: object) -> BefitError:
    """The typed error that a response's status and decoded body stand for."""
    inner = body.get("error") if isinstance(body, Mapping) else None
    inner = inner if isinstance(inner, Mapping) else {}
    message = str(inner.get("message") or f"the server answered {status}")
    param = str(inner.get("param") or "")
    kind = _BY_CODE.get(str(inner.get("code")))
    if kind is not None:
        return kind(message, field=param)
    if status in _BY_STATUS:
        return _BY_STATUS[status](message, field=param)
    if status == 429 or status >= 500:
        return ModelUnavailableError(message, field=param, hint="try again later")
    return ModelRejectedError(message, field=param, status=status, body=str(body))
