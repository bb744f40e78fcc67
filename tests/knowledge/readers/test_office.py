import io
import struct
import zipfile

import pytest

from openteller.core.errors import TooLarge, UnreadableFile
from openteller.knowledge.readers import docx, read, sheet

from .. import files


def test_a_word_document() -> None:
    data = files.word(
        ("Title", "房贷手册"),
        ("Heading 1", "提前还款"),
        ("Normal", "满一年后\u3000免费。"),
        ("List Bullet", "带身份证"),
        table=[["期限", "费用"], ["一年内", "1%"]],
    )
    reading = docx.read(data, "a.docx")
    assert reading.title == "房贷手册"
    assert [line for line in reading.body.splitlines() if line] == [
        "# 房贷手册",
        "# 提前还款",
        "满一年后 免费。",
        "- 带身份证",
        "期限 | 费用",
        "一年内 | 1%",
    ]


def test_entities_are_refused_in_any_encoding() -> None:
    parts = files.members(files.word(("Normal", "x")))
    body = parts["word/document.xml"].replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', 1)
    for evil in (body, body.decode().encode("utf-16")):
        with pytest.raises(UnreadableFile) as caught:
            docx.read(files.archive(parts | {"word/document.xml": evil}), "a.docx")
        assert "declares XML entities" in str(caught.value)


def test_a_declaration_across_two_blocks_is_seen() -> None:
    parts = files.members(files.word(("Normal", "x")))
    padding = b"<!--" + b" " * ((1 << 20) - 9) + b"-->"
    evil = padding + b"<!DOCTYPE x>" + parts["word/document.xml"]
    assert evil.index(b"<!DOCTYPE") < 1 << 20 < evil.index(b"<!DOCTYPE") + 9
    with pytest.raises(UnreadableFile):
        docx.read(files.archive(parts | {"word/document.xml": evil}), "a.docx")


@pytest.mark.parametrize(("name", "member"), [("a.docx", "word/document.xml"), ("a.xlsx", "xl/workbook.xml")])
def test_zip_bombs_are_refused_before_they_are_unpacked(name: str, member: str) -> None:
    bomb = files.archive({member: b"x", "big.xml": b"\0" * (30 << 20)})
    assert len(bomb) < 100_000
    with pytest.raises(TooLarge) as caught:
        read(bomb, name)
    assert "times its size" in str(caught.value)
    many = files.archive({member: b"x"} | {f"{i}": b"" for i in range(10_001)})
    with pytest.raises(TooLarge):
        read(many, name)


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    bomb = bytearray(files.archive({"word/document.xml": b"x", "big.bin": b"\0" * (30 << 20)}))
    # Claim 10 bytes in the local header and in the central directory.
    claimed, true = struct.pack("<I", 10), struct.pack("<I", 30 << 20)
    while (place := bomb.find(true)) >= 0:
        bomb[place : place + 4] = claimed
    with zipfile.ZipFile(io.BytesIO(bytes(bomb))) as archive:
        assert archive.getinfo("big.bin").file_size == 10
    with pytest.raises(UnreadableFile):
        read(bytes(bomb), "a.docx")


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx"])
@pytest.mark.parametrize(
    "data",
    [
        b"junk" * 100,
        b"PK\x03\x04" + b"\0" * 500,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
        files.archive({"other.txt": b"x"}),
        files.archive({"word/document.xml": b"<a>", "xl/workbook.xml": b"<a>"}),
        files.word(("Normal", "x"))[:-300],
    ],
)
def test_damaged_office_files_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(data, name)
    assert name in caught.value.message
    assert caught.value.next_step


def test_a_word_document_is_no_workbook() -> None:
    with pytest.raises(UnreadableFile) as caught:
        sheet.read_xlsx(files.word(("Normal", "x")), "a.xlsx")
    assert "is not an Excel workbook" in str(caught.value)


def test_a_macro_document_is_refused() -> None:
    parts = files.members(files.word(("Normal", "x")))
    types = parts["[Content_Types].xml"].replace(
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
    )
    with pytest.raises(UnreadableFile):
        docx.read(files.archive(parts | {"[Content_Types].xml": types}), "a.docx")
