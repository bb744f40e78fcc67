"""`teller speak`: files, voices, figures in words, and what it refuses."""

import json
from pathlib import Path

import pytest

from openteller.cli.main import run
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.voice.sound_files import read_mark


@pytest.fixture
def synthesizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedSynthesizer:
    """Tones in place of the voice, and a folder of its own to run in."""
    made = ScriptedSynthesizer()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("openteller.assembly.open_synthesizer", lambda settings, catalogue: (made, "tones"))
    return made


def test_a_text_becomes_a_marked_file(
    synthesizer: ScriptedSynthesizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["speak", "年利率是3.25%。请以公告为准。"]) == 0
    assert "speech.wav" in capsys.readouterr().out
    mark = read_mark(tmp_path / "speech.wav")
    assert mark is not None
    assert mark.generator == "tones zh_low"
    assert [asked.text for asked in synthesizer.requests] == ["年利率是百分之三点二五。", "请以公告为准。"]
    assert not (tmp_path / "var" / "voice" / "cache").exists()


def test_language_voice_speed_and_output_are_followed(
    synthesizer: ScriptedSynthesizer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["speak", "Pay 5 yuan.", "--voice", "en_high", "--speed", "1.5", "--output", "reply.mp3", "--json"]
    assert run(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == "reply.mp3"
    assert (told["language"], told["voice"], told["spoken"]) == ("en", "en_high", ["Pay five yuan."])
    assert synthesizer.requests[0].speed == 1.5
    assert Path("reply.mp3").stat().st_size > 500


@pytest.mark.usefixtures("synthesizer")
def test_the_voices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["speak", "--list-voices"]) == 0
    assert "zh_low (default), zh_high" in capsys.readouterr().out
    assert run(["speak", "--list-voices", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["en"] == ["en_low", "en_high"]


@pytest.mark.usefixtures("synthesizer")
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "no text"),
        (["  "], "no text"),
        (["……"], "nothing"),
        (["您好" * 20_000], "20000"),
        (["您好", "--voice", "nobody"], "zh_low"),
        (["您好", "--speed", "9"], "0.5"),
        (["您好", "--output", "a.doc"], ".wav"),
        (["您好", "--output", "nowhere/a.wav"], "cannot be written"),
    ],
)
def test_what_cannot_be_said_is_explained(arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["speak", *arguments]) == 1
    told = capsys.readouterr().err
    assert part in told
    assert "Traceback" not in told
