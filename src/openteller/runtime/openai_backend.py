"""Speaks the OpenAI API to a model server: vLLM, SGLang, Ollama, llama.cpp, or a hosted one.

Formats: Chat Completions streamed as server-sent events (WHATWG HTML §9.2), and Embeddings with float vectors.

Knows nothing about prompts. Does not break up control tokens in the text, as it cannot know the model's: configure the
server to treat message contents as plain text.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence

import httpx
import numpy as np

from openteller.runtime import chat
from openteller.runtime.openai_endpoint import Endpoint
from openteller.runtime.protocols import Floats, Message, TextKind

_DONE = "[DONE]"


class OpenAIGenerator:
    """A TextGenerator over an OpenAI-compatible server. Safe to share between threads.

    Args:
        base_url: the API's root, such as ``http://localhost:8000/v1``.
        model: the model's name at that server.
        api_key: sent as bearer token; None sends none.
        timeout: seconds to connect, and to wait for the next piece.
        extra: further fields of the request, such as ``{"chat_template_kwargs": {"enable_thinking": False}}``.
        client: an httpx client with the bank's own certificates; by default one with the system's.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        timeout: float = 60.0,
        *,
        extra: Mapping[str, object] | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        self._endpoint = Endpoint(base_url, api_key, timeout, client)
        self._model = model
        self._extra = dict(extra or {})

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int = 256, temperature: float = 0.0
    ) -> Iterator[str]:
        """Yield the answer in pieces; closing the iterator closes the connection, which stops the server.

        Raises:
            BadInput: the request cannot be used.
            TooLarge: the chat does not fit the model's context.
            Unavailable: the server is not there, refuses, is silent past the timeout, or breaks off.
        """
        chat.check(messages, max_tokens, temperature)
        body = {
            "model": self._model,
            "messages": chat.wire(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        with self._endpoint.post("/chat/completions", json=body | self._extra) as response:
            yield from self._pieces(response)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def _pieces(self, response: httpx.Response) -> Iterator[str]:
        ended = False
        for data in self._events(response):
            if data == _DONE:
                return
            choice = self._choice(data)
            piece = chat.piece_of(choice)
            if piece:
                yield piece
            ended = ended or choice.get("finish_reason") is not None
        if not ended:
            raise self._endpoint.malformed("the stream ended before the answer did")

    def _events(self, response: httpx.Response) -> Iterator[str]:
        """The data of each event. Comments keep a connection alive, and do not count as an answer."""
        heard = time.monotonic()
        for line in response.iter_lines():
            field, _, value = line.partition(":")
            if field == "data":
                yield value.removeprefix(" ")
                heard = time.monotonic()
            elif field == "error":
                yield json.dumps({"error": value.strip()})
            elif time.monotonic() - heard > self._endpoint.timeout:
                raise self._endpoint.silent()

    def _choice(self, data: str) -> Mapping[str, object]:
        try:
            chunk = json.loads(data)
            if not isinstance(chunk, dict):
                raise ValueError("an event that is not an object")
            if "error" in chunk:
                raise chat.failure(chunk["error"], f"The model server at {self._endpoint.base_url}")
            choice = chat.first_choice(chunk)
            chat.piece_of(choice)
        except ValueError as error:
            raise self._endpoint.malformed(str(error)) from error
        return choice


class OpenAIEmbedder:
    """An Embedder over an OpenAI-compatible server. Safe to share between threads.

    Args:
        base_url: the API's root.
        model: the model's name at that server.
        dimension: the length of its vectors, checked on every answer.
        api_key: sent as bearer token; None sends none.
        timeout: seconds to connect, and to wait for an answer.
        prefixes: what the model wants before a text of each kind, such as ``{"query": "query: "}`` for E5.
        max_characters: longer texts are cut, as servers refuse what does not fit their window.
        batch: texts a request.
        client: an httpx client of the caller's.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        dimension: int,
        api_key: str | None = None,
        timeout: float = 60.0,
        *,
        prefixes: Mapping[TextKind, str] | None = None,
        max_characters: int = 2_000,
        batch: int = 64,
        client: httpx.Client | None = None,
    ) -> None:
        self.dimension = dimension
        self._endpoint = Endpoint(base_url, api_key, timeout, client)
        self._model = model
        self._prefixes = dict(prefixes or {})
        self._max_characters = max_characters
        self._batch = batch

    def embed(self, texts: Sequence[str], kind: TextKind) -> Floats:
        """(n, dimension) float32, L2-normalised. Raises Unavailable when the server does not give just that."""
        prefix = self._prefixes.get(kind, "")
        # Servers refuse an empty text; a space is the least that all take.
        ready = [prefix + (text[: self._max_characters].strip() or " ") for text in texts]
        parts = [self._request(ready[i : i + self._batch]) for i in range(0, len(ready), self._batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()

    def _request(self, texts: list[str]) -> Floats:
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        with self._endpoint.post("/embeddings", json=body) as response:
            data = response.read()
        try:
            rows = sorted(json.loads(data)["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise self._endpoint.malformed(f"not a list of embeddings: {error}") from error
        return self._checked(vectors, (len(texts), self.dimension))

    def _checked(self, vectors: Floats, shape: tuple[int, int]) -> Floats:
        if vectors.shape != shape:
            raise self._endpoint.malformed(f"vectors of shape {vectors.shape} where {shape} were due")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise self._endpoint.malformed("a vector is zero or not finite")
        normalised: Floats = (vectors / lengths).astype(np.float32)
        return normalised
