"""Chats as rows: what is read, what takes the loss, what is cut, and the templates of models that have none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import ModelUnavailable
from openteller.runtime.chat import plain_prompt
from openteller.runtime.protocols import Message
from openteller.training.chats import Chat, _kept, chat_of, collate, end_ids, features, give_template, prompt_ids
from openteller.training.datasets.records import Record
from openteller.training.decoders import IGNORED, load_decoder
from tests.training.decoders import write_tiny

ASKED = {"role": "user", "content": "What is the fee?"}
TOLD = {"role": "assistant", "content": "It is 5 yuan."}
SYSTEM = {"role": "system", "content": "Answer from the sources."}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One with Gemma's turns."""
    folder = tmp_path_factory.mktemp("turns")
    found = load_decoder(write_tiny(folder / "t.gguf"), folder / "kept").tokenizer
    give_template(found)
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One without."""
    folder = tmp_path_factory.mktemp("plain")
    found = load_decoder(write_tiny(folder / "t.gguf", turns=False), folder / "kept").tokenizer
    give_template(found)
    return found


def said(row: dict[str, Any], tokenizer: Any) -> str:
    return str(tokenizer.decode([t for t in row["targets"] if t != IGNORED]))


def test_the_loss_is_on_the_answers_alone(tokenizer: Any) -> None:
    row = features(Chat("1", (SYSTEM, ASKED, TOLD)), tokenizer, 512)
    assert said(row, tokenizer) == "It is 5 yuan.<end_of_turn>\n"
    assert tokenizer.decode(row["ids"]) == (
        "<s><start_of_turn>user\nAnswer from the sources.\n\nWhat is the fee?<end_of_turn>\n"
        "<start_of_turn>model\nIt is 5 yuan.<end_of_turn>\n"
    )
    assert all(t in (IGNORED, i) for t, i in zip(row["targets"], row["ids"], strict=True))
    again = {"role": "user", "content": "And abroad?"}
    other = {"role": "assistant", "content": "15 yuan."}
    row = features(Chat("1", (ASKED, TOLD, again, other)), tokenizer, 512)
    assert said(row, tokenizer) == "It is 5 yuan.<end_of_turn>\n15 yuan.<end_of_turn>\n"


def test_what_is_trained_on_is_what_the_model_will_be_asked(tokenizer: Any, plain: Any) -> None:
    for one in (tokenizer, plain):
        row, asked = features(Chat("1", (SYSTEM, ASKED, TOLD)), one, 512), prompt_ids((SYSTEM, ASKED), one)
        assert row["ids"][: len(asked)] == asked
        assert set(row["targets"][: len(asked)]) == {IGNORED}
        assert IGNORED not in row["targets"][len(asked) :]
        assert row["targets"][-1] in [*end_ids(one), *one("\n", add_special_tokens=False)["input_ids"][-1:]]


def test_a_model_without_turns_gets_the_script_that_serving_writes(plain: Any) -> None:
    messages = [
        Message("system", "Answer."),
        Message("user", "Why?"),
        Message("assistant", "So."),
        Message("user", "?"),
    ]
    chat = [{"role": m.role, "content": m.content} for m in messages]
    written = plain.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert written.replace("</s>", "") == plain_prompt(messages)


def test_a_template_of_the_model_stays(tokenizer: Any) -> None:
    before = tokenizer.chat_template
    give_template(tokenizer)
    assert tokenizer.chat_template is before


@pytest.mark.parametrize("most", [24, 40, 64])
def test_cutting_keeps_the_answer(tokenizer: Any, most: int) -> None:
    long = {"role": "user", "content": "fee " * 200}
    row = features(Chat("1", (long, TOLD)), tokenizer, most)
    assert row["length"] == len(row["ids"]) == len(row["targets"]) == most
    assert row["ids"][0] == tokenizer.bos_token_id
    assert said(row, tokenizer).startswith("It is")
    if most > 40:
        assert said(row, tokenizer) == "It is 5 yuan.<end_of_turn>\n"


@given(st.integers(1, 300), st.integers(1, 300), st.integers(8, 128))
def test_what_is_kept_is_in_order_and_fits(prompt: int, answer: int, most: int) -> None:
    kept = _kept(prompt + answer, answer, most)
    assert kept == sorted(set(kept))
    assert len(kept) == min(most, prompt + answer)
    told = [i for i in kept if i >= prompt]
    assert told == list(range(prompt, prompt + len(told)))
    assert len(told) >= min(answer, most // 2)
    if len(kept) > len(told):
        assert kept[0] == 0


def record(**fields: object) -> Record:
    return Record("a:1", fields)


def test_rows_are_read() -> None:
    assert chat_of(record(messages=[ASKED, TOLD]), {}).messages == (ASKED, TOLD)
    assert chat_of(record(prompt="What is the fee?", completion="It is 5 yuan."), {}).messages == (ASKED, TOLD)
    assert chat_of(record(q="What is the fee?", a="It is 5 yuan."), {"prompt": "q", "completion": "a"}).messages == (
        ASKED,
        TOLD,
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": "x"}, "neither messages nor prompt"),
        ({"prompt": "x"}, "neither messages nor prompt"),
        ({"messages": "x"}, "no list"),
        ({"messages": []}, "no list"),
        ({"messages": [{"role": "model", "content": "x"}]}, "not a role"),
        ({"messages": [{"role": "user", "content": "  "}]}, "not a role"),
        ({"messages": ["x"]}, "not a role"),
        ({"prompt": 7, "completion": "x"}, "not a role"),
    ],
)
def test_other_rows_say_why_not(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chat_of(record(**fields), {})


def test_a_chat_in_which_nobody_answers_is_refused(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        features(Chat("1", (ASKED,)), tokenizer, 64)


def test_a_batch_is_padded_without_targets() -> None:
    rows = [{"ids": [1, 2], "targets": [IGNORED, 2], "length": 2}, {"ids": [1], "targets": [IGNORED], "length": 1}]
    batch = collate(rows, 9)
    assert batch["input_ids"].tolist() == [[1, 2], [1, 9]]
    assert batch["targets"].tolist() == [[IGNORED, 2], [IGNORED, IGNORED]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_a_damaged_decoder_is_refused(tmp_path: Path) -> None:
    whole = write_tiny(tmp_path / "t.gguf").read_bytes()
    (tmp_path / "cut.gguf").write_bytes(whole[:3000])
    with pytest.raises(ModelUnavailable, match="cut") as caught:
        load_decoder(tmp_path / "cut.gguf", tmp_path / "kept")
    assert caught.value.next_step
    assert not list((tmp_path / "kept").iterdir())
