"""Personal data: measured on an authored set, and properties that must hold for every text."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from openteller.understanding import disclosures, identifiers, people
from openteller.understanding.candidates import Kind
from openteller.understanding.identifiers import iban_valid, identity_valid, luhn_valid
from openteller.understanding.personal_data import PROBABILITY, drop_secrets, find, mask
from tests.understanding.marked import HERE, Line, unmark, utterances

CASES: dict[str, list[str]] = yaml.safe_load((HERE / "personal_data.yaml").read_text(encoding="utf-8"))
LINES = [unmark(line) for line in CASES["positive"] + CASES["negative"]]


def _counts(lines: list[Line]) -> dict[str, Counter[str]]:
    """Exact spans by kind: right, wrong, missed."""
    counts: dict[str, Counter[str]] = {kind.value: Counter() for kind in Kind}
    for line in lines:
        got = {(d.type, d.start, d.end) for d in find(line.text)}
        gold = {tuple(span) for span in line.spans}
        for name, spans in (("right", got & gold), ("wrong", got - gold), ("missed", gold - got)):
            for span in spans:
                counts[str(span[0])][name] += 1
    return counts


def test_precision_and_recall_on_the_authored_set() -> None:
    assert sum(len(line.spans) for line in LINES) >= 150
    assert len(CASES["negative"]) >= 150
    counts = _counts(LINES)
    print(f"\n{'kind':15} {'spans':>5} {'precision':>9} {'recall':>6}")
    for kind, c in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        precision, recall = c["right"] / (c["right"] + c["wrong"]), c["right"] / (c["right"] + c["missed"])
        print(f"{kind:15} {c['right'] + c['missed']:5} {precision:9.3f} {recall:6.3f}")
    total = sum(counts.values(), Counter())
    assert total["right"] / (total["right"] + total["missed"]) >= 0.97
    assert total["right"] / (total["right"] + total["wrong"]) >= 0.95


def test_probabilities_are_the_measured_precision() -> None:
    for kind, c in _counts(LINES).items():
        measured = (c["right"] + 1) / (c["right"] + c["wrong"] + 2)
        assert PROBABILITY[Kind(kind)] == pytest.approx(measured, abs=0.001), kind


def test_ordinary_utterances_are_left_alone() -> None:
    touched = []
    for line in utterances():
        people = [s for s in line.spans if s.type == "person"]
        for datum in find(line.text):
            if datum.type != Kind.PERSON or not any(p.start < datum.end and datum.start < p.end for p in people):
                touched.append((line.text, datum))
    assert len(touched) <= 4, touched


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("验证码是 123456", "验证码是 [已删除]"),
        ("123456 is my code", "[removed] is my code"),
        ("cvv 737", "cvv [removed]"),
        ("密码abc123", "密码[已删除]"),
        ("密码从abc123改成了xyz789", "密码从[已删除]改成了[已删除]"),
        ("我的密码是１２３４５６。", "我的密码是[已删除]。"),
        (
            "my password is Tr0ub4dor&3! and my phone is 13800138000",
            "my password is [removed] and my phone is 13800138000",
        ),
        ("验证码一二三四五六", "验证码[已删除]"),
    ],
)
def test_secrets_are_dropped_and_the_rest_stays(text: str, dropped: str) -> None:
    assert drop_secrets(text) == dropped


@pytest.mark.parametrize(
    "text",
    [
        "密码输错3次",
        "验证码等了10分钟",
        "password is wrong",
        "PIN is 4 digits",
        "尾号6688",
        "金额123456元",
        "拨打95588",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert drop_secrets(text) == text == mask(text)


def test_labels_are_in_the_language_of_the_text() -> None:
    assert mask("我叫王小花，手机13800138000") == "我叫[姓名]，手机[电话]"
    assert mask("my phone is 13800138000") == "my phone is [phone]"


def _check_digit(body: str) -> str:
    return next(body + d for d in "0123456789" if luhn_valid(body + d))


@st.composite
def cards(draw: Any) -> str:
    length = draw(st.integers(13, 19))
    first = draw(st.sampled_from(["62", "4", "51", "35", "37", "6", "9"]))
    body = first + "".join(
        draw(
            st.lists(st.sampled_from("0123456789"), min_size=length - 1 - len(first), max_size=length - 1 - len(first))
        )
    )
    card = _check_digit(body)
    separator = draw(st.sampled_from(["", " ", "-", "－", "\u00a0"]))
    card = separator.join(card[i : i + 4] for i in range(0, length, 4))
    return card.translate(str.maketrans("0123456789", "０１２３４５６７８９")) if draw(st.booleans()) else card


@st.composite
def identities(draw: Any) -> str:
    born = draw(st.dates())
    year = 1900 + born.year % 120
    day = f"{year}{born.month:02d}{min(born.day, 28):02d}"
    body = draw(st.sampled_from(["110105", "310104", "440305", "650102"])) + day + f"{draw(st.integers(0, 999)):03d}"
    return next(body + check for check in "0123456789X" if identity_valid(body + check))


@st.composite
def phones(draw: Any) -> str:
    digits = "1" + draw(st.sampled_from("3456789")) + f"{draw(st.integers(0, 10**9 - 1)):09d}"
    separator = draw(st.sampled_from(["", " ", "-"]))
    return draw(st.sampled_from(["", "+86 ", "+86", "0086"])) + separator.join((digits[:3], digits[3:7], digits[7:]))


def _outer(text: str) -> bool:
    """Whether a number beside `text` stays a number of its own: digits that touch make a different number."""
    return not text or not any(
        c.isdecimal() or c in "〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖貳參陸" for c in (text[0], text[-1])
    )


_AROUND = st.one_of(
    st.text(max_size=30),
    st.text("abcABC卡号是转给:- .，。+()元密码 is", max_size=30),
    st.sampled_from(
        ["卡号", "订单号", "我的", "¥", "12 ", " 34", "(", "+", "a", "no.", "密码是", "- ", "5-", "，尾号"]
    ),
).filter(_outer)


@settings(max_examples=300)
@given(_AROUND, st.one_of(cards(), identities(), phones()), _AROUND)
def test_no_digit_of_a_valid_number_survives_masking(before: str, number: str, after: str) -> None:
    text = before + number + after
    covered = set()
    for datum in find(text):
        covered.update(range(datum.start, datum.end))
    digits = {len(before) + i for i, c in enumerate(number) if c.isdecimal() or c == "X"}
    if number.startswith(("+86", "0086")):
        digits = set(sorted(digits)[-11:])
    assert digits <= covered, find(text)


_ANY_TEXT = st.one_of(
    st.text(max_size=200),
    st.text("0123456789 -.@+()密码是验证码cvpinode我叫王芳[]已删除removed路号市住在生日年月日AaXx:京B", max_size=120),
    st.lists(st.sampled_from(LINES), min_size=1, max_size=3).map(lambda lines: "".join(line.text for line in lines)),
)


@settings(max_examples=300)
@given(_ANY_TEXT)
def test_spans_are_inside_the_text_in_order_and_disjoint(text: str) -> None:
    last = 0
    for datum in find(text):
        assert last <= datum.start < datum.end <= len(text)
        last = datum.end


@settings(max_examples=300)
@given(_ANY_TEXT)
def test_masking_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)
    assert drop_secrets(drop_secrets(text)) == drop_secrets(text)
    assert not find(mask(text))


def _repeats(tree: Any, nested: int = 1) -> Iterator[tuple[bool, int]]:
    """Of each repetition that may backtrack: whether it is unbounded, and the product of the bounds around it."""
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, most, body = argument
            unbounded = most == _parser.MAXREPEAT
            yield unbounded, nested * (1 if unbounded else int(most))
            yield from _repeats(body, nested * (1 if unbounded else int(most)))
        elif name == "POSSESSIVE_REPEAT":
            yield from _repeats(argument[2], nested)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _repeats(branch, nested)
        elif name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT", "ATOMIC_GROUP"):
            yield from _repeats(argument[-1] if isinstance(argument, tuple) else argument, nested)


def _patterns(module: ModuleType) -> dict[str, str]:
    return {name: value.pattern for name, value in vars(module).items() if isinstance(value, re.Pattern)}


@pytest.mark.parametrize("module", [identifiers, disclosures, people])
def test_patterns_cannot_backtrack_without_bound(module: ModuleType) -> None:
    patterns = _patterns(module) | {f"rule {i}": p.pattern for i, (_, p) in enumerate(vars(module).get("_RULES", ()))}
    assert patterns
    for name, pattern in patterns.items():
        for unbounded, nested in _repeats(_parser.parse(pattern)):
            assert not unbounded, name
            assert nested <= 120, (name, nested)


def test_check_digits() -> None:
    assert luhn_valid("4111111111111111")
    assert not luhn_valid("4111111111111112")
    assert identity_valid("11010519491231002X")
    assert not identity_valid("110105194912310021")
    assert iban_valid("GB82WEST12345698765432")
    assert not iban_valid("GB82WEST12345698765433")
    generator = random.Random(7)
    assert 0.05 < sum(luhn_valid(str(generator.randrange(10**15, 10**16))) for _ in range(400)) / 400 < 0.16
