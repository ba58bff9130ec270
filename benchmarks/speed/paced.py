"""A stand-in for a language model's server: 20 chunks of an answer, 2 ms apart. Its own process.

``python paced.py`` prints the port it listens on and serves until its standard input closes.
"""

import asyncio
import json
import sys

import uvloop

CHUNKS = 20
PACE_S = 0.002
ANSWER = (
    "A plan helps. Start with the part that you know best. Then write down what is open, and ask"
    " one person who has done it before. Keep it short. Look again tomorrow and mend the rest."
)


def chunks() -> list[bytes]:
    """The stream's pieces as they go over the wire."""
    words = ANSWER.split(" ")
    share = -(-len(words) // CHUNKS)
    pieces = [" ".join(words[i : i + share]) + " " for i in range(0, len(words), share)]
    pieces += [""] * (CHUNKS - len(pieces))
    events = [_event({"content": piece}) for piece in pieces]
    return [*events[:-1], events[-1] + _event({}, "stop") + _framed(b"data: [DONE]\n\n")]


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 1, "model": "paced",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip
    return _framed(b"data: " + json.dumps(body).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODELS = json.dumps({"object": "list", "data": [{"id": "paced", "object": "model"}]}).encode()
LISTED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    + str(len(MODELS)).encode() + b"\r\n\r\n" + MODELS
)  # fmt: skip
PIECES = chunks()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after another."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET"):
                writer.write(LISTED)
                continue
            await reader.readexactly(_length(head))
            writer.write(HEAD)
            for piece in PIECES:
                await asyncio.sleep(PACE_S)
                writer.write(piece)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return int(next(line[15:] for line in lines if line.startswith(b"content-length:")))


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
