"""Alerts: something that somebody at the bank should look at now. Knows nothing about what is watched."""
