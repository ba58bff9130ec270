"""A load of paced streams on one gateway, in a process of its own: its CPU counts for nobody.

Each line on standard input is an order (JSON); each line on standard output says what came of it.
"""

import asyncio
import json
import sys
from time import perf_counter
from typing import Any

import uvloop

END = b"\r\n0\r\n\r\n"
LONGEST_HEAD = 65_536


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Send ``users`` requests over ``connections`` connections; every one must succeed."""
    requests = iter([_request(order, user) for user in order["users"]])
    waits: list[float] = []
    heads: list[bytes] = []
    began = perf_counter()
    async with asyncio.timeout(order["limit_s"]), asyncio.TaskGroup() as group:
        for _ in range(order["connections"]):
            group.create_task(_worker(order["port"], requests, waits, heads))
    waits.sort()
    return {
        "requests": len(waits),
        "seconds": perf_counter() - began,
        "p50_ms": 1e3 * waits[len(waits) // 2],
        "p99_ms": 1e3 * waits[int(0.99 * (len(waits) - 1))],
        "marked": sum(order["mark"].encode() in head for head in heads) if order["mark"] else 0,
    }


async def _worker(port: int, requests: Any, waits: list[float], heads: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        began = perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"refused: {head!r} {await reader.read(2000)!r}")
        said = await reader.readuntil(END)
        if b"data: [DONE]" not in said:
            raise RuntimeError(f"cut: {said[-500:]!r}")
        waits.append(perf_counter() - began)
        heads.append(head.lower())
    writer.close()


def _request(order: dict[str, Any], user: str) -> bytes:
    body = {
        "model": "paced",
        "stream": True,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant. " * 20},
            {"role": "user", "content": order["prompt"]},
        ],
        "user": user,
    }
    data = json.dumps(body).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in order["headers"].items())
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n{head}"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    ).encode() + data


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
