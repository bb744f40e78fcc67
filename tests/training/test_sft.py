"""Supervised fine-tuning: it learns the answers, holds out what was asked, goes on after a stop, and llama.cpp serves it."""

import json
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from openteller.assistant.composition import grounded_messages
from openteller.core.errors import BadInput, ModelUnavailable
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.chat import wire
from openteller.runtime.llama_backend import LlamaGenerator
from openteller.runtime.protocols import Message
from openteller.training.decoders import IGNORED
from openteller.training.grounded import grounded_chats
from openteller.training.sft import Run, SftRecipe, train
from tests.training.decoders import places, tiny_catalogue

RECIPE = SftRecipe(
    name="toy", weights="tiny", train="chats.jsonl", steps=40, batch_size=4, max_tokens=96, learning_rate=2e-2,
    lora_rank=4, lora_alpha=8, evaluations=4, validation_share=0.3, samples=2, answer_tokens=8, threads=1,
)  # fmt: skip
PRODUCTS = (
    "Savings",
    "Gold card",
    "Car loan",
    "Fund A",
    "Deposit",
    "Home loan",
    "Fund B",
    "Debit card",
    "Bond",
    "Gold",
)
ROWS: list[dict[str, object]] = [
    {"messages": [{"role": "user", "content": f"Fee of {p}?"}, {"role": "assistant", "content": "It is free."}]}
    for p in PRODUCTS
]


def quiet(*_: object) -> None:
    """Report nothing."""


def prompt(question: str, passages: Any, language: str) -> list[dict[str, str]]:
    return wire(grounded_messages(question, passages, language, {"zh": "松湾银行", "en": "Pinebay"}))


