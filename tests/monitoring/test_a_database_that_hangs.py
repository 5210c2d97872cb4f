"""A database server that takes connections and says nothing: whoever asks is told, instead of waiting with it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ASK = "import django; django.setup(); from monitoring.readiness import checks; print(checks())"


@pytest.mark.slow
def test_it_is_down_once_the_patience_is_over(tmp_path: Path):
    pytest.importorskip("MySQLdb")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = subprocess.run(
            [sys.executable, "-c", ASK],
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "modelmanager.settings",
                "DATA_DIR": str(tmp_path),
                "DATABASE_URL": f"mysql://root@127.0.0.1:{silent.getsockname()[1]}/mm",
                "DATABASE_PATIENCE_S": "1",
            },
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert answer.stdout.strip() == "{'database': 'does not answer'}", answer.stderr
