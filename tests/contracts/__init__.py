"""Contract suites: one a protocol, run by every implementation. A new engine is one line in conftest.py."""
