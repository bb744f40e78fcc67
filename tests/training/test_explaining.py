"""Explanations of trained models: the scores add up, the word that decides weighs most, spans are those of the text."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from defusedxml import ElementTree

from openteller.core.errors import BadInput
from openteller.runtime.catalogue import Catalogue
from openteller.training.explaining import explain
from openteller.training.explanation import METHODS, page, shade
from openteller.training.finetune import finetune
from openteller.training.trained import TrainedEncoder, open_trained
from tests.training.test_finetune import PLACES, RECIPE, SPANS, quiet, write

# Nothing but one word tells the labels apart.
WORDS = [
    {"text": text, "label": label}
    for place in PLACES
    for label, zh, en in (("card", "卡", "card"), ("loan", "房贷", "loan"))
    for text in (f"我在{place}的{zh}怎么办", f"what about my {en} in {place}")
]
Train = Callable[..., TrainedEncoder]


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    def train(rows: list[dict[str, object]] = WORDS, **changes: object) -> TrainedEncoder:  # type: ignore[assignment]
        folder, catalogue = tmp_path_factory.mktemp("artefact"), Catalogue(data_dir)
        write(folder / "toy.jsonl", rows)
        recipe = replace(RECIPE, **{"epochs": 1} | changes)  # type: ignore[arg-type]
        finetune(recipe, folder.joinpath, catalogue.locate("small"), folder / "artefact", quiet)
        return open_trained(folder / "artefact", catalogue)

    return train


@pytest.fixture(scope="module")
def model(trained: Train) -> TrainedEncoder:
    return trained(adapter="lora", epochs=3, learning_rate=5e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我在学校的卡怎么办", "卡"),
        ("what about my loan in 北京", "loan"),
        (" 🙂🙂what about my  ＣＡＲＤ in １２号㎏ 北京！", "ＣＡＲＤ"),
        ("我在\u200b學校的\u200b房貸怎麼辦🙂", "房貸"),
    ],
)
def test_the_word_that_decides_weighs_most_where_it_stands(
    model: TrainedEncoder, method: str, text: str, word: str
) -> None:
    found = explain(model, text, method=method)
    assert found.label == found.predicted == ("card" if word in ("卡", "ＣＡＲＤ") else "loan")
    best = found.ranked[0]
    assert word in best.text or best.text in word  # a tokenizer may join a word with its neighbour, or cut it
    assert best.score > 0
    assert all(text[span.start : span.end] == span.text for span in found.attributions)
    places = [(span.start, span.end) for span in found.attributions]
    assert places == sorted(places)
    assert {i for a, b in places for i in range(a, b)} >= {i for i, c in enumerate(text) if c.isalnum() or c == "🙂"}
    assert "".join(piece for piece, _ in found.pieces(0)) == text


@pytest.mark.parametrize("label", ["card", "loan"])
def test_gradients_add_up_to_the_difference_of_the_outputs(model: TrainedEncoder, label: str) -> None:
    found = explain(model, "我在学校的卡怎么办", label=label)
    whole = found.output - found.baseline
    assert sum(span.score for span in found.attributions) == pytest.approx(whole + found.delta, abs=1e-3)
    assert abs(found.delta) <= 0.01 * max(1.0, abs(whole))
    assert (found.probability > 0.5) == (label == "card")


def test_the_score_of_a_hidden_word_is_what_the_output_loses(model: TrainedEncoder) -> None:
    found = explain(model, "卡", method="occlusion")
    (span,) = found.attributions
    assert span.text == "卡"
    assert span.score > 0
    assert (found.steps, found.delta) == (0, 0.0)


def test_pairs_tags_and_any_number_of_labels(trained: Train) -> None:
    pairs = [{"text": "卡", "pair": row["text"], "label": row["label"]} for row in WORDS]
    paired = explain(trained(pairs, task="pair-classification", steps=2), ("我的卡🙂", "what about my loan"))
    assert {span.part for span in paired.attributions} == {0, 1}
    assert all(paired.texts[s.part][s.start : s.end] == s.text for s in paired.attributions)
    assert "".join(piece for piece, _ in paired.pieces(1)) == "what about my loan"
    many = explain(trained(task="multi-label", columns={"labels": "label"}, steps=2), "我的卡", label="loan")
    assert sum(s.score for s in many.attributions) == pytest.approx(many.output - many.baseline + many.delta, abs=1e-3)


def test_tags_are_explained_at_a_span(trained: Train) -> None:
    tagger = trained(SPANS, task="tokens", epochs=8)
    text = "🙂转３00元到北京"
    found = explain(tagger, text)
    assert found.span is not None
    assert "３" in text[found.span[0] : found.span[1]]
    assert found.label == "B-amount"
    chosen = explain(tagger, text, span="北京", label="amount", method="occlusion")
    assert chosen.span is not None
    assert text[chosen.span[0] : chosen.span[1]].endswith("北京")
    assert chosen.probability < found.probability
    assert "北京" in chosen.heading()
    for problem, message in (
        ({"span": "上海"}, "does not stand"),
        ({"label": "colour"}, "no label"),
    ):
        with pytest.raises(BadInput, match=message):
            explain(tagger, text, **problem)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="finds no span"):
        explain(tagger, "你好")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "empty"),
        ("\u200b", {}, "nothing that can be read"),
        (("a", "b"), {}, "one text"),
        ("卡", {"label": "colour"}, "no label 'colour'"),
        ("卡", {"head": "mood"}, "no head 'mood'"),
        ("卡", {"span": "卡"}, "whole texts"),
        ("卡", {"method": "magic"}, "method"),
    ],
)
def test_what_cannot_be_explained_is_said(
    model: TrainedEncoder, text: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        explain(model, text, **options)  # type: ignore[arg-type]


def test_vectors_have_no_label(trained: Train) -> None:
    with pytest.raises(BadInput, match="no label"):
        explain(trained(task="embedding-by-label", steps=1), "卡")


def test_a_very_long_text_is_explained_as_far_as_it_is_read(model: TrainedEncoder) -> None:
    found = explain(model, "我的卡，" + "好\u200b" * 5_000, method="occlusion")
    assert found.read[0] < 1_000
    assert any("first" in note for note in found.notes())


def test_the_page_needs_nothing_else_and_escapes_every_word(model: TrainedEncoder) -> None:
    found = explain(model, "<script>alert(1)</script> 我的卡 & 房贷")
    written = page(found)
    assert "<script" not in written
    assert "http" not in written.replace("http-equiv", "")
    tree = ElementTree.fromstring(written.removeprefix("<!DOCTYPE html>").replace("<meta", "<!--").replace("&nbsp;", " ")
                                  .replace('charset="utf-8">', "-->").replace("'unsafe-inline'\">", "-->"))  # fmt: skip
    assert found.texts[0] == "".join(tree.find(".//p[@class='text']").itertext())
    assert shade(0.0) == (255, 255, 255)
    assert shade(1.0) != shade(-1.0)


def test_the_command_shows_writes_and_prints(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from openteller.cli.main import run

    monkeypatch.setenv("OPENTELLER_DATA_DIR", str(data_dir))
    write(tmp_path / "toy.jsonl", WORDS)
    artefact, html = str(tmp_path / "m"), tmp_path / "why.html"
    finetune(
        replace(RECIPE, epochs=1, steps=2),
        tmp_path.joinpath,
        Catalogue(data_dir).locate("small"),
        Path(artefact),
        quiet,
    )
    assert run(["explain", artefact, "我的卡", "--html", str(html)]) == 0
    shown = capsys.readouterr().out
    assert "label: " in shown
    assert "for" in shown
    assert "against" in shown
    assert "卡</mark>" in html.read_text("utf-8")
    assert run(["explain", artefact, "我的卡", "--method", "occlusion", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["texts"] == ["我的卡"]
    assert said["attributions"][0]["start"] == 0
    for arguments, message in (
        ([artefact, "卡", "房贷"], "reads one text"),
        ([str(tmp_path / "nowhere"), "卡"], "no readable manifest"),
        ([artefact, "卡", "--html", str(tmp_path / "no" / "why.html")], "cannot be written"),
    ):
        assert run(["explain", *arguments]) == 1
        assert message in capsys.readouterr().err
