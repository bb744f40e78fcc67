"""Chats as training rows: read, written in a model's chat format, and with a target for the assistant's tokens alone.

A row has ``messages``, a list of {role, content} with the roles system, user and assistant, or ``prompt`` and
``completion``. A base model without a chat template gets one: Gemma's turns where its tokenizer has their tokens, else
the play script that serving gives a model without one (runtime/chat.py). Knows nothing about models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jinja2 import TemplateError
from torch import Tensor

from openteller.core.text import fold
from openteller.training.datasets.records import Record
from openteller.training.decoders import IGNORED
from openteller.training.tasks.task import Features, padded

Message = dict[str, str]

# Gemma's turns have no role of system: what the system says opens the user's first turn.
_GEMMA = (
    "{%- if messages[0]['role'] == 'system' -%}{%- set lead = messages[0]['content'] + '\n\n' -%}"
    "{%- set turns = messages[1:] -%}{%- else -%}{%- set lead = '' -%}{%- set turns = messages -%}{%- endif -%}"
    "{{- bos_token -}}{%- for message in turns -%}"
    "{{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' -}}"
    "{{- (lead if loop.first else '') + message['content'] + '<end_of_turn>\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}"
)
_SCRIPT = (
    "{%- for message in messages -%}{{- '' if loop.first else '\n\n' -}}"
    "{{- {'system': '', 'user': 'User: ', 'assistant': 'Assistant: '}[message['role']] + message['content'] -}}"
    "{{- eos_token if message['role'] == 'assistant' else '' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '\n\nAssistant:' -}}{%- endif -%}"
)
_TURNS = ("<start_of_turn>", "<end_of_turn>")
_ROLES = ("system", "user", "assistant")
_LEAST_PROMPT = 16  # tokens of the prompt that are kept beside however long an answer


@dataclass(frozen=True)
class Chat:
    """One row. group: rows of one group stand on the same side; by itself what was asked."""

    where: str
    messages: tuple[Message, ...]
    group: str = ""

    @property
    def key(self) -> str:
        """What decides the side it stands on."""
        said = "\n".join(m["content"] for m in self.messages if m["role"] != "assistant")
        return fold(self.group or said)


def chat_of(record: Record, columns: Mapping[str, str]) -> Chat:
    """A record's chat. Raises ValueError with the reason when it is none."""
    messages = record.fields.get(columns.get("messages", "messages"))
    if messages is None:
        asked, told = (record.fields.get(columns.get(name, name)) for name in ("prompt", "completion"))
        if asked is None or told is None:
            raise ValueError("it has neither messages nor prompt and completion")
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
    if not isinstance(messages, list) or not messages:
        raise ValueError("messages is no list of messages")
    return Chat(record.where, tuple(map(_message, messages)))


def _message(found: object) -> Message:
    role, content = (found.get("role"), found.get("content")) if isinstance(found, dict) else (None, None)
    if role not in _ROLES or not isinstance(content, str) or not content.strip():
        raise ValueError(f"a message is {str(found)[:80]!r}, not a role ({', '.join(_ROLES)}) with content")
    return {"role": str(role), "content": content.strip()}


def give_template(tokenizer: Any) -> None:
    """Give a tokenizer without a chat template the one that fits its tokens."""
    if tokenizer.chat_template is None:
        known = tokenizer.get_vocab()
        tokenizer.chat_template = _GEMMA if all(token in known for token in _TURNS) else _SCRIPT


def end_ids(tokenizer: Any) -> list[int]:
    """The tokens that end an answer."""
    ends = {tokenizer.eos_token_id} - {None}
    if _TURNS[1] in str(tokenizer.chat_template):
        ends.add(tokenizer.convert_tokens_to_ids(_TURNS[1]))
    return sorted(ends)


def prompt_ids(messages: Sequence[Message], tokenizer: Any) -> list[int]:
    """The tokens of a chat up to where the assistant is to speak."""
    text = _written(messages, tokenizer, ask=True)
    found: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return found


def features(chat: Chat, tokenizer: Any, most: int) -> Features:
    """``ids`` and ``targets``: the token itself where the assistant speaks, its end of turn included, else `IGNORED`.

    A chat longer than `most` loses its beginning, but for the first token; only an answer that fills it alone loses its
    end.

    Raises:
        ValueError: the assistant says nothing, or the template does not take such a chat.
    """
    text, spans = _spoken(chat, tokenizer)
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ids = found["input_ids"]
    told = [any(start < to and end > at for at, to in spans) for start, end in found["offset_mapping"]]
    answer = len(told) - next(i for i, (_, end) in enumerate(found["offset_mapping"]) if end > spans[-1][0])
    kept = _kept(len(ids), answer, most)
    targets = [ids[i] if told[i] else IGNORED for i in kept]
    return {"ids": [ids[i] for i in kept], "targets": targets, "length": len(kept)}


def _spoken(chat: Chat, tokenizer: Any) -> tuple[str, list[tuple[int, int]]]:
    """The chat as written up to its last answer, and where in it (start, end) the assistant speaks."""
    text, spans = "", []
    for i, message in enumerate(chat.messages):
        if message["role"] == "assistant":
            before = _written(chat.messages[:i], tokenizer, ask=True)
            whole = _written(chat.messages[: i + 1], tokenizer, ask=False)
            if not (before.startswith(text) and whole.startswith(before)):
                raise ValueError("the chat template writes a chat differently when it goes on")
            text = whole
            spans.append((len(before), len(whole)))
    if not spans:
        raise ValueError("the assistant says nothing in it")
    return text, spans


def _kept(length: int, answer: int, most: int) -> list[int]:
    """The places that are kept of a chat of so many tokens, the last `answer` of which are its last answer."""
    if length <= most:
        return list(range(length))
    answer_kept = min(answer, most - min(_LEAST_PROMPT, most // 2, length - answer))
    start, room = length - answer, most - answer_kept
    prompt = [0, *range(start - room + 1, start)] if room else []
    return [*prompt, *range(start, start + answer_kept)]


def _written(messages: Sequence[Message], tokenizer: Any, *, ask: bool) -> str:
    try:
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=ask))
    except (TemplateError, IndexError) as error:
        raise ValueError(f"the chat template does not take it ({error})") from error


def collate(rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
    """One batch: ``input_ids``, ``attention_mask`` and ``targets`` (n, longest)."""
    longest = max(row["length"] for row in rows)
    targets = [[*row["targets"], *[IGNORED] * (longest - row["length"])] for row in rows]
    return padded([row["ids"] for row in rows], pad) | {"targets": torch.tensor(targets)}
