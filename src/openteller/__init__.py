"""OpenTeller: an on-premise assistant for a bank's customers and staff, in Chinese and English."""

__version__ = "0.1.0"
