"""Public opinion: what sources bring about the bank and those around it, as it comes in.

    source ─▶ normalise ─▶ duplicate? ─▶ entities ─▶ sentiment, event, severity ─▶ topic ─▶ burst ─▶ alert
       ▲                                                                                       │
       └────────── cursor ◀── one transaction with items, topics and bursts ◀──────────────────┘

Everything it says links to the items that it says it of. See docs/guide/opinion.md and docs/decisions/0018.
"""
