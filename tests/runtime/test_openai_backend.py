"""The OpenAI API: against llama.cpp's real server, and against a loopback server that misbehaves in every known way."""

import json
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Event

import numpy as np
import pytest

from openteller.core.errors import BadInput, OpenTellerError, TooLarge, Unavailable
from openteller.runtime.openai_backend import OpenAIEmbedder, OpenAIGenerator
from openteller.runtime.protocols import Message
from tests.runtime.engines import KEY, model_server
from tests.runtime.loopback import Play, reply, serve, stream

ASK = [Message("user", "Is the sky blue?")]
END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
DONE = "data: [DONE]"


def _event(content: str | None, **more: object) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": content} | more}]})


def _answer(play: Play, timeout: float = 5.0) -> str:
    with serve(play) as server:
        return "".join(OpenAIGenerator(f"{server.url}/v1", "m", timeout=timeout).generate(ASK))


def _error(play: Play, timeout: float = 5.0) -> OpenTellerError:
    with pytest.raises(OpenTellerError) as caught:
        _answer(play, timeout)
    assert caught.value.cause
    assert caught.value.next_step
    return caught.value


@pytest.fixture(scope="module")
def real_server() -> Iterator[str]:
    with model_server() as url:
        yield url


def test_the_real_server_streams(real_server: str) -> None:
    pieces = list(OpenAIGenerator(real_server, "smollm2", KEY).generate(ASK, max_tokens=6))
    assert len(pieces) > 1


def test_the_real_server_refuses_a_wrong_key(real_server: str) -> None:
    with pytest.raises(Unavailable, match="401") as caught:
        list(OpenAIGenerator(real_server, "smollm2", "wrong-key").generate(ASK))
    assert "wrong-key" not in str(caught.value)


def test_the_real_server_says_that_the_context_is_full(real_server: str) -> None:
    with pytest.raises(TooLarge, match="longer"):
        list(OpenAIGenerator(real_server, "smollm2", KEY).generate([Message("user", "word " * 5000)]))


def test_further_fields_reach_the_real_server(real_server: str) -> None:
    grammar = {"grammar": 'root ::= "billing" | "card-lost"'}
    generator = OpenAIGenerator(real_server, "smollm2", KEY, extra=grammar)
    assert "".join(generator.generate(ASK)) in ("billing", "card-lost")


def test_a_closed_iterator_frees_the_real_server(real_server: str) -> None:
    generator = OpenAIGenerator(real_server, "smollm2", KEY)
    pieces = generator.generate([Message("user", "Write a long story about a bank.")], max_tokens=1000)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    started = time.monotonic()
    assert list(generator.generate(ASK, max_tokens=2))
    assert time.monotonic() - started < 8, "the server went on with the abandoned answer"


def test_the_request_is_as_recorded() -> None:
    with serve(stream(_event("hi"), END, DONE)) as server:
        generator = OpenAIGenerator(f"{server.url}/v1/", "qwen", "secret", extra={"top_p": 0.5})
        messages = [Message("system", "s"), Message("user", "你好")]
        assert list(generator.generate(messages, max_tokens=7, temperature=0.3)) == ["hi"]
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert body == {
        "model": "qwen",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "你好"}],
        "max_tokens": 7,
        "temperature": 0.3,
        "stream": True,
        "top_p": 0.5,
    }


def test_without_key_no_authorization_is_sent() -> None:
    with serve(stream(_event("hi"), END, DONE)) as server:
        list(OpenAIGenerator(server.url, "m").generate(ASK))
    assert "Authorization" not in server.requests[0][1]


def test_comments_roles_reasoning_and_usage_are_not_text() -> None:
    usage = 'data: {"choices":[],"usage":{"total_tokens":3}}'
    lines = (": ping", "event: message", _event(None, role="assistant"), _event(None, reasoning_content="hmm"))
    assert _answer(stream(*lines, _event("天"), "", _event("空"), END, usage, DONE)) == "天空"


def test_a_stream_may_end_without_done_after_its_finish_reason() -> None:
    assert _answer(stream(_event("hi"), END)) == "hi"


@pytest.mark.parametrize(
    "lines",
    [
        (_event("half an answer"),),
        ("data: {not json",),
        ("data: 17",),
        ('data: {"choices": 3}',),
        ('data: {"choices": ["x"]}',),
        ('data: {"choices":[{"delta":{"content":{"a":1}}}]}',),
        ("<html>a proxy's page</html>",),
    ],
    ids=["cut", "not JSON", "a number", "choices", "choice", "content", "a page"],
)
def test_a_malformed_stream_is_unavailable(lines: tuple[str, ...]) -> None:
    assert "cannot be read" in _error(stream(*lines)).message


