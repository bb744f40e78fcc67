"""The staff console: pages for agents, analysts and administrators, drawn by NiceGUI when somebody first opens one.

    door (routes, sessions) ─▶ engine (NiceGUI, loaded then) ─▶ frame (header, navigation) ─▶ pages/<page>

A page is a module of `pages/` with a `ConsolePage`; `registry.PAGES` lists them. Knows no SQL and keeps nothing itself.
"""
