"""Run the benchmarks and put what they print into docs/performance.md, in place of what stood there.

Whatever follows `--` is handed on to each of them, such as `-- --database sqlite`; without names then to those
that measure the product.
"""

import argparse
import re
import subprocess
import sys

from benchmarks.stage import ROOT

DOCUMENT = ROOT / "docs/performance.md"
OF_THE_PRODUCT = [
    "acquire_release",
    "hand_over",
    "import_models",
    "list_models",
    "sync",
    "usage_generate",
    "usage_ingestion",
    "usage_prune",
    "usage_statistics",
]
NAMES = [*OF_THE_PRODUCT, "hand_over_policy"]
DRAWN = {"hand_over_policy": ["--plot", "docs/images/hand-over-policy.svg"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.record")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="name", help=f"of {', '.join(NAMES)}; all")
    asked, handed_on = _split(sys.argv[1:])
    for name in parser.parse_args(asked).names or (OF_THE_PRODUCT if handed_on else NAMES):
        print(f"{name} …", flush=True)
        given = [*DRAWN.get(name, []), *handed_on]
        argv = [sys.executable, "-m", f"benchmarks.{name}", *given]
        ended = subprocess.run(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, check=False)
        if ended.returncode:
            sys.exit(f"{name} failed; {DOCUMENT.name} keeps what stood there.")
        print(ended.stdout, flush=True)
        command = " ".join(["python -m", f"benchmarks.{name}", *given])
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(recorded(text, name, f"$ {command}\n{ended.stdout}"), encoding="utf-8")


def recorded(document: str, name: str, printed: str) -> str:
    """The document with the block below `<!-- printed by NAME -->` replaced. Raises ValueError without one."""
    block = re.compile(rf"(<!-- printed by {name} -->\n```\n).*?(```\n)", re.DOTALL)
    changed, found = block.subn(lambda match: f"{match[1]}{printed.rstrip()}\n{match[2]}", document)
    if found != 1:
        raise ValueError(f"{DOCUMENT.name} has {found} blocks for {name}")
    return changed


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


if __name__ == "__main__":
    main()
