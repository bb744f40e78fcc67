"""Model artefacts: a folder with its files and a manifest that says what, from which data, how good, and the hashes."""
