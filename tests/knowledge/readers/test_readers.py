import pytest

from openteller.core.errors import TooLarge, UnreadableFile
from openteller.knowledge import readers


@pytest.mark.parametrize("name", [f"a{extension}" for extension in readers.EXTENSIONS])
@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf", b"\x00\x9f\x92\x96" * 50])
def test_empty_and_binary_files_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(UnreadableFile) as caught:
        readers.read(data, name)
    assert name in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["a.exe", "a.doc", "a", ".md", "a.docm"])
def test_other_types_are_refused(name: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        readers.read(b"text", name)
    assert ".docx" in caught.value.next_step


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge) as caught:
        readers.read(b"x" * (readers.MAX_FILE_BYTES + 1), "a.txt")
    assert "20.0 MB" in str(caught.value)


def test_the_extension_may_be_in_capitals() -> None:
    assert readers.read("挂失".encode(), "A.TXT").body == "挂失"