def write(folder: Path, rows: list[dict[str, object]] = ROWS) -> None:
    (folder / "chats.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose catalogue has the weights ``tiny``."""
    folder = tmp_path_factory.mktemp("home")
    tiny_catalogue(folder)
    return folder


def run(home: Path, folder: Path, recipe: SftRecipe = RECIPE) -> Run:
    return Run(recipe, folder, folder.joinpath, places(Catalogue(home), home, recipe.weights), prompt)


def tune(home: Path, folder: Path, recipe: SftRecipe, output: Path, report: Any = quiet) -> Any:
    where = places(Catalogue(home), home, recipe.weights)
    return train(recipe, folder, folder.joinpath, where, prompt, output, report)


def test_it_learns_the_answers_and_llama_cpp_serves_them(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    manifest = tune(home, tmp_path, RECIPE, tmp_path / "out")
    assert manifest.metrics["perplexity"] < 0.5 * manifest.metrics["perplexity_before"]
    assert manifest.settings["gguf"] == "adapter"
    shown = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    assert [set(s) for s in shown["samples"]] == [{"messages", "approved", "before", "after"}] * 2
    assert shown["samples"][0]["approved"] == "It is free."
    assert shown["samples"][0]["after"] != shown["samples"][0]["before"]
    assert [step for step, _ in shown["curve"]] == [0, 10, 20, 30, 40]
    base, adapter = Catalogue(home).locate("tiny"), tmp_path / "out/adapter.gguf"
    template = (tmp_path / "out/chat_template.jinja").read_text("utf-8")
    generator = LlamaGenerator(base, adapter=adapter, template=template, context=256)
    told = "".join(generator.generate([Message("user", "Fee of Bond?")], max_tokens=12))
    generator.close()
    ours = _greedy(tmp_path / "out", "Fee of Bond?", 12)
    assert told.strip() == ours.strip()
    assert told.strip().startswith("It")


def _greedy(folder: Path, question: str, most: int) -> str:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    chat = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        told = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=most, do_sample=False, pad_token_id=2
        )
    return str(tokenizer.decode(told[0, ids.shape[1] :], skip_special_tokens=True))


@pytest.mark.parametrize("changes", [{}, {"adapter": "none", "learning_rate": 5e-3}, {"adapter": "dora"}])
def test_llama_cpp_predicts_what_torch_predicts(home: Path, tmp_path: Path, changes: dict[str, object]) -> None:
    write(tmp_path)
    recipe = replace(RECIPE, steps=8, samples=0, **changes)  # type: ignore[arg-type]
    kind = tune(home, tmp_path, recipe, tmp_path / "out").settings["gguf"]
    assert kind == ("model" if changes else "adapter")
    ids = [1, 3, 346, 344, 330, 343, 262, 300]
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    untouched = AutoModelForCausalLM.from_pretrained(next((home / "cache/decoders").iterdir()))
    with torch.no_grad():
        tuned, plain = (torch.log_softmax(m(torch.tensor([ids])).logits[0, -1], -1).numpy() for m in (model, untouched))
    base, file = Catalogue(home).locate("tiny"), tmp_path / f"out/{kind}.gguf"
    served = _likeliest(base, file, ids) if kind == "adapter" else _likeliest(file, None, ids)
    apart = np.array([abs(tuned[i] - value) for i, value in served.items()])
    assert apart.max() < (0.02 if kind == "adapter" else 0.2)  # a whole model has 8 bits a weight
    assert np.abs(tuned - plain).max() > 0.5  # it was worth comparing


def _likeliest(path: Path, adapter: Path | None, ids: list[int]) -> dict[int, float]:
    """Log probabilities of the 10 likeliest next tokens, by llama.cpp."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.cache_ram_mib, params.verbosity = 256, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui, params.endpoint_metrics = False, True
    if adapter:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="ot-") as folder:
        params.hostnames = [f"{folder}/llm.sock"]
        server = xllamacpp.Server(params)
        server.handle_metrics()
        # A token that is no whole character is held back: ask for some, look at the first.
        server.handle_completions({"prompt": ids, "max_tokens": 8, "logprobs": 10, "temperature": 0}, found.append)
        del server
    first = found[0]["choices"][0]["logprobs"]["content"][0]
    return {token["id"]: token["logprob"] for token in first["top_logprobs"]}


def test_gradients_come_from_answers_alone(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    module = run(home, tmp_path, replace(RECIPE, adapter="none", vocabulary="trained")).module
    ids, mask = torch.tensor([[1, 10, 11, 12]]), torch.ones(1, 4, dtype=torch.long)
    targets = torch.tensor([[IGNORED, IGNORED, 11, IGNORED]])
    total, count = module.summed(ids, mask, targets)
    logits = module.model(input_ids=ids).logits[0, 1].float()
    assert count == 1
    assert total.item() == pytest.approx(-torch.log_softmax(logits, -1)[11].item(), rel=1e-5)
    nothing = module(ids, mask, torch.full_like(targets, IGNORED))["loss"]
    nothing.backward()
    assert nothing.item() == 0
    assert all(p.grad is None or not p.grad.any() for p in module.parameters())


def test_checkpoints_hold_what_is_trained_alone(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    state = run(home, tmp_path).module.state_dict()
    assert state
    assert all("lora_" in name for name in state)


def test_what_was_asked_is_on_one_side(home: Path, tmp_path: Path) -> None:
    again = [{"prompt": row["messages"][0]["content"], "completion": f"Free {i}."} for i, row in enumerate(ROWS)]  # type: ignore[index]
    write(tmp_path, [*ROWS, *again, ROWS[0]])
    chats = run(home, tmp_path).chats
    train_asked, held_asked = ({c.key for c, _ in chats[side]} for side in ("train", "validation"))
    assert train_asked
    assert held_asked
    assert not train_asked & held_asked
    assert sum(map(len, chats.values())) == 20  # the repeated row is left out


def test_a_run_that_was_stopped_goes_on(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    recipe = replace(RECIPE, steps=12, samples=0)
    expected = tune(home, tmp_path, recipe, tmp_path / "whole")

    class Enough(Exception):
        pass

    def stop(step: int, *_: object) -> None:
        if step > 7:
            raise Enough

    with pytest.raises(Enough):
        tune(home, tmp_path, recipe, tmp_path / "out", stop)
    steps: list[int] = []
    went_on = tune(home, tmp_path, recipe, tmp_path / "out", lambda step, *_: steps.append(step))
    assert min(s for s in steps if s) > 6
    assert went_on.metrics["log_likelihood"] == pytest.approx(expected.metrics["log_likelihood"], abs=1e-4)


def test_an_artefact_is_a_base_and_then_the_whole_model_is_written(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    recipe = replace(RECIPE, steps=2, samples=0, gguf="none")
    first = tune(home, tmp_path, replace(recipe, name="first"), home / "models/first")
    assert first.settings["gguf"] == "none"
    assert not list((home / "models/first").glob("*.gguf"))
    second = tune(home, tmp_path, replace(recipe, weights="first", gguf="auto"), tmp_path / "out")
    assert second.settings["gguf"] == "model"  # an adapter would not fit the catalogue's file
    assert second.metrics["perplexity_before"] == pytest.approx(first.metrics["perplexity"], rel=1e-3)


def test_approved_answers_become_grounded_chats(root: Path) -> None:
    bank = root / "src/openteller/demo/bank"
    chats = list(grounded_chats(bank / "articles", bank / "products", prompt, 3, date(2026, 11, 26), 1))
    assert len(chats) > 2000
    for chat in chats[::97]:
        system, asked, told = chat.messages
        assert [m["role"] for m in chat.messages] == ["system", "user", "assistant"]
        assert told["content"] in system["content"]
        assert asked["content"] in chat.where
        assert "{{" not in told["content"]
        assert "[3]" in system["content"]
        assert "[4]" not in system["content"]
    assert chats == list(grounded_chats(bank / "articles", bank / "products", prompt, 3, date(2026, 11, 26), 1))


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (ROWS[:1], {}, "nothing to train on|Nothing is left"),
        (ROWS, {"train": ""}, "nothing to train on"),
        ([{"text": "x"}], {}, "1 of 1 chats"),
        ([*ROWS, {"prompt": "x"}], {}, "1 of 11 chats"),
        ([*ROWS, {"messages": [{"role": "user", "content": "x"}]}], {}, "says nothing"),
        (ROWS, {"adapter": "qlora"}, "adapter"),
        (ROWS, {"gguf": "adapter", "adapter": "none"}, "cannot be written as an adapter"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    home: Path, tmp_path: Path, rows: list[dict[str, object]], changes: dict[str, object], message: str
) -> None:
    write(tmp_path, rows)
    with pytest.raises(BadInput, match=message):
        run(home, tmp_path, replace(RECIPE, **changes))  # type: ignore[arg-type]


def test_bad_rows_are_skipped_on_request(home: Path, tmp_path: Path) -> None:
    write(tmp_path, [*ROWS, {"prompt": "x"}, {"messages": [{"role": "user", "content": "x"}]}])
    chats = run(home, tmp_path, replace(RECIPE, bad_rows="skip")).chats
    assert sum(map(len, chats.values())) == len(ROWS)


def test_a_loss_that_is_not_finite_stops_the_run(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        tune(home, tmp_path, replace(RECIPE, learning_rate=1e30, samples=0), tmp_path / "out")
    assert not (tmp_path / "out/manifest.json").exists()


def test_an_adapter_that_does_not_fit_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter.gguf").write_bytes(b"GGUF" + bytes(60))
    with pytest.raises(ModelUnavailable, match=r"adapter\.gguf"):
        LlamaGenerator(Catalogue(home).locate("tiny"), adapter=tmp_path / "adapter.gguf")


def test_its_card_says_what_it_is(home: Path, tmp_path: Path) -> None:
    write(tmp_path)
    manifest = tune(home, tmp_path, replace(RECIPE, steps=4), tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert "`adapter.gguf`" in card
    assert "kWh" in card
    assert (manifest.languages, manifest.machine is None) == (("en",), False)
