"""One server that speaks the OpenAI API: requests with our key, and every failure as Unavailable with its next step.

Proxy settings of the environment are ignored: a bank's texts go to the stated address and nowhere else.
A connection is not reused: llama.cpp's server closes some after a stream although it promised to keep them.
Knows nothing about what is asked.
"""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from openteller.core.errors import OpenTellerError, Unavailable
from openteller.runtime import chat

_ERROR_BYTES = 8_192


class Endpoint:
    """One model server: requests with our key, and its failures as Unavailable. Safe to share between threads.

    Args:
        base_url: the API's root, such as ``http://localhost:8000/v1``.
        api_key: sent as bearer token; None sends none. It is in no message.
        timeout: seconds to connect, and to wait for the next piece.
        client: an httpx client with the bank's own certificates; by default one with the system's.
        setting: the setting that holds the address, named when nobody answers there.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        timeout: float,
        client: httpx.Client | None,
        setting: str = "OPENTELLER_LLM_URL",
    ) -> None:
        self._setting = setting
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._client = client or httpx.Client(trust_env=False, verify=ssl.create_default_context())
        self._headers = {"Connection": "close"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})

    @contextmanager
    def post(self, path: str, **content: Any) -> Iterator[httpx.Response]:
        """An open, successful response; the transport's errors inside the block become Unavailable.

        Args:
            path: below the root.
            content: what httpx sends: `json`, or `data` and `files`.
        """
        url = f"{self.base_url}{path}"
        try:
            with self._client.stream("POST", url, headers=self._headers, timeout=self.timeout, **content) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._refusal(response)
                yield response
        except httpx.TimeoutException as error:
            raise self.silent() from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def silent(self) -> Unavailable:
        """The error for a server that says nothing."""
        return Unavailable(
            f"The model server at {self.base_url} gave nothing for {self.timeout:g} s.",
            cause="It is overloaded or still loading its model.",
            next_step="Ask again later, or raise the timeout.",
        )

    def malformed(self, reason: str) -> Unavailable:
        """The error for an answer that is none."""
        return Unavailable(
            f"The model server at {self.base_url} sent an answer that cannot be read.",
            cause=f"It is not OpenAI-compatible, or broke off ({reason}).",
            next_step="Check that the address ends in the API's root, such as http://host:8000/v1.",
        )

    def _unreachable(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"The model server at {self.base_url} does not answer.",
            cause=f"It is not running, or the address is wrong ({error}).",
            next_step=f"Start the server, or correct {self._setting}.",
        )

    def _refusal(self, response: httpx.Response) -> OpenTellerError:
        error = _error_of(response)
        status = response.status_code
        if status in (401, 403):
            return Unavailable(
                f"The model server at {self.base_url} refused us ({status}).",
                cause="The API key is missing, wrong or has expired.",
                next_step="Set the key of that server.",
            )
        if status == 429:
            return Unavailable(
                f"The model server at {self.base_url} is busy ({status}).",
                cause="It limits how much it takes at once.",
                next_step="Ask again later.",
            )
        return chat.failure(error, f"The model server at {self.base_url} ({status})")


def _error_of(response: httpx.Response) -> object:
    data = b""
    for block in response.iter_bytes():
        data += block
        if len(data) > _ERROR_BYTES:
            break
    try:
        parsed = json.loads(data)
    except ValueError:
        return data[:200].decode("utf-8", "replace")
    return parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
