"""The investor questionnaire: its questions, the class that answers lead to, and the desk that keeps every assessment.

answers ─▶ checked ─▶ contradictions agreed to ─▶ score and caps ─▶ class C1–C5 ─▶ a changed class agreed to ─▶ in force
"""
