"""The routes, one file for each part of the API. No route holds a rule of its own beyond who may call it."""
