"""What a text is recognised by when it comes again, without keeping what it was.

Nobody reads the text from it; who has the text can tell that it was met. Learns nothing.
"""

from functools import lru_cache
from hashlib import blake2b

DIGEST_BYTES = 8


@lru_cache(maxsize=4096)
def digest(text: str) -> str:
    """What a text is recognised by: 16 hexadecimal digits, that tell nobody what the text was."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
