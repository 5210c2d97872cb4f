"""A process that reports: until SIGINT, or with `--leave-open` once, ending without release or close."""

import argparse
import sys

from model_manager_client import ModelManager

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("key")
parser.add_argument("folder")
parser.add_argument("--leave-open", action="store_true")
parser.add_argument("--model", default="rag-chat")
parser.add_argument("--send-every-s", type=float, default=2.0)
options = parser.parse_args()

manager = ModelManager(options.url, options.key, spool_dir=options.folder, send_every_s=options.send_every_s)
if options.leave_open:
    model = manager.acquire(options.model)
    print(model.report(latency_ms=1), flush=True)
    sys.exit()
try:
    while True:
        print(manager.report(options.model, latency_ms=1), flush=True)
except KeyboardInterrupt:
    manager.close()
