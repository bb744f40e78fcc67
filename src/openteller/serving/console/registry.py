"""The console's pages in the order of the navigation. Adding one is one line here.

Knows nothing about how they are drawn.
"""

from openteller.serving.console.page import ConsolePage
from openteller.serving.console.pages import conversations, overview

PAGES: tuple[ConsolePage, ...] = (overview.PAGE, conversations.PAGE)
