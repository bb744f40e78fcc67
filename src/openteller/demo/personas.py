"""Ways of living in the demo bank: what each kind of customer earns, spends on and keeps. All of it invented.

Shares are of the monthly income, counts are purchases a month. Knows nothing about dates or single customers.
"""

from dataclasses import dataclass
from typing import Literal

Income = Literal["salary", "pension", "allowance", "trade"]
Words = tuple[str, str]


@dataclass(frozen=True)
class Habit:
    """Purchases of one category: share of income a month, purchases a month, spread (log-normal sigma)."""

    category: str
    share: float
    count: float
    sigma: float = 0.6


@dataclass(frozen=True)
class Persona:
    """A kind of customer. Chances are 0–1, incomes CNY a month, ages whole years."""

    key: str
    weight: float
    segments: tuple[str, ...]
    ages: tuple[int, int]
    income: Income
    median_income: int
    sigma_income: float
    habits: tuple[Habit, ...]
    rent_share: float
    rents: float
    mortgages: float
    borrows: float
    credit_cards: tuple[str, ...]
    has_credit_card: float
    saves: float
    idle_months: float
    assessed: float
    classes: tuple[float, float, float, float, float]
    invests: float


PERSONAS: tuple[Persona, ...] = (
    Persona(
        "student", 0.12, ("student", "youth"), (18, 24), "allowance", 2_400, 0.25,
        (Habit("dining", 0.36, 8, 0.4), Habit("groceries", 0.08, 2), Habit("transport", 0.05, 3),
         Habit("shopping", 0.15, 2),
         Habit("entertainment", 0.08, 1.5), Habit("education", 0.05, 0.2), Habit("travel", 0.05, 0.15)),
        0.0, 0.0, 0.0, 0.0, ("CARD-STUDENT",), 0.25, 0.05, 1.0, 0.3, (0.2, 0.4, 0.3, 0.1, 0.0), 0.1,
    ),
    Persona(
        "worker", 0.28, ("payroll",), (22, 34), "salary", 9_500, 0.35,
        (Habit("groceries", 0.07, 3), Habit("dining", 0.13, 6), Habit("transport", 0.04, 4),
         Habit("shopping", 0.10, 2.5),
         Habit("entertainment", 0.04, 1), Habit("health", 0.01, 0.2), Habit("travel", 0.05, 0.25)),
        0.24, 0.75, 0.05, 0.15, ("CARD-YOUNG", "CARD-CLASSIC", "CARD-CASHBACK"), 0.6, 0.2, 1.5, 0.6,
        (0.1, 0.25, 0.35, 0.25, 0.05), 0.3,
    ),
    Persona(
        "family", 0.28, ("payroll",), (30, 55), "salary", 17_000, 0.4,
        (Habit("groceries", 0.10, 4), Habit("dining", 0.06, 3), Habit("transport", 0.05, 3),
         Habit("shopping", 0.08, 2.5),
         Habit("education", 0.07, 0.8), Habit("health", 0.02, 0.3), Habit("entertainment", 0.02, 0.6),
         Habit("travel", 0.05, 0.25)),
        0.2, 0.25, 0.6, 0.2, ("CARD-GOLD", "CARD-AUTO", "CARD-CASHBACK", "CARD-TRAVEL"), 0.7, 0.45, 2.0, 0.7,
        (0.15, 0.3, 0.35, 0.17, 0.03), 0.45,
    ),
    Persona(
        "business", 0.1, ("business",), (28, 60), "trade", 32_000, 0.5,
        (Habit("groceries", 0.04, 3), Habit("dining", 0.10, 5), Habit("transport", 0.06, 4), Habit("shopping", 0.07, 2),
         Habit("travel", 0.06, 0.5), Habit("entertainment", 0.03, 1), Habit("cash", 0.05, 0.7)),
        0.1, 0.3, 0.35, 0.3, ("CARD-GOLD", "CARD-TRAVEL", "CARD-PLATINUM"), 0.7, 0.4, 2.5, 0.65,
        (0.08, 0.22, 0.35, 0.27, 0.08), 0.4,
    ),
    Persona(
        "senior", 0.16, ("senior",), (60, 84), "pension", 5_200, 0.35,
        (Habit("groceries", 0.24, 6, 0.4), Habit("dining", 0.05, 1), Habit("health", 0.12, 1),
         Habit("shopping", 0.08, 1),
         Habit("transport", 0.02, 1), Habit("travel", 0.05, 0.15), Habit("cash", 0.14, 1, 0.3)),
        0.0, 0.0, 0.0, 0.0, ("CARD-CLASSIC",), 0.1, 0.7, 6.0, 0.6, (0.4, 0.4, 0.17, 0.03, 0.0), 0.4,
    ),
    Persona(
        "private", 0.06, ("private",), (35, 66), "salary", 85_000, 0.4,
        (Habit("groceries", 0.03, 3), Habit("dining", 0.06, 5), Habit("shopping", 0.10, 3), Habit("travel", 0.10, 0.8),
         Habit("education", 0.05, 0.4), Habit("health", 0.02, 0.4), Habit("entertainment", 0.03, 1),
         Habit("transport", 0.02, 2)),
        0.0, 0.0, 0.4, 0.05, ("CARD-PLATINUM", "CARD-TRAVEL"), 0.9, 0.7,
        4.0, 0.95, (0.04, 0.16, 0.35, 0.33, 0.12), 0.85,
    ),
)  # fmt: skip

