"""Complaints: opened from a conversation, an answer or by staff; owned, kept to the statutory clock, decided.

Knows nothing about HTTP or schedules.
"""
