"""Surveys: authored, sent, answered or imported; figures with their intervals, themes, drivers, and who to call back.

Knows nothing about HTTP, models or how a report is drawn.
"""
