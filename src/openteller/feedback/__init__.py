"""What staff say about turns that went wrong: a queue of turns to look at, corrections by four eyes, curated examples.

turn ─▶ queue ─▶ correction ─ somebody else ─▶ accepted ─▶ curated examples ─▶ training
"""
