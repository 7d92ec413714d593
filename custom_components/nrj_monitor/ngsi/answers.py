"""Bodies of answers: read and decoded within bounds, whatever a server sends."""

import json
from typing import Any, Final

import aiohttp

ANSWER_LIMIT: Final = 1024 * 1024
"""Bytes of an answer that are read and decoded: some 20 ms of the event loop. The longest
of a broker are a page of a thousand subscriptions and the times of a batch."""

TOKEN_LIMIT: Final = 64 * 1024
"""Bytes of a token server's answer; tokens with claims are some kilobytes."""

NOT_COMPRESSED: Final = {"Accept-Encoding": "identity"}
"""Header of every request: a compressed answer may be a thousand times as long as it is
on its way, and is not decoded."""


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """Return the body of an answer, None for one beyond `limit` bytes or compressed."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        return None
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            # What is still to come is not waited for.
            response.close()
            return None
    return bytes(body)


def decoded(body: bytes | None) -> Any:
    """Return a JSON body; raises ValueError for none, or one nested beyond measure."""
    if body is None:
        raise ValueError("The answer is too long")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("The answer is nested too deeply") from error


def member(value: Any, *path: str) -> Any:
    """Return what is at a path of keys in a decoded value, None where there is nothing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def items(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a decoded list, none for anything else."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]
