"""Names that both languages read out: currencies and units of measure. A bank adds its own rows here.

Knows nothing about grammar.
"""

import re
from typing import NamedTuple


class Currency(NamedTuple):
    """A currency: how it is written before an amount, and its names; empty minor names: decimals are read as digits."""

    written: tuple[str, ...]
    zh: str
    one: str
    many: str
    minor_one: str = ""
    minor_many: str = ""


CURRENCIES = (
    Currency(("HK$", "HKD"), "港元", "Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    Currency(("US$", "USD", "$"), "美元", "dollar", "dollars", "cent", "cents"),
    Currency(("AU$", "A$", "AUD"), "澳元", "Australian dollar", "Australian dollars", "cent", "cents"),
    Currency(("C$", "CAD"), "加元", "Canadian dollar", "Canadian dollars", "cent", "cents"),
    Currency(("S$", "SGD"), "新加坡元", "Singapore dollar", "Singapore dollars", "cent", "cents"),
    Currency(("NT$", "TWD"), "新台币", "Taiwan dollar", "Taiwan dollars"),
    Currency(("JP¥", "JPY"), "日元", "yen", "yen"),
    Currency(("¥", "RMB", "CNY"), "元", "yuan", "yuan"),
    Currency(("€", "EUR"), "欧元", "euro", "euros", "cent", "cents"),
    Currency(("£", "GBP"), "英镑", "pound", "pounds", "penny", "pence"),
    Currency(("CHF",), "瑞士法郎", "Swiss franc", "Swiss francs", "centime", "centimes"),
    Currency(("₩", "KRW"), "韩元", "won", "won"),
    Currency(("฿", "THB"), "泰铢", "baht", "baht"),
    Currency(("₽", "RUB"), "卢布", "rouble", "roubles"),
    Currency(("₹", "INR"), "印度卢比", "rupee", "rupees"),
    Currency(("₫", "VND"), "越南盾", "dong", "dong"),
    Currency(("₿", "BTC"), "比特币", "bitcoin", "bitcoin"),
)
BY_SIGN = {sign: currency for currency in CURRENCIES for sign in currency.written}
SIGN = "|".join(re.escape(sign) for sign in sorted(BY_SIGN, key=len, reverse=True))
CODE = "|".join(sign for sign in sorted(BY_SIGN) if sign.isascii() and sign.isalpha())

UNITS = {  # written after a number: zh, en for one, en for many
    "km^2": ("平方公里", "square kilometre", "square kilometres"), "m^2": ("平方米", "square metre", "square metres"),
    "m^3": ("立方米", "cubic metre", "cubic metres"), "km": ("公里", "kilometre", "kilometres"),
    "cm": ("厘米", "centimetre", "centimetres"), "mm": ("毫米", "millimetre", "millimetres"),
    "kg": ("公斤", "kilogram", "kilograms"), "g": ("克", "gram", "grams"), "mg": ("毫克", "milligram", "milligrams"),
    "m": ("米", "metre", "metres"), "oz": ("盎司", "ounce", "ounces"), "ml": ("毫升", "millilitre", "millilitres"),
    "L": ("升", "litre", "litres"), "kWh": ("千瓦时", "kilowatt-hour", "kilowatt-hours"),
    "KB": ("KB", "kilobyte", "kilobytes"), "MB": ("兆", "megabyte", "megabytes"), "GB": ("G", "gigabyte", "gigabytes"),
    "°C": ("摄氏度", "degree Celsius", "degrees Celsius"), "°F": ("华氏度", "degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("度", "degree", "degrees"), "bps": ("个基点", "basis point", "basis points"),
    "bp": ("个基点", "basis point", "basis points"), "BPs": ("个基点", "basis point", "basis points"),
    "BP": ("个基点", "basis point", "basis points"), "h": ("小时", "hour", "hours"), "s": ("秒", "second", "seconds"),
    "min": ("分钟", "minute", "minutes"), "hrs": ("小时", "hour", "hours"), "yrs": ("年", "year", "years"),
}  # fmt: skip
UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
"""Digits with or without thousands commas and decimals."""
MINUS = r"(?<![0-9A-Za-z)\]])-(?=[\d.]|[¥$€£])"
"""A hyphen that means "less than nothing", not a range or a compound."""
