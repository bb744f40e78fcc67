"""`teller retrain` and its page of the guide: the schedules there use switches that there are."""

import re
from pathlib import Path

import pytest

from openteller.cli.main import run

PAGE = Path(__file__).parents[2] / "docs/guide/retraining.md"


@pytest.mark.parametrize("block", ["sh", "crontab", "ini"])
def test_every_switch_of_the_guide_exists(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(rf"```{block}\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    used = {switch for text in blocks for call in re.findall(r"teller retrain[^#>\n]*", text)
            for switch in re.findall(r"--[a-z-]+", call)}  # fmt: skip
    assert used
    with pytest.raises(SystemExit):
        run(["retrain", "--help"])
    helped = capsys.readouterr().out
    assert {switch for switch in used if switch not in helped} == set()
