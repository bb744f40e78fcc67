from pathlib import Path

import pytest
import yaml

from openteller.recommendation.signals import NEEDS, observed, stated
from tests.recommendation.given import ON, file, understood

TAXONOMY = Path(__file__).parents[2] / "recipes" / "data" / "understanding" / "TAXONOMY.yaml"


def test_the_needs_are_those_of_the_taxonomy() -> None:
    assert list(NEEDS) == yaml.safe_load(TAXONOMY.read_text(encoding="utf-8"))["needs"]


def test_unlikely_needs_do_not_count() -> None:
    understanding = understood("saving", "home")
    unsure = understanding.needs[1].model_copy(update={"probability": 0.39})
    signals = list(stated(understanding.model_copy(update={"needs": (understanding.needs[0], unsure)})))
    assert [signal.code for signal in signals] == ["need:saving"]
    assert all(signal.stated for signal in signals)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, set()),
        ({"idle": 4_999}, set()),
        ({"idle": 5_000}, {"idle_balance"}),
        ({"spending": {"travel": 300}}, {"spending:travel"}),
        ({"spending": {"travel": 299}}, set()),
        ({"spending": {"housing": 1_500}}, {"rent"}),
        (
            {"spending": {"housing": 1_500}, "accounts": (("mortgage", "MTG-FIRST"), ("credit", "CARD-GOLD"))},
            {"mortgage"},
        ),
        ({"spending": {"dining": 2_000}, "accounts": (("savings", "SAV-CNY"),)}, {"no_credit_card"}),
        ({"card_use": 0.4}, {"card_use"}),
        ({"salary": 1}, {"salary"}),
        ({"age": 45}, {"age_retirement"}),
        ({"age": 59}, set()),
    ],
)
def test_behaviour_rules(given: dict[str, object], codes: set[str]) -> None:
    signals = list(observed(file(**given), ON))  # type: ignore[arg-type]
    assert {signal.code for signal in signals} == codes
    for signal in signals:
        assert 0 < signal.weight < 1
        assert not signal.stated
        assert signal.phrase.zh != signal.phrase.en
