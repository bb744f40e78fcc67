"""Data sets for training: reading rows of any format, checking them, and splitting them. Knows nothing about models."""
