"""Every table of the store, as SQLAlchemy typed declarative classes. Import from here so that all are registered."""

from openteller.store.tables.audit import AuditRow
from openteller.store.tables.base import Base
from openteller.store.tables.behaviour import BehaviourRunRow, BehaviourStateRow, CustomerTagRow
from openteller.store.tables.conversations import (
    ConversationRow,
    HandOffRow,
    OfferEventRow,
    SatisfactionRow,
    StaffMessageRow,
    TurnRow,
    TurnTimingRow,
)
from openteller.store.tables.customers import (
    AccountRow,
    BillRow,
    CardRow,
    ConsentRow,
    CustomerRow,
    HoldingRow,
    QuestionnaireRow,
    RiskAssessmentRow,
    ScheduledPaymentRow,
    TransactionRow,
)
from openteller.store.tables.feedback import CorrectionRow
from openteller.store.tables.identity import UserRow
from openteller.store.tables.insights import AlertRow, DeliveryRow
from openteller.store.tables.knowledge import DocumentRow, PassageRow, RegressionQuestionRow
from openteller.store.tables.notices import NoticeRow
from openteller.store.tables.opinion import (
    OpinionBurstRow,
    OpinionEntityRow,
    OpinionInboxRow,
    OpinionItemRow,
    OpinionMentionRow,
    OpinionSourceRow,
    OpinionTopicRow,
)
from openteller.store.tables.products import ProductGradeRow, ProductRow
from openteller.store.tables.recommendation import CampaignRow, ExperimentRow, ImpressionRow
from openteller.store.tables.surveys import (
    ComplaintEventRow,
    ComplaintRow,
    SurveyAnswerRow,
    SurveyLinkRow,
    SurveyRow,
)

__all__ = [
    "AccountRow",
    "AlertRow",
    "AuditRow",
    "Base",
    "BehaviourRunRow",
    "BehaviourStateRow",
    "BillRow",
    "CampaignRow",
    "CardRow",
    "ComplaintEventRow",
    "ComplaintRow",
    "ConsentRow",
    "ConversationRow",
    "CorrectionRow",
    "CustomerRow",
    "CustomerTagRow",
    "DeliveryRow",
    "DocumentRow",
    "ExperimentRow",
    "HandOffRow",
    "HoldingRow",
    "ImpressionRow",
    "NoticeRow",
    "OfferEventRow",
    "OpinionBurstRow",
    "OpinionEntityRow",
    "OpinionInboxRow",
    "OpinionItemRow",
    "OpinionMentionRow",
    "OpinionSourceRow",
    "OpinionTopicRow",
    "PassageRow",
    "ProductGradeRow",
    "ProductRow",
    "QuestionnaireRow",
    "RegressionQuestionRow",
    "RiskAssessmentRow",
    "SatisfactionRow",
    "ScheduledPaymentRow",
    "StaffMessageRow",
    "SurveyAnswerRow",
    "SurveyLinkRow",
    "SurveyRow",
    "TransactionRow",
    "TurnRow",
    "TurnTimingRow",
    "UserRow",
]
