"""What somebody reads on a page: its texts, and the attributes that are shown or read aloud."""

from html.parser import HTMLParser

SHOWN = ("title", "placeholder", "aria-label", "alt")
UNSEEN = {"script", "style", "template", "svg", "code"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        shown = [*SHOWN, "value"] if told.get("type") in ("submit", "button", "reset") else SHOWN
        self.texts += [" ".join(told[name].split()) for name in shown if told.get(name)]
        if tag not in VOID:
            # Symbols are drawn from words.
            self._open.append((tag, tag in UNSEEN or "material-symbols" in told.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not any(unseen for _tag, unseen in self._open):
            self.texts.append(text)


def visible_texts(html: str) -> list[str]:
    """Every text of the page, in order, with its white space folded."""
    reader = _Reader()
    reader.feed(html)
    return reader.texts
