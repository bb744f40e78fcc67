"""How mood and need move over time, from message to bank. Reads what the road has stored; knows nothing about sources outside."""
