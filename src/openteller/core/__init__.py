"""Shared vocabulary: the records of the road, the error family, text and clock helpers. Imports nothing of ours."""
