"""Runs a GGUF language model inside this process with llama.cpp, through the package xllamacpp.

The engine insists on opening a server socket of its own; it gets a Unix socket in a directory that only this
operating-system user can enter, so that no port is open. Generation runs in a thread of its own outside the GIL and
hands its pieces over a queue; requests beyond the first wait their turn inside the engine.

One thread is the default: with two, llama.cpp collapsed tenfold on machines whose cores are shared.
Texts that the tokeniser would read as control tokens (``<|im_end|>``) are broken up, so a customer cannot write them.

Knows nothing about prompts, passages or which model is a good one.
"""

import importlib
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from types import ModuleType
from typing import Any

from openteller.core.errors import BadInput, MissingDependency, ModelUnavailable, OpenTellerError, Unavailable
from openteller.runtime import chat
from openteller.runtime.gguf import GgufHeader, read_header
from openteller.runtime.protocols import Message

_SILENT = -1
_SEED = 1
# A chunk of the engine's answer, an error it raised, or None at the end.
_Item = Mapping[str, object] | Exception | None


def _engine() -> ModuleType:
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        raise MissingDependency(
            "The language model engine llama.cpp is not installed.",
            cause=f"The package xllamacpp cannot be imported ({error}).",
            next_step="Run `pip install xllamacpp`, or set OPENTELLER_LLM_URL to an OpenAI-compatible server.",
        ) from error


