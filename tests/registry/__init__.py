"""Tests of the registry of artefacts."""
