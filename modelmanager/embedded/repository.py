"""The demo model repository: six models shaped like a RAG system's, sharing one simulated GPU."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEMO_GPU_MEMORY_MB = 6144
SOURCES = Path(__file__).with_name("demo_models")

Kind = Literal["chat", "embedding", "rerank", "preprocessing", "other"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a model; -1 stands for any length."""

    name: str
    data_type: str
    dims: tuple[int, ...]

    def as_config(self) -> str:
        return f'{{ name: "{self.name}" data_type: {self.data_type} dims: [{", ".join(map(str, self.dims))}] }}'


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model of the demo repository: what it declares of itself.

    `load_s` is what it takes to load by its own doing; Triton needs a tenth of a second more.
    """

    name: str
    display_name: str
    description: str
    kind: Kind
    gpu_memory_mb: int
    load_s: float
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    settings: tuple[tuple[str, str], ...] = ()

    def config(self) -> str:
        """Its config.pbtxt."""
        declared = {"gpu_memory_mb": str(self.gpu_memory_mb), "load_s": f"{self.load_s:g}"} | dict(self.settings)
        lines = [f'name: "{self.name}"', 'backend: "python"', "max_batch_size: 0"]
        lines += [f"input {tensor.as_config()}" for tensor in self.inputs]
        lines += [f"output {tensor.as_config()}" for tensor in self.outputs]
        lines += ["instance_group { kind: KIND_CPU count: 1 }"]
        lines += [f'parameters {{ key: "{key}" value {{ string_value: "{text}" }} }}' for key, text in declared.items()]
        return "\n".join(lines) + "\n"


_TEXTS = Tensor("TEXT", "TYPE_STRING", (-1,))

# At most three of them fit at a time; rag-chat and bge-m3 do not fit together.
DEMO_MODELS: tuple[DemoModel, ...] = (
    DemoModel(
        name="bge-m3",
        display_name="BGE-M3 임베딩",
        description="Embedding for the knowledge base: Korean and English, 256 dimensions",
        kind="embedding",
        gpu_memory_mb=2200,
        load_s=2.5,
        inputs=(_TEXTS,),
        outputs=(Tensor("EMBEDDING", "TYPE_FP32", (-1, 256)),),
    ),
    DemoModel(
        name="e5-small-ko",
        display_name="E5 small 한국어 임베딩",
        description="Small embedding for short Korean texts, 64 dimensions",
        kind="embedding",
        gpu_memory_mb=1300,
        load_s=0.3,
        inputs=(_TEXTS,),
        outputs=(Tensor("EMBEDDING", "TYPE_FP32", (-1, 64)),),
    ),
    DemoModel(
        name="bge-reranker",
        display_name="BGE 리랭커",
        description="Puts the passages a search has found into order",
        kind="rerank",
        gpu_memory_mb=1900,
        load_s=1.5,
        inputs=(Tensor("QUERY", "TYPE_STRING", (1,)), Tensor("PASSAGES", "TYPE_STRING", (-1,))),
        outputs=(Tensor("SCORES", "TYPE_FP32", (-1,)),),
    ),
    DemoModel(
        name="rag-chat",
        display_name="RAG 챗봇",
        description="Answers questions from given documents; the largest model here",
        kind="chat",
        gpu_memory_mb=4000,
        load_s=6.0,
        inputs=(Tensor("QUESTION", "TYPE_STRING", (1,)), Tensor("CONTEXT", "TYPE_STRING", (-1,))),
        outputs=(Tensor("ANSWER", "TYPE_STRING", (1,)),),
        settings=(("sentences", "2"),),
    ),
    DemoModel(
        name="dict-preprocess",
        display_name="사전 전처리",
        description="Brings terms to one spelling and splits texts into words",
        kind="preprocessing",
        gpu_memory_mb=800,
        load_s=0.3,
        inputs=(_TEXTS,),
        outputs=(Tensor("NORMALIZED", "TYPE_STRING", (-1,)), Tensor("TOKENS", "TYPE_STRING", (-1,))),
    ),
    DemoModel(
        name="broken-summarizer",
        display_name="고장 난 요약기",
        description="Fails to load, to show what a failure looks like",
        kind="other",
        gpu_memory_mb=1500,
        load_s=0.8,
        inputs=(_TEXTS,),
        outputs=(Tensor("SUMMARY", "TYPE_STRING", (-1,)),),
    ),
)


def write_demo_repository(
    target: Path,
    *,
    budget_mb: int = DEMO_GPU_MEMORY_MB,
    time_scale: float = 1.0,
    models: Iterable[DemoModel] = DEMO_MODELS,
) -> None:
    """Write the models and their simulated GPU into the repository `target`.

    `time_scale` shortens (or stretches) their load times. Other folders there are left alone, and so
    are files that stand there already: Triton loads a model with a newer file a second time.
    """
    write_simulated_gpu(target, budget_mb=budget_mb, time_scale=time_scale)
    for model in models:
        write_model(target, model, code=(SOURCES / model.name / "model.py").read_text(encoding="utf-8"))


def write_simulated_gpu(target: Path, *, budget_mb: int, time_scale: float = 1.0) -> None:
    """Write the settings of the GPU that all models in `target` share."""
    target.mkdir(parents=True, exist_ok=True)
    _write(target / "gpu.json", json.dumps({"budget_mb": budget_mb, "time_scale": time_scale}) + "\n")


def write_model(target: Path, model: DemoModel, *, code: str) -> None:
    """Write one model's folder: its configuration, its code as version 1, and the modules that all share.

    Each has its own copy of those: Triton takes every folder in the repository for a model, also a `__pycache__`.
    """
    folder = target / model.name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    _write(folder / "config.pbtxt", model.config())
    _write(folder / "1" / "model.py", code)
    for source in sorted((SOURCES / "shared").glob("*.py")):
        _write(folder / "1" / source.name, source.read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
