"""Several fake Triton servers in one process of their own: `python -m benchmarks.fake_servers --servers 10`.

Prints their addresses, one a line, and serves until it is ended.
"""

import argparse
import threading
import time

from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--models", type=int, default=50, help="on each: model-000, model-001, …")
    parser.add_argument("--load-s", type=float, default=0.1)
    parser.add_argument("--unload-s", type=float, default=1.2)
    asked = parser.parse_args()
    for _server in range(asked.servers):
        models = [
            FakeModel(f"model-{number:03d}", load_s=asked.load_s, unload_s=asked.unload_s)
            for number in range(asked.models)
        ]
        print(FakeTritonServer(FakeTriton(models, clock=time.monotonic)).start().url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
