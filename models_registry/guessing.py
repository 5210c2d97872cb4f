"""What can be told of a model from the name its provider gives it. Pure."""

import re

from models_registry.vocabulary import ModelKind

LONGEST = 100
# The first that occurs decides: an embedding model of the GPT family is an embedding model.
KINDS = (
    (ModelKind.RERANK, re.compile(r"rerank")),
    (ModelKind.EMBEDDING, re.compile(r"embed|(^|[-_/.])(e5|bge|gte|minilm)([-_/.]|$)")),
    (ModelKind.OTHER, re.compile(r"whisper|tts|speech|transcribe|audio|dall|image|sora|video|moderation|vision-ocr")),
    (
        ModelKind.CHAT,
        re.compile(
            r"chat|gpt|instruct|claude|gemini|gemma|llama|mistral|mixtral|qwen|deepseek|command-r|solar|exaone|"
            r"(^|[-_/.])(o[1-9]|phi)([-_/.]|$)"
        ),
    ),
)


def name_for(remote_name: str, *, prefix: str = "") -> str:
    """Our name for a model: its provider's, made a slug of; empty where none can be made of it."""
    slug = re.sub(r"[^a-z0-9._-]+", "-", remote_name.lower()).strip("-._")
    name = f"{prefix}{slug}"
    return name if slug and 2 <= len(name) <= LONGEST else ""


def is_prefix(text: str) -> bool:
    """Whether our names may begin so."""
    return re.fullmatch(r"[a-z0-9._-]*", text) is not None


def kind_for(*names: str) -> ModelKind:
    """The kind of a model by its names, the better known first; OTHER where they do not tell."""
    for name in filter(None, names):
        for kind, pattern in KINDS:
            if pattern.search(name.lower()):
                return kind
    return ModelKind.OTHER
