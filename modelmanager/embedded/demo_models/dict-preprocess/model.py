"""Brings terms of Korean and English texts to one spelling, by a dictionary, and splits them into words."""

import re
import unicodedata
from typing import Any

from simulated_gpu import SimulatedModel
from text import answer, strings, words

DICTIONARY = {
    "ai": "인공지능",
    "a.i.": "인공지능",
    "artificial intelligence": "인공지능",
    "챗봇": "대화형 에이전트",
    "chatbot": "대화형 에이전트",
    "엘엘엠": "LLM",
    "large language model": "LLM",
    "거대 언어 모델": "LLM",
    "대규모 언어 모델": "LLM",
    "지피유": "GPU",
    "그래픽 카드": "GPU",
    "임베딩": "embedding",
    "벡터화": "embedding",
    "디비": "데이터베이스",
    "db": "데이터베이스",
    "메뉴얼": "매뉴얼",
    "컨텐츠": "콘텐츠",
    "데이타": "데이터",
}


class TritonPythonModel(SimulatedModel):
    def prepare(self) -> None:
        terms = sorted(DICTIONARY, key=len, reverse=True)
        self.pattern = re.compile("|".join(_as_pattern(term) for term in terms), re.IGNORECASE)

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._normalize_all(strings(request, "TEXT")) for request in requests]

    def _normalize_all(self, texts: list[str]) -> Any:
        normal = [self.normalize(text) for text in texts]
        return answer(NORMALIZED=normal, TOKENS=[" ".join(words(text)) for text in normal])

    def normalize(self, text: str) -> str:
        text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
        return self.pattern.sub(lambda found: DICTIONARY[found.group().lower()], text)


def _as_pattern(term: str) -> str:
    """English terms match as whole words; Korean ones also with a particle behind them."""
    escaped = re.escape(term)
    return rf"(?<![0-9A-Za-z]){escaped}(?![0-9A-Za-z])" if term.isascii() else escaped
