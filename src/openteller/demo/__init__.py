"""The demo bank: Pinebay Bank and everybody in it are fictional. Documents, products and a generator of customers.

The files are in `bank/`. Knows nothing about serving; whoever starts the application decides whether to load it.
"""