class ControlTokens:
    """Breaks up what a tokeniser would read as control tokens, letter by letter: ``<|im_end|>`` → ``< | i m _ …``.

    Args:
        tokens: the control tokens of the model. Those of one character cannot be broken up and stay.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        longest_first = sorted((token for token in tokens if len(token) > 1), key=len, reverse=True)
        # "(?!)" matches nothing: a model without control tokens has none to break up.
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def __call__(self, text: str) -> str:
        """`text` without control tokens; all else unchanged."""
        return self._pattern.sub(lambda match: " ".join(match.group()), text)


class LlamaGenerator:
    """A TextGenerator over a GGUF file. Safe to share between threads; one generation runs at a time.

    The chat template of the file is used; a base model without one is given the chat as a play script.

    Args:
        path: the GGUF file.
        adapter: a LoRA adapter for it, as GGUF; None for the model as it is.
        template: the Jinja chat template it was tuned with, in place of the file's own or of none.
        threads: processor threads for this engine.
        context: tokens of prompt and answer together; never more than the model was trained for.
        timeout: seconds to wait for the next piece, the wait for other generations included.

    Raises:
        MissingDependency: xllamacpp is not installed.
        ModelUnavailable: the file is missing or damaged, or the engine cannot run it.
    """

    def __init__(
        self,
        path: Path,
        *,
        adapter: Path | None = None,
        template: str | None = None,
        threads: int = 1,
        context: int = 4096,
        timeout: float = 120.0,
    ) -> None:
        engine = _engine()
        self.header: GgufHeader = read_header(path)
        if template is not None:
            self.header = replace(self.header, chat_template=template)
        self.context = min(context, self.header.context_length)
        self._timeout = timeout
        self._break_up = ControlTokens(self.header.control_tokens)
        folder = tempfile.mkdtemp(prefix="openteller-llm-")
        self._remove_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._server: Any = _start(engine, path, threads, self.context, Path(folder) / "llm.sock", adapter, template)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        grammar: str | None = None,
    ) -> Iterator[str]:
        """Yield the answer in pieces; closing the iterator stops the engine at its next token.

        Args:
            messages: the chat so far.
            max_tokens: the longest answer; the answer also ends where the context is full.
            temperature: 0 always takes the likeliest token.
            grammar: the GBNF grammar (llama.cpp grammars/README.md) that the answer must obey.

        Raises:
            TooLarge: the chat does not fit the context.
            BadInput: the request or its grammar cannot be used.
            Unavailable: the engine was closed, failed or did not answer in time.
        """
        chat.check(messages, max_tokens, temperature)
        if self._server is None:
            raise Unavailable("The language model was closed.", next_step="Build a new LlamaGenerator.")
        body: dict[str, object] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": _SEED,
            "stream": True,
        }
        if grammar is not None:
            body["grammar"] = grammar
        yield from self._pieces(*self._request(messages, body))

    def close(self) -> None:
        """Free the model once the generations under way have ended."""
        self._server = None
        self._remove_folder()

    def _request(
        self, messages: Sequence[Message], body: dict[str, object]
    ) -> tuple[Callable[..., object], dict[str, object]]:
        safe = [replace(message, content=self._break_up(message.content)) for message in messages]
        if self.header.chat_template is not None:
            return self._server.handle_chat_completions, body | {"messages": chat.wire(safe)}
        plain = {"prompt": chat.plain_prompt(safe), "stop": list(chat.PLAIN_STOPS)}
        return self._server.handle_completions, body | plain

    def _pieces(self, handle: Callable[..., object], body: dict[str, object]) -> Iterator[str]:
        items: SimpleQueue[_Item] = SimpleQueue()
        stopped = Event()
        # Not a daemon: a thread inside the engine must not be cut off while the interpreter shuts down.
        Thread(target=_run, args=(handle, body, items, stopped), name="llama").start()
        try:
            yield from self._received(items)
        finally:
            stopped.set()

    def _received(self, items: "SimpleQueue[_Item]") -> Iterator[str]:
        ended = started = False
        while (item := self._next(items)) is not None:
            choice = _choice(item)
            piece = chat.piece_of(choice)
            if not started:
                piece = piece.lstrip()
            if piece:
                started = True
                yield piece
            ended = ended or choice.get("finish_reason") is not None
        if not ended:
            raise Unavailable("The language model stopped before the end.", next_step="Ask again.")

    def _next(self, items: "SimpleQueue[_Item]") -> _Item:
        try:
            return items.get(timeout=self._timeout)
        except Empty:
            raise Unavailable(
                f"The language model gave nothing for {self._timeout:g} s.",
                cause="The machine is busy, or too many requests wait.",
                next_step="Ask again later, or use a model server for many users.",
            ) from None


def _start(
    engine: ModuleType,
    path: Path,
    threads: int,
    context: int,
    socket: Path,
    adapter: Path | None,
    template: str | None,
) -> object:
    params = engine.CommonParams()
    params.model.path = str(path)
    if adapter is not None:
        params.lora_adapters = [engine.CommonAdapterLoraInfo(str(adapter), 1.0)]
    if template is not None:
        params.use_jinja, params.chat_template = True, template
    params.n_ctx, params.n_parallel = context, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_threads_http = 1
    # The engine's own default keeps up to 8 GiB of earlier prompts: memory, and customers' text.
    params.cache_ram_mib = 0
    params.hostnames = [str(socket)]
    params.ui = params.endpoint_slots = False
    params.endpoint_metrics = True
    params.offline, params.verbosity = True, _SILENT
    try:
        server = engine.Server(params)
        # The constructor may return before the engine's loop runs, and freeing a server whose loop has yet to start
        # never returns. The loop answers this question.
        server.handle_metrics()
        return server
    except RuntimeError as error:
        raise ModelUnavailable(
            f"llama.cpp cannot run {path.name}{f' with {adapter.name}' if adapter else ''}.",
            cause=f"The file is cut short, of an architecture it does not know, or memory is short ({error}).",
            next_step="Fetch the file again, or upgrade xllamacpp.",
        ) from error


def _run(handle: Callable[..., object], body: dict[str, object], items: "SimpleQueue[_Item]", stopped: Event) -> None:
    def receive(chunk: Mapping[str, object]) -> bool:
        items.put(chunk)
        return stopped.is_set()

    try:
        handle(body, receive)
    except Exception as error:
        items.put(error)
    finally:
        items.put(None)


def _choice(item: Mapping[str, object] | Exception) -> Mapping[str, object]:
    if isinstance(item, Exception):
        raise chat.failure(str(item), "llama.cpp") from item
    if "error" in item:
        raise _request_error(item["error"])
    try:
        return chat.first_choice(item)
    except ValueError as error:
        raise chat.failure(str(error), "llama.cpp") from error


def _request_error(error: object) -> OpenTellerError:
    if isinstance(error, Mapping) and "grammar" in str(error.get("message", "")):
        return BadInput(
            "The grammar cannot be used.",
            cause=str(error["message"]),
            next_step='Write it as GBNF: root ::= "yes" | "no".',
        )
    return chat.failure(error, "llama.cpp")
