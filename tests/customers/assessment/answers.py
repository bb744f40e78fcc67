"""Filled-in questionnaires to start from."""

CAUTIOUS = {
    "source": "pension", "income": "under_60k", "reserve": "under_6m", "debts": "none", "share": "under_tenth",
    "experience": "cautious", "years": "under_1y", "knowledge": "target", "horizon": "under_3y", "loss": "little",
    "reaction": "sell_some", "goal": "income",
}  # fmt: skip
BALANCED = CAUTIOUS | {
    "source": "wages", "income": "under_400k", "reserve": "under_2y", "experience": "balanced", "years": "under_3y",
    "horizon": "under_5y", "loss": "some", "reaction": "wait", "goal": "growth",
}  # fmt: skip
BOLD = BALANCED | {
    "income": "over_1m", "reserve": "over_2y", "experience": "leveraged", "years": "over_8y", "horizon": "over_5y",
    "loss": "most", "reaction": "buy", "goal": "most",
}  # fmt: skip
