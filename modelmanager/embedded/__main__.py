"""`python -m modelmanager.embedded`: run the product here; `triton`: start its dead Triton again; `install-triton`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from modelmanager.embedded.console import Console
from modelmanager.embedded.environment import BadValue, Environment, read_environment
from modelmanager.embedded.exclusive import AlreadyRunning, Claim, running_supervisor
from modelmanager.embedded.ports import PortTaken, refuse_taken_ports
from modelmanager.embedded.tied import die_with_parent

BAD_VALUE, FAILED, INTERRUPTED = 2, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 after an orderly end, 1 when it could not start, 2 for a bad variable."""
    options = _parser().parse_args(arguments)
    if options.end_with_parent:
        die_with_parent(os.getppid(), by=signal.SIGTERM)
    try:
        chosen = read_environment(os.environ)
    except BadValue as refusal:
        print(refusal, file=sys.stderr)
        return BAD_VALUE
    return COMMANDS[options.what](chosen)


def run(chosen: Environment) -> int:
    """Run the product until it is asked to end."""
    from modelmanager.embedded.local_triton import local_triton
    from modelmanager.embedded.product import Product, StepFailed
    from modelmanager.embedded.wishes import Wishes

    console = Console()
    claim = None
    try:
        claim = Claim(chosen.data_dir, url=chosen.url)
        if claim.leftovers:
            console.say("setup", f"Ended {claim.leftovers} processes that a killed run had left behind.")
        refuse_taken_ports(chosen.host, [chosen.port], variable="PORT")
        if not chosen.triton_url:
            refuse_taken_ports("127.0.0.1", chosen.triton_ports, variable="TRITON_PORT")
        triton = local_triton(chosen, tell=lambda text: console.say("setup", text))
        wishes = Wishes()
        wishes.listen()
        os.umask(0o077)  # database and logs are the owner's, also in a DATA_DIR that others may enter
        Product(chosen, claim=claim, console=console, wishes=wishes, triton=triton).run()
    except (AlreadyRunning, PortTaken, StepFailed) as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if claim:
            claim.release()
    return 0


def start_triton_again(chosen: Environment) -> int:
    """Ask the supervisor of this DATA_DIR to start its Triton again."""
    pid = running_supervisor(chosen.data_dir)
    if pid is None:
        print(f"Nothing runs on {chosen.data_dir}.", file=sys.stderr)
        return FAILED
    os.kill(pid, signal.SIGUSR1)
    return 0


def install_triton(chosen: Environment) -> int:
    """Install Triton without starting anything; a platform that cannot run it is told, not failed."""
    from modelmanager.embedded.local_triton import HOME
    from modelmanager.embedded.triton import TritonUnsupported, install

    try:
        install(HOME, progress=lambda text: Console().say("setup", text))
    except TritonUnsupported as reason:
        print(reason, file=sys.stderr)
    return 0


COMMANDS: dict[str, Callable[[Environment], int]] = {
    "run": run,
    "triton": start_triton_again,
    "install-triton": install_triton,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m modelmanager.embedded", description=__doc__)
    parser.add_argument("what", nargs="?", choices=[*COMMANDS], default="run")
    parser.add_argument("--end-with-parent", action="store_true", help="end when the calling process is gone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
