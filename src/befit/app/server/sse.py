"""Server-sent events: bytes in any cut to events, and events to bytes. Knows nothing of models."""

from dataclasses import dataclass, field

import msgspec

DONE = b"[DONE]"
LONGEST_EVENT = 4_000_000  # bytes; a longer one is no event of a chat


@dataclass(slots=True)
class Events:
    """Collects bytes and gives the data of every event that is complete.

    Source: WHATWG HTML, "Server-sent events", section 9.2.6 (``data`` fields alone are kept).
    """

    _rest: bytes = b""
    _data: list[bytes] = field(default_factory=list)

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that ``piece`` completes, in order.

        Raises:
            ValueError: An event has no end.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST_EVENT or sum(map(len, self._data)) > LONGEST_EVENT:
            raise ValueError("an event has no end")
        events = []
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        return events


def event(data: object) -> bytes:
    """One event with ``data`` as JSON."""
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


END = b"data: " + DONE + b"\n\n"
