"""Tests: each room of src/openteller has its mirror here."""
