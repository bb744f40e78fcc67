"""The console's pages, one a module: its `PAGE` says its title, who may see it, and what draws it."""
