"""What the bank listens to: trends of mood and need, public opinion, surveys, complaints, and the alerts they raise.

Reads what the road has stored and what sources bring; never stands on the road itself.
"""
