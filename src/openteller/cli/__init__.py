"""The command line, thin: each command says what it does and calls the part that does it."""
