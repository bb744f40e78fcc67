"""The console's words for what the records name, Chinese and English. Knows nothing about pages."""

from openteller.core.records import LocalText, Outcome
from openteller.insights.alerts.records import Severity

OUTCOMES = {
    Outcome.ANSWERED: LocalText(zh="已回答", en="Answered"),
    Outcome.CLARIFY: LocalText(zh="反问", en="Asked back"),
    Outcome.REFUSED: LocalText(zh="未回答", en="Refused"),
    Outcome.HANDED_OFF: LocalText(zh="转人工", en="Handed off"),
}
SEVERITIES = {
    Severity.INFO: LocalText(zh="提示", en="info"),
    Severity.WARNING: LocalText(zh="警告", en="warning"),
    Severity.CRITICAL: LocalText(zh="紧急", en="critical"),
}
MOODS = {
    "negative": LocalText(zh="负面", en="negative"),
    "neutral": LocalText(zh="中性", en="neutral"),
    "positive": LocalText(zh="正面", en="positive"),
}
CHANNELS = {
    "api": LocalText(zh="接口", en="API"),
    "widget": LocalText(zh="网页", en="web"),
    "cli": LocalText(zh="命令行", en="terminal"),
    "voice": LocalText(zh="语音", en="voice"),
}
LANGUAGES = {
    "zh-Hans": LocalText(zh="简体中文", en="Simplified Chinese"),
    "zh-Hant": LocalText(zh="繁体中文", en="Traditional Chinese"),
    "en": LocalText(zh="英文", en="English"),
    "mixed": LocalText(zh="中英混合", en="mixed"),
}
