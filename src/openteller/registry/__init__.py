"""Model artefacts: a folder with its files, its hashes and its card; and the registry of their versions, one of which serves."""
