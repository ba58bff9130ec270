"""Cuts a stream of text into whole sentences, so that a guard judges before a person reads.

It judges nothing itself. A run-on text is cut at a space after ``LONGEST`` characters, so that
what is held back stays bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 400
# An end mark, closing marks and a space; a full-width end mark; or a line end.
_END = re.compile("[.!?\u2026][\"')\\]\u00bb\u201d\u2019*_]*\\s+|[\u3002\uff01\uff1f]|\\n+")


@dataclass(slots=True)
class Sentences:
    """What has been released (``said``) and what is held back (``rest``)."""

    said: str = ""
    rest: str = ""

    def push(self, piece: str) -> Iterator[str]:
        """Add a piece; yield each sentence that is now whole. Call `release` on each in turn."""
        self.rest += piece
        while (cut := self._cut()) > 0:
            yield self.rest[:cut]

    def release(self, sentence: str) -> None:
        """Move a sentence from held back to said."""
        self.said += sentence
        self.rest = self.rest[len(sentence) :]

    def _cut(self) -> int:
        found = _END.search(self.rest)
        if found:
            return found.end()
        if len(self.rest) > LONGEST:
            return self.rest.rfind(" ", 0, LONGEST) + 1 or LONGEST
        return 0
