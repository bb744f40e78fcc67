"""Tables of clips: their layouts, where a clip is found, which rows are bad."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput, NotFound
from openteller.training.datasets.clips import Clip, read_clips
from openteller.training.datasets.records import BadRow


def nowhere(name: str) -> Path:
    raise NotFound(f"no {name}")


def clips(table: Path, columns: dict[str, str] | None = None, language: str = "") -> list[Clip]:
    return read_clips(table, columns or {}, language, nowhere, "error", [])


def table(folder: Path, name: str, body: str, files: tuple[str, ...] = ("a.wav",)) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    (folder / name).write_text(body, "utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("metadata.csv", "file,text\na.wav,余额\n"),
        ("metadata.tsv", "file\ttext\na.wav\t余额\n"),
        ("metadata.jsonl", '{"file": "a.wav", "text": "余额"}\n'),
        ("metadata.csv", "a.wav|余额\n"),
        ("metadata.csv", "a|余额\n"),
        ("metadata.csv", "a|$|余额\n"),
    ],
)
def test_layouts(tmp_path: Path, name: str, body: str) -> None:
    table(tmp_path, name, body)
    for given_ in (tmp_path, tmp_path / name):
        assert [(c.file, c.text, c.language) for c in clips(given_)] == [(tmp_path / "a.wav", "余额", "zh")]


@pytest.mark.parametrize("below", ["clips", "wavs"])
def test_clips_in_folders_of_their_own(tmp_path: Path, below: str) -> None:
    found = clips(table(tmp_path, "metadata.csv", "b|two\n", (f"{below}/b.mp3",)))
    assert [(c.file.name, c.language) for c in found] == [("b.mp3", "en")]


def test_columns_and_what_a_row_says_of_itself(tmp_path: Path) -> None:
    body = "path,said,lang,who\na.wav,ok 好,en,x\n"
    names = {"file": "path", "text": "said", "language": "lang", "speaker": "who"}
    (one,) = clips(table(tmp_path, "t.csv", body), names, "zh")
    assert (one.language, one.speaker) == ("en", "x")
    assert clips(table(tmp_path, "u.csv", "file,text\na.wav,ok\n"), language="zh")[0].language == "zh"


def test_a_clip_below_the_data_folder(tmp_path: Path) -> None:
    there = tmp_path / "data/set/a.wav"
    there.parent.mkdir(parents=True)
    there.touch()
    path = table(tmp_path, "t.csv", "file,text\nset/a.wav,one\n", ())
    assert read_clips(path, {}, "", (tmp_path / "data").joinpath, "error", [])[0].file == there


def test_a_name_that_normalisation_changes(tmp_path: Path) -> None:
    assert clips(table(tmp_path, "metadata.csv", "①.wav|一\n", ("①.wav",)))[0].file.name == "①.wav"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("file,text\nb.wav,x\n", "no file b.wav"),
        ("file,text\na.wav,\n", "'text' is empty"),
        ("file,text\n,x\n", "'file' is empty"),
        ("file,text,language\na.wav,x,fr\n", "'fr' is none of zh, en"),
        ("a.wav|\n", "'text' is empty"),
        ("a.wav|x\n|x\n", "'file' is empty"),
    ],
)
def test_bad_rows_are_named_and_skipped_on_request(tmp_path: Path, body: str, reason: str) -> None:
    path = table(tmp_path, "metadata.csv", body)
    with pytest.raises(BadInput, match=reason):
        clips(path)


def test_skipped_rows_are_told(tmp_path: Path) -> None:
    bad: list[BadRow] = []
    path = table(tmp_path, "metadata.csv", "a.wav|one\nb.wav|two\n")
    assert len(read_clips(path, {}, "", nowhere, "skip", bad)) == 1
    assert [(row.where, row.reason) for row in bad] == [("metadata.csv:2", "there is no file b.wav")]


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no table"):
        clips(tmp_path)


@given(st.text(max_size=80))
def test_any_table_gives_clips_or_a_clear_refusal(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    folder = tmp_path_factory.mktemp("table")
    (folder / "metadata.csv").write_bytes(("a.wav|" + body).encode("utf-8", "surrogatepass"))
    (folder / "a.wav").touch()
    try:
        found = clips(folder)
    except BadInput:
        return
    assert all(clip.text and clip.file == folder / "a.wav" for clip in found)
