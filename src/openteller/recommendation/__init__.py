"""Recommendation: which products to offer, why, and when to offer none.

Imports customers, products, store and core. Pure functions over records; only repository.py touches the database.
"""
