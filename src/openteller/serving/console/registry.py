"""The console's pages in the order of the navigation. Adding one is one line here.

Knows nothing about how they are drawn.
"""

from openteller.serving.console.page import ConsolePage
from openteller.serving.console.pages import (
    audit,
    complaints,
    conversations,
    customers,
    experiments,
    feedback,
    knowledge,
    models,
    notices,
    offers,
    opinion,
    overview,
    surveys,
    trends,
)

PAGES: tuple[ConsolePage, ...] = (
    overview.PAGE,
    conversations.PAGE,
    knowledge.PAGE,
    feedback.PAGE,
    surveys.PAGE,
    complaints.PAGE,
    trends.PAGE,
    opinion.PAGE,
    customers.PAGE,
    offers.PAGE,
    notices.PAGE,
    experiments.PAGE,
    models.PAGE,
    audit.PAGE,
)
