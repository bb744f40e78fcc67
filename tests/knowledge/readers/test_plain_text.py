from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import UnreadableFile
from openteller.knowledge.readers.plain_text import decode

SIMPLIFIED = "银行卡丢失后请立即拨打客服电话挂失，补卡需要携带身份证。"
TRADITIONAL = "什麼是網路金融卡收款？消費者透過讀卡機與晶片金融卡立即轉帳支付購買商品或服務。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_simplified_chinese(encoding: str) -> None:
    text = SIMPLIFIED + " " * 40 if encoding == "utf-16-le" else SIMPLIFIED
    assert decode(text.encode(encoding), "a.txt") == text


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "gb18030", "utf-16"])
def test_traditional_chinese(encoding: str) -> None:
    assert decode(TRADITIONAL.encode(encoding), "a.txt") == TRADITIONAL


def test_line_ends_are_one_kind() -> None:
    assert decode(b"a\r\nb\rc\n", "a.txt") == "a\nb\nc\n"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 20, bytes(range(256)) * 8, b"\xff" * 64, b"\x01\x02" * 99]
)
def test_binary_junk_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        decode(data, "a.txt")
    assert "'a.txt' is not text" in str(caught.value)


@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_a_clear_refusal(data: bytes) -> None:
    with suppress(UnreadableFile):
        assert "\r" not in decode(data, "a.txt")
