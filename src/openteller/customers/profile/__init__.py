"""What a customer's movements say: categories, a running state, cash flow, segments, life events, tags, the profile.

The same shape as its neighbours; only `repository.py` knows the store. Imports core, store and the records next door.
"""
