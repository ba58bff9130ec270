"""One authenticated request, as every handler gets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from befit.app.server.respond import Request
from befit.core.errors import InputError
from befit.core.people import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Who asks for what.

    Attributes:
        request: The head.
        body: The decoded body; empty where the method has none.
        user: The person; None where a service key named nobody.
        at: When it came in, UTC.
        rest: What follows the route's own path: an id.
    """

    request: Request
    body: Mapping[str, Any]
    user: UserId | None
    at: datetime
    rest: str = ""

    @property
    def person(self) -> UserId:
        """The person.

        Raises:
            InputError: A service key named nobody.
        """
        if self.user is None:
            raise InputError(
                "the request names nobody",
                hint="with a service key, name the person in x-litellm-end-user-id",
                field="user",
            )
        return self.user

    def text(self, name: str, default: str | None = None) -> str:
        """A string of the body.

        Raises:
            InputError: It is absent, with no default, or is something else.
        """
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise InputError(f"{name} is a string", hint=f'send "{name}": "..."', field=name)
        return value

    def number(self, name: str) -> float:
        """A number of the body.

        Raises:
            InputError: It is absent or something else.
        """
        value = self.body.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"{name} is a number", hint=f'send "{name}": 1.0', field=name)
        try:
            return float(value)
        except OverflowError as error:
            raise InputError(f"{name} is too large", hint="send less", field=name) from error
