"""Stages: whatever is done in whatever order, there is at most one champion and nothing is forgotten."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from openteller.core.errors import BadInput, Conflict, NotFound
from openteller.registry.stages import Action, Slot, Stage

SAID = {"actor": "li", "reason": "because"}
VERSIONS = st.sampled_from(["v1", "v2", "v3", "v4"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["registered", "promoted", "retired"]), VERSIONS), st.just(("rolled_back", ""))
    ),
    max_size=40,
)


def empty() -> Slot:
    return Slot(name="toy", task="classification")


def step(slot: Slot, action: str, version: str) -> Slot:
    match action:
        case "registered":
            return slot.registered(version, actor="li")
        case "promoted":
            return slot.promoted(version, **SAID)
        case "retired":
            return slot.retired(version, **SAID)
        case _:
            return slot.rolled_back(**SAID)


def stages(slot: Slot) -> dict[str, str]:
    return {v.version: v.stage.value for v in slot.versions()}


def after(*steps: str) -> Slot:
    """The slot after steps like ``registered v1``."""
    slot = empty()
    for text in steps:
        action, _, version = text.partition(" ")
        slot = step(slot, action, version)
    return slot


TWO = ("registered v1", "registered v2", "promoted v1", "promoted v2")


@settings(max_examples=200)
@given(STEPS)
def test_never_two_champions_and_nothing_is_lost(steps: list[tuple[str, str]]) -> None:
    slot, registered = empty(), list[str]()
    for action, version in steps:
        try:
            changed = step(slot, action, version)
        except (Conflict, NotFound):
            continue
        assert changed.changes[: len(slot.changes)] == slot.changes
        if action == "registered" and version not in registered:
            registered.append(version)
        slot = changed
        champions = [v for v, stage in stages(slot).items() if stage == "champion"]
        assert champions == ([slot.champion] if slot.champion else [])
        assert list(stages(slot)) == registered
        assert slot.previous is None or slot.previous != slot.champion
    assert Slot.model_validate_json(slot.model_dump_json()) == slot


def test_candidate_champion_retired() -> None:
    slot = after("registered v1", "registered v2")
    assert stages(slot) == {"v1": "candidate", "v2": "candidate"}
    slot = slot.promoted("v1", **SAID)
    assert stages(slot) == {"v1": "champion", "v2": "candidate"}
    slot = slot.promoted("v2", **SAID)
    assert stages(slot) == {"v1": "retired", "v2": "champion"}
    assert slot.changes[-1].displaced == "v1"
    assert slot.version("v1").since == slot.changes[-1].at


def test_a_rollback_goes_back_one_champion_at_a_time() -> None:
    slot = after(*TWO, "registered v3", "promoted v3", "rolled_back")
    assert stages(slot) == {"v1": "retired", "v2": "champion", "v3": "retired"}
    slot = slot.rolled_back(**SAID)
    assert slot.champion == "v1"
    with pytest.raises(Conflict, match="no earlier champion"):
        slot.rolled_back(**SAID)


def test_one_that_was_retired_by_hand_does_not_come_back_by_a_rollback() -> None:
    slot = after(*TWO, "retired v2", "registered v3", "promoted v3")
    assert slot.previous == "v1"
    assert after(*TWO, "registered v1", "retired v1").previous is None


def test_without_a_champion_there_is_nothing_to_roll_back_from() -> None:
    with pytest.raises(Conflict, match="no champion"):
        after(*TWO, "retired v2").rolled_back(**SAID)


def test_a_retired_one_is_promoted_only_as_a_candidate_again() -> None:
    slot = after(*TWO)
    with pytest.raises(Conflict, match="it is retired") as caught:
        slot.promoted("v1", **SAID)
    assert "Register it again" in caught.value.next_step
    slot = slot.registered("v1", actor="li")
    assert slot.version("v1").stage is Stage.CANDIDATE
    assert slot.promoted("v1", **SAID).previous == "v2"


def test_registering_again_changes_nothing_for_one_that_stands() -> None:
    slot = after("registered v1", "registered v2", "promoted v1")
    assert slot.registered("v1", actor="li") is slot
    assert slot.registered("v2", actor="li") is slot


def test_what_cannot_be_done_is_refused() -> None:
    slot = after("registered v1", "promoted v1")
    with pytest.raises(Conflict, match="it is champion"):
        slot.promoted("v1", **SAID)
    with pytest.raises(NotFound, match="no version v9"):
        slot.promoted("v9", **SAID)
    with pytest.raises(Conflict, match="retired already"):
        slot.retired("v1", **SAID).retired("v1", **SAID)
    for blank in ("", "  "):
        with pytest.raises(BadInput, match="reason"):
            slot.retired("v1", actor="li", reason=blank)


def test_a_version_is_found_by_how_it_begins_or_by_its_stage() -> None:
    slot = after("registered abc1", "registered abd2", "promoted abc1", "registered x3")
    assert (slot.find("abc"), slot.find("champion"), slot.find("candidate")) == ("abc1", "abc1", "x3")
    with pytest.raises(BadInput, match="abc1 or abd2"):
        slot.find("ab")
    for nothing in ("", "z"):
        with pytest.raises(NotFound):
            slot.find(nothing)
    with pytest.raises(NotFound, match="no champion"):
        after("registered v1").find("champion")


@pytest.mark.parametrize("at", range(4))
def test_a_history_with_a_hole_is_no_history(at: int) -> None:
    slot = after(*TWO)
    fields = slot.model_dump()
    with pytest.raises(ValidationError):
        Slot.model_validate(fields | {"changes": fields["changes"][:at] + fields["changes"][at + 1 :], "told": 4})


def test_a_history_that_crowns_two_is_no_history() -> None:
    fields = after(*TWO).model_dump()
    fields["changes"][3]["displaced"] = None
    with pytest.raises(ValidationError, match="does not follow"):
        Slot.model_validate(fields)
    assert {action.value for action in Action} == {"registered", "promoted", "rolled_back", "retired"}
