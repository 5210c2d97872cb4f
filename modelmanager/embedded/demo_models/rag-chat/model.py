"""Answers a question with the sentences of the context that have most to do with it."""

from typing import Any

from simulated_gpu import SimulatedModel
from text import answer, embed, sentences, strings, words

DIMENSIONS = 256
UNKNOWN = {True: "주어진 문서에서 답을 찾을 수 없습니다.", False: "The given documents hold no answer."}
INTRODUCTION = {True: "문서에 따르면: ", False: "According to the documents: "}


class TritonPythonModel(SimulatedModel):
    def prepare(self) -> None:
        self.longest = int(self.parameters.get("sentences", "2"))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._reply(request) for request in requests]

    def _reply(self, request: Any) -> Any:
        question = " ".join(strings(request, "QUESTION"))
        lines = [line for text in strings(request, "CONTEXT") for line in sentences(text)]
        return answer(ANSWER=[reply(question, lines, self.longest)])


def reply(question: str, lines: list[str], longest: int) -> str:
    """The best sentences in their order of appearance, or that there are none."""
    is_korean = any("가" <= letter <= "힣" for letter in question)
    asked = set(words(question))
    related = [(relation(asked, question, line), i) for i, line in enumerate(lines)]
    best = sorted(sorted(related, key=lambda pair: -pair[0])[:longest], key=lambda pair: pair[1])
    chosen = [lines[i] for strength, i in best if strength > 0.2]
    return INTRODUCTION[is_korean] + " ".join(chosen) if chosen else UNKNOWN[is_korean]


def relation(asked: set[str], question: str, line: str) -> float:
    shared = len(asked & set(words(line))) / max(len(asked), 1)
    return shared + 0.5 * max(float(embed(question, DIMENSIONS) @ embed(line, DIMENSIONS)), 0.0)
