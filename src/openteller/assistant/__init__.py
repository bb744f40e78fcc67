"""The road: an inquiry in, a stored turn out. dialogue.py shows it whole; each other file is one stop of it."""
