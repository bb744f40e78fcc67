"""What people say to a bank, the likeliest first: what recognition expects, and what homophones are put right to.

A bank's own products, branches and people come beside these. Knows no recogniser.
"""

_ZH = """
账户 余额 转账 信用卡 银行卡 挂失 定期存款 利率 贷款 理财 还款 手续费 账单 密码 限额 大额存单 活期存款 房贷 提前还款 违约金 年费 分期
额度 逾期 网点 汇款 汇率 基金 开户 销户 冻结 国债 结构性存款 存单 到账 跨行转账 最低还款额 手机银行 网上银行 验证码 利息 本金 储蓄卡 借记卡
外汇 保险 积分 征信 取现 征信报告 流水 对账单 身份证 风险评估 柜台 客户经理
"""
_EN = """
account balance, credit card, debit card, transfer, deposit, interest rate, mortgage, loan, overdraft, statement,
direct debit, standing order, time deposit, wealth management, annual fee, exchange rate, PIN, ATM, early repayment, IBAN
"""

BANK_WORDS: tuple[str, ...] = (*_ZH.split(), *(term.strip() for term in _EN.replace("\n", " ").split(",")))