@pytest.mark.parametrize(
    "line", ['data: {"error":{"message":"out of memory","code":500}}', 'error: {"message":"out of memory"}']
)
def test_an_error_inside_the_stream_is_unavailable(line: str) -> None:
    error = _error(stream(_event("par"), line))
    assert isinstance(error, Unavailable)
    assert "out of memory" in error.cause


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"error":{"message":"no"}}', "refused us"),
        (403, b"", "refused us"),
        (404, b'{"error":{"message":"model m does not exist"}}', "model m does not exist"),
        (429, b"", "busy"),
        (500, b"<html>" + b"x" * 100_000, "(500)"),
        (503, b'{"error":"loading"}', "loading"),
        (301, b"", "(301)"),
    ],
)
def test_a_refused_request_is_unavailable(status: int, body: bytes, expected: str) -> None:
    error = _error(reply(status, body))
    assert isinstance(error, Unavailable)
    assert expected in str(error)
    assert len(str(error)) < 700


def test_vllms_word_for_a_full_context_is_too_large() -> None:
    body = {"message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError", "code": 400}
    assert isinstance(_error(reply(400, json.dumps({"error": body}).encode())), TooLarge)


def test_nobody_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="does not answer"):
        list(OpenAIGenerator(f"http://127.0.0.1:{port}/v1", "m").generate(ASK))


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/v1", "http://[::1"])
def test_an_address_that_is_none_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable, match="OPENTELLER_LLM_URL"):
        list(OpenAIGenerator(url, "m").generate(ASK))


def test_silence_past_the_timeout_is_unavailable() -> None:
    over = Event()

    def play(handler: BaseHTTPRequestHandler) -> None:
        over.wait(5)

    with serve(play) as server:
        with pytest.raises(Unavailable, match="gave nothing"):
            list(OpenAIGenerator(server.url, "m", timeout=0.2).generate(ASK))
        over.set()


def test_pings_alone_do_not_count_as_an_answer() -> None:
    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(60):
            try:
                handler.wfile.write(b": ping\n\n")
            except OSError:
                return
            time.sleep(0.05)

    started = time.monotonic()
    assert "gave nothing" in _error(play, timeout=0.3).message
    assert time.monotonic() - started < 2


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    assert _answer(stream(_event("direct"), END, DONE)) == "direct"


def test_bad_input_is_refused_before_anything_is_sent() -> None:
    with serve(stream(DONE)) as server, pytest.raises(BadInput):
        list(OpenAIGenerator(server.url, "m").generate(ASK, max_tokens=0))
    assert server.requests == []


def _embeddings(*rows: tuple[int, list[float]]) -> Play:
    return reply(200, json.dumps({"data": [{"index": i, "embedding": vector} for i, vector in rows]}).encode())


def test_embeddings_are_put_in_order_and_normalised() -> None:
    with serve(_embeddings((1, [0.0, 2.0]), (0, [3.0, 4.0]))) as server:
        vectors = OpenAIEmbedder(server.url, "e5", 2, prefixes={"query": "query: "}).embed(["a", "b"], "query")
    assert np.allclose(vectors, [[0.6, 0.8], [0.0, 1.0]])
    assert server.requests[0][0] == "/embeddings"
    assert server.requests[0][2]["input"] == ["query: a", "query: b"]


def test_texts_are_cut_and_sent_in_batches() -> None:
    with serve(_embeddings((0, [1.0, 0.0]))) as server:
        OpenAIEmbedder(server.url, "e5", 2, batch=1, max_characters=3).embed(["abcdef", ""], "passage")
    assert [request[2]["input"] for request in server.requests] == [["abc"], [" "]]


@pytest.mark.parametrize(
    "play",
    [
        _embeddings((0, [1.0, 0.0, 0.0])),
        _embeddings((0, [1.0, 0.0]), (1, [1.0, 0.0])),
        _embeddings((0, [0.0, 0.0])),
        _embeddings((0, [float("nan"), 0.0])),
        _embeddings(),
        reply(200, b"[]"),
        reply(200, b"no json"),
        reply(200, b'{"data": [{"index": 0, "embedding": "AAAA"}]}'),
    ],
    ids=["dimension", "too many", "zero", "nan", "none", "a list", "not JSON", "base64"],
)
def test_a_wrong_embedding_is_unavailable(play: Play) -> None:
    with serve(play) as server, pytest.raises(Unavailable, match="cannot be read"):
        OpenAIEmbedder(server.url, "e5", 2).embed(["a"], "query")
