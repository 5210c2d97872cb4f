"""A taken port is named before anything is started."""

import errno
import socket

import pytest

from modelmanager.embedded import ports
from modelmanager.embedded.ports import PortTaken, refuse_taken_ports


def test_the_taken_port_and_its_variable_are_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as refusal:
            refuse_taken_ports("127.0.0.1", [port], variable="TRITON_PORT")
    assert str(refusal.value) == (
        f"Port {port} on 127.0.0.1 is taken: end what uses it, or choose another with TRITON_PORT=…."
    )


def test_a_free_port_passes() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    refuse_taken_ports("127.0.0.1", [port], variable="PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "no..such", "ü." + 70 * "a"])
def test_an_address_that_is_not_ours_is_told_and_no_port_is_blamed(host: str) -> None:
    with pytest.raises(PortTaken, match=f"HOST={host} cannot be listened on .*: give an address of this machine"):
        refuse_taken_ports(host, [18765], variable="PORT")


def test_a_port_for_privileged_users_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_why_not", lambda host, port: PermissionError(errno.EACCES, "Permission denied"))
    with pytest.raises(PortTaken, match=r"Port 80 on 127\.0\.0\.1 is for privileged users: choose one above 1023"):
        refuse_taken_ports("127.0.0.1", [80], variable="PORT")
