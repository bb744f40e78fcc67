"""Tests of exporting a trained model."""
