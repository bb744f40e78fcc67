"""The fast reader of public opinion is trained, saved and read again; its data are checked and split by text."""

import json
from pathlib import Path

import pytest

from openteller.core.errors import BadInput
from openteller.core.text import fold
from openteller.insights.opinion import model
from openteller.registry.manifest import read_manifest
from openteller.training.opinion import OpinionRecipe, Row, rows_of, split, train

LINES = """
subjects: [松湾银行, 青禾证券, 远岫集团, 明川保险]
events:
  suspected_fraud: ["{}涉嫌诈骗被立案", "警惕{}的骗局", "{}骗取客户存款", "客户称在{}被骗", "{}诈骗案开庭"]
  earnings_decline: ["{}净利润下降四成", "{}业绩下滑亏损扩大", "{}预亏十亿元", "{}利润缩水", "{}由盈转亏"]
  other: ["+{}净利润增长创新高", "+{}业绩大增", "+{}获评最佳银行", "={}召开股东大会", "={}公布财报时间"]
plain: [周末全市多云转晴, 国家队公布集训名单, 地铁延长线通车, 新款手机发布]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "zh.yaml").write_text(LINES, encoding="utf-8")
    finese = [
        ["1", "甲公司涉嫌诈骗被查,乙公司业绩下滑", kind, name]
        for kind, name in (("涉嫌欺诈", "甲公司"), ("业绩下滑", "乙公司"))
    ]
    (tmp_path / "finese.jsonl").write_text("".join(json.dumps(row) + "\n" for row in finese), encoding="utf-8")
    finnsp = [
        ["id", "title", "text", "entity", "negative", "key_entity"],
        ["1", "", "甲贷诈骗,乙贷无关", "甲贷;乙贷", "1", "甲贷"],
    ]
    (tmp_path / "finnsp.jsonl").write_text("".join(json.dumps(row) + "\n" for row in finnsp), encoding="utf-8")
    return tmp_path


def test_an_artefact_reads_what_it_was_shown_about_whom_it_is_asked(root: Path, tmp_path: Path) -> None:
    recipe = OpinionRecipe(own=["zh.yaml"], copies=8, buckets=4_096)
    manifest = train(recipe, root, lambda name: root / name, tmp_path / "out", lambda *_: None)
    assert manifest == read_manifest(tmp_path / "out")
    assert 0 < manifest.metrics["event_own_accuracy"] <= 1
    read = model.load(tmp_path / "out" / model.FILE)
    text = fold("某公司涉嫌诈骗被立案 某集团业绩大增")
    of = {name: read.read(text, [(text.index(name), text.index(name) + 3)]) for name in ("某公司", "某集团")}
    assert of["某公司"]["sentiment"]["negative"] > 0.5
    assert of["某集团"]["sentiment"]["positive"] > 2 * of["某公司"]["sentiment"]["positive"]
    assert max(of["某公司"]["event"], key=of["某公司"]["event"].__getitem__) == "suspected_fraud"
    assert sum(of["某公司"]["event"].values()) == pytest.approx(1)


def test_rows_of_public_sets_say_whom_they_are_about(root: Path) -> None:
    recipe = OpinionRecipe(finese="finese.jsonl", finnsp="finnsp.jsonl")
    rows = list(rows_of(recipe, root, lambda name: root / name))
    text = "甲公司涉嫌诈骗被查,乙公司业绩下滑"
    assert rows == [
        Row(text, ((0, 3),), None, "suspected_fraud", "finese"),
        Row(text, ((10, 13),), None, "earnings_decline", "finese"),
        Row("甲贷诈骗,乙贷无关", (), "negative", None, "finnsp"),
        Row("甲贷诈骗,乙贷无关", ((0, 2),), "negative", None, "finnsp-about"),
        Row("甲贷诈骗,乙贷无关", ((5, 7),), "neutral", None, "finnsp-about"),
    ]


def test_a_text_is_on_one_side_of_the_split() -> None:
    rows = [Row(f"text {n % 20}", (), "neutral" if n % 20 < 10 else "negative", None, "own") for n in range(60)]
    training, held = split(rows, 0.2, 1)
    assert sorted(training + held) == list(range(60))
    assert len(held) == 12
    assert not {rows[place].text for place in training} & {rows[place].text for place in held}


def test_what_cannot_be_trained_on_says_so(root: Path) -> None:
    with pytest.raises(BadInput, match="names no data"):
        train(OpinionRecipe(), root, lambda name: root / name, root / "out", lambda *_: None)
    (root / "finese.jsonl").write_text('["1", "text", "不知道", "x"]\n', encoding="utf-8")
    with pytest.raises(BadInput, match="unknown kind of event"):
        list(rows_of(OpinionRecipe(finese="finese.jsonl"), root, lambda name: root / name))
