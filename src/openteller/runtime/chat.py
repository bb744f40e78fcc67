"""What every chat engine shares: the request's checks, OpenAI's wire format, and what an engine's error means.

Wire format: OpenAI Chat Completions, streamed chunks, as vLLM, SGLang, Ollama and llama.cpp speak it.
Knows nothing about transports or engines.
"""

from collections.abc import Mapping, Sequence

from openteller.core.errors import BadInput, OpenTellerError, TooLarge, Unavailable
from openteller.runtime.protocols import Message

_TOO_LONG = ("exceed_context_size", "context_length_exceeded", "maximum context length", "context size")
_LABELS = {"system": "", "user": "User: ", "assistant": "Assistant: "}
_SHOWN = 300

PLAIN_STOPS = ("\nUser:", "\nAssistant:")


def check(messages: Sequence[Message], max_tokens: int, temperature: float) -> None:
    """Raise BadInput for a request that no engine can serve."""
    if not messages:
        raise BadInput("There is no message to answer.", next_step="Pass at least one message.")
    if max_tokens < 1:
        raise BadInput(f"max_tokens is {max_tokens}.", next_step="Ask for at least 1 token.")
    if not 0 <= temperature <= 2:
        raise BadInput(f"The temperature is {temperature}.", next_step="Choose one from 0 to 2.")


def wire(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages in OpenAI's form."""
    return [{"role": message.role, "content": message.content} for message in messages]


def plain_prompt(messages: Sequence[Message]) -> str:
    """The chat as a play script for a base model to continue; end it at `PLAIN_STOPS`."""
    lines = [_LABELS[message.role] + message.content for message in messages]
    return "\n\n".join([*lines, "Assistant:"])


def first_choice(chunk: Mapping[str, object]) -> Mapping[str, object]:
    """The first choice of a chunk; empty for chunks without one (usage only). Raises ValueError on another shape."""
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        raise ValueError("a chunk without choices")
    if not choices:
        return {}
    if not isinstance(choices[0], Mapping):
        raise ValueError("a choice that is not an object")
    return choices[0]


def piece_of(choice: Mapping[str, object]) -> str:
    """The text that a streamed choice adds: of a chat (``delta.content``) or of a completion (``text``)."""
    delta = choice.get("delta")
    content = delta.get("content") if isinstance(delta, Mapping) else choice.get("text")
    if content is not None and not isinstance(content, str):
        raise ValueError("a piece that is not a text")
    return content or ""


def failure(error: object, engine: str) -> OpenTellerError:
    """The error to raise for the ``error`` value of a response: TooLarge for a full context, else Unavailable."""
    message = str(error.get("message", "")) if isinstance(error, Mapping) else str(error)
    kind = f"{error.get('type', '')} {error.get('code', '')} {message}" if isinstance(error, Mapping) else message
    if any(mark in kind.lower() for mark in _TOO_LONG):
        return TooLarge(
            f"The text is longer than {engine} can read.",
            cause=message[:_SHOWN],
            next_step="Send fewer or shorter passages, or give the engine a larger context.",
        )
    return Unavailable(
        f"{engine} reported an error.",
        cause=message[:_SHOWN] or "It gave no reason.",
        next_step="Look into the engine's log.",
    )