SEASONS: dict[str, tuple[float, ...]] = {
    # January to December: Spring Festival, May and National Day holidays, summer holidays, 618 and Double Eleven.
    "travel": (0.8, 1.9, 0.6, 0.9, 1.7, 0.8, 1.8, 1.7, 0.7, 2.2, 0.5, 0.6),
    "shopping": (1.4, 1.1, 0.8, 0.8, 0.9, 1.6, 0.9, 0.8, 0.9, 1.0, 1.9, 1.2),
    "dining": (1.1, 1.3, 0.95, 0.95, 1.05, 1.0, 1.05, 1.05, 0.95, 1.1, 0.95, 1.05),
    "education": (0.6, 1.6, 1.1, 0.8, 0.8, 0.9, 1.1, 1.3, 2.0, 0.8, 0.8, 0.7),
    "utilities": (1.4, 1.3, 1.0, 0.8, 0.85, 1.1, 1.5, 1.55, 1.2, 0.8, 0.9, 1.3),
}

MERCHANTS: dict[str, tuple[Words, ...]] = {
    "groceries": (("青禾超市", "Qinghe Supermarket"), ("邻里生鲜", "Linli Fresh"), ("晨露菜市场", "Morning Dew Market"),
                  ("万家便利", "Wanjia Convenience")),
    "dining": (("巷口面馆", "Alley Noodle House"), ("云上茶饮", "Cloud Tea"), ("小满火锅", "Xiaoman Hotpot"),
               ("蓝鲸外卖", "Blue Whale Delivery"), ("拾光咖啡", "Shiguang Coffee")),
    "transport": (("城市地铁", "City Metro"), ("轻舟出行", "Qingzhou Rides"), ("远航加油站", "Yuanhang Fuel"),
                  ("绿电充电", "Green Charge")),
    "shopping": (("橙果商城", "Chengguo Mall"), ("木棉百货", "Kapok Department Store"), ("极光数码", "Aurora Digital"),
                 ("素衣服饰", "Suyi Clothing")),
    "entertainment": (("银幕影城", "Silver Screen Cinema"), ("星河影音会员", "Galaxy Video"),
                      ("乐芒游戏", "Lemang Games")),
    "education": (("启明培训中心", "Qiming Learning Centre"), ("松湾大学", "Pinebay University"),
                  ("书香阁", "Shuxiang Books")),
    "health": (("市第九医院", "City Ninth Hospital"), ("安康药房", "Ankang Pharmacy"),
               ("明眸眼科", "Bright Eye Clinic")),
    "travel": (("飞鹭航空", "Egret Airlines"), ("山海酒店", "Shanhai Hotels"), ("漫游旅行社", "Roam Travel"),
               ("国家铁路购票", "National Rail")),
    "cash": (("ATM取现", "ATM withdrawal"),),
}  # fmt: skip

SURNAMES: tuple[Words, ...] = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"), ("赵", "Zhao"),
    ("黄", "Huang"), ("周", "Zhou"), ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"), ("胡", "Hu"), ("朱", "Zhu"),
    ("高", "Gao"), ("林", "Lin"), ("何", "He"), ("郭", "Guo"), ("马", "Ma"), ("罗", "Luo"), ("梁", "Liang"),
    ("宋", "Song"), ("郑", "Zheng"), ("谢", "Xie"), ("韩", "Han"), ("唐", "Tang"), ("冯", "Feng"), ("于", "Yu"),
    ("董", "Dong"), ("萧", "Xiao"),
)  # fmt: skip
GIVEN: tuple[Words, ...] = (
    ("伟", "wei"), ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("丽", "li"), ("强", "qiang"),
    ("磊", "lei"), ("洋", "yang"), ("艳", "yan"), ("勇", "yong"), ("军", "jun"), ("杰", "jie"), ("娟", "juan"),
    ("涛", "tao"), ("明", "ming"), ("超", "chao"), ("霞", "xia"), ("平", "ping"), ("刚", "gang"), ("桂", "gui"),
    ("文", "wen"), ("辉", "hui"), ("玲", "ling"), ("建", "jian"), ("思", "si"), ("雨", "yu"), ("晨", "chen"),
    ("浩", "hao"), ("宇", "yu"), ("欣", "xin"), ("怡", "yi"), ("佳", "jia"), ("琪", "qi"), ("子", "zi"), ("涵", "han"),
    ("梓", "zi"), ("轩", "xuan"), ("若", "ruo"), ("彤", "tong"),
)  # fmt: skip
CITIES = ("杭州", "宁波", "苏州", "南京", "上海", "武汉", "成都", "广州", "深圳", "青岛", "厦门", "西安")
EMPLOYERS: tuple[Words, ...] = (
    ("云杉科技", "Spruce Technology"), ("东湾制造", "Eastbay Manufacturing"),
    ("松湾市教育局", "Pinebay Education Bureau"),
    ("海石物流", "Seastone Logistics"), ("和风医疗", "Hefeng Medical"), ("北辰设计", "Polaris Design"),
)  # fmt: skip
BUYERS: tuple[Words, ...] = (
    ("溪谷商贸", "Xigu Trading"), ("金穗食品", "Golden Ear Foods"), ("立方装饰", "Cube Interiors"),
    ("恒川建材", "Hengchuan Materials"),
)  # fmt: skip
INVESTMENTS: tuple[tuple[tuple[str, ...], float], ...] = (
    # R1 to R5: products, and the spread of the gain so far
    (("FUND-MM", "WM-DAILY"), 0.01),
    (("FUND-BOND", "FUND-BOND-SHORT", "WM-90D", "WM-180D"), 0.02),
    (("FUND-BALANCED", "WM-1Y", "WM-GROWTH", "FUND-REIT"), 0.08),
    (("FUND-INDEX", "FUND-TECH", "FUND-GLOBAL", "FUND-GOLD"), 0.2),
    (("FUND-SMALLCAP",), 0.3),
)
