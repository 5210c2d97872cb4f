"""Texts of ours that are kept in English in rows, told in the reader's language.

What a provider said is kept and shown as it was. Whoever keeps a new text of ours adds it here.
"""

import re
from functools import cache
from itertools import zip_longest

from django.utils.translation import gettext, gettext_noop

# Where one text begins like another, the longer one stands first.
TEXTS = (
    # Why no provider was reached, or what was wrong with its answer.
    gettext_noop("connection refused"),
    gettext_noop("connection failed: %(reason)s"),
    gettext_noop("the connection broke off (%(error)s)"),
    gettext_noop("host name not found"),
    gettext_noop("no answer in time"),
    gettext_noop("no answer within %(seconds)s s"),
    gettext_noop("TLS failed: %(reason)s"),
    gettext_noop("the proxy refused: %(reason)s"),
    gettext_noop("the proxy wants a password: only proxies without one can be used"),
    gettext_noop("its name leads to an address that must not be called"),
    gettext_noop("its name is that of a cloud's metadata, which must not be called"),
    gettext_noop("it did not answer the last calls either"),
    gettext_noop("the server does not say that it is live"),
    gettext_noop("the server answered %(status)s"),
    gettext_noop("the question was refused: %(reason)s"),
    gettext_noop("HTTP %(status)s: it redirects to another address; redirects are not followed, correct the base URL"),
    gettext_noop("the answer is not JSON: is the base URL that of an OpenAI API?"),
    gettext_noop("the answer is compressed, unasked"),
    gettext_noop("the answer is too long"),
    gettext_noop("broken answer (%(error)s)"),
    gettext_noop("broken answer: %(reason)s"),
    gettext_noop("no list of models"),
    gettext_noop("the server's metadata is not an object"),
    gettext_noop("the index is not a list"),
    gettext_noop("a row of the index has no name"),
    gettext_noop("the statistics are not a list"),
    gettext_noop("a row of the statistics has no name"),
    gettext_noop("a count of the statistics is not a number"),
    gettext_noop("%(name)s cannot be the name of a model"),
    gettext_noop("%(version)s cannot be the version of a model"),
    # How operations and waits ended.
    gettext_noop("not done when its time was up"),
    gettext_noop("the model is unloaded, but its GPU memory did not come back"),
    gettext_noop("the server answers, and shows no sign of it"),
    gettext_noop("the server did not answer"),
    gettext_noop("waited %(seconds)s s for room, held by %(names)s"),
    gettext_noop("waited %(seconds)s s for room"),
    gettext_noop("waited %(seconds)s s for a check of its provider that passes"),
    gettext_noop("waited %(seconds)s s for its provider, which is disabled"),
    gettext_noop("the server serves version %(served)s of it, not %(version)s: switch it off and correct its version"),
    gettext_noop("version %(number)s did not load: %(reason)s"),
)
# What an event says beside its code, where that means something in events of this code only.
OF_EVENTS = {
    "evicted": (gettext_noop("for %(model)s"),),
    "handing_over": (gettext_noop("to %(model)s"),),
    "config_applied": (gettext_noop("version %(number)s: %(reason)s"), gettext_noop("version %(number)s")),
    "config_differs": (gettext_noop("the server has it otherwise: %(pointers)s"),),
}
_PLACE = re.compile(r"%\((\w+)\)s")


def retold(text: str, code: str = "") -> str:
    """The text in the reader's language where it is one of ours, else as it is; `code`: of the event that has it."""
    for own in (*OF_EVENTS.get(code, ()), *TEXTS):
        if found := _pattern(own).fullmatch(text):
            return gettext(own) % {name: retold(part) for name, part in found.groupdict().items()}
    return text


@cache
def _pattern(own: str) -> re.Pattern[str]:
    """What matches a text and finds what stands in its places."""
    literals, names = _PLACE.split(own)[::2], _PLACE.findall(own)
    places = [f"(?P<{name}>.+)" for name in names]
    return re.compile("".join(re.escape(a) + b for a, b in zip_longest(literals, places, fillvalue="")), re.DOTALL)
