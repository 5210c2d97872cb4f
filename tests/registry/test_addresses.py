"""Where we may call: never a cloud's metadata, a private network only when allowed, and no secrets in a URL."""

import socket
from typing import Any

import pytest

from models_registry.addresses import problem_with, server_key

NEVER = [
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2",
    "http://[fe80::1]:8000",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]:80",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::1]",
    "http://[::169.254.169.254]",
    "http://[fd00:ec2::254]",
    "http://[fd00:ec2::23]",
    "http://[fd20:ce::254]",
    "http://100.100.100.200.",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://192.0.0.192",
    "http://0.0.0.0:8000",
    "http://[::]:8000",
    "http://224.0.0.1",
    "http://[ff02::1]",
    "http://2852039166",  # 169.254.169.254 as one number
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
]
PRIVATE = [
    "http://127.0.0.1:8000",
    "http://127.9.9.9",
    "http://[::1]:8000",
    "http://localhost:8000",
    "http://10.0.0.5:8000",
    "http://172.16.1.1",
    "http://192.168.1.10",
    "http://100.64.0.1",
    "http://[fd12:3456::1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:10.0.0.1]",
    "http://[64:ff9b::a00:1]",
    "http://127.1",
    "http://2130706433",
]
PUBLIC = ["http://8.8.8.8", "https://[2606:4700::1111]:8443/v2", "http://1.1.1.1:80/triton"]
BROKEN = [
    "",
    "gpu:8000",
    "//gpu:8000",
    "ftp://8.8.8.8",
    "file:///etc/passwd",
    "http://",
    "http://:8000",
    "http://8.8.8.8:0",
    "http://8.8.8.8:99999",
    "http://8.8.8.8:port",
    "http://[::1",
    "http://user@8.8.8.8",
    "http://user:secret@8.8.8.8",
    "http://:secret@8.8.8.8",
    "http://8.8.8.8/?key=secret",
    "http://8.8.8.8/#part",
    "http://gpu server:8000",
    "http://8.8.8.8/a path",
    "http://8.8.8.8/a\npath",
    "http://8.8.\t8.8",
    "http://8.8.8.8\x7f",
    "http://8.8.8.8\u3000/",
    "http://gpu<1>:8000",
    "http://gpu{host}:8000",
    "http:\\\\8.8.8.8",
]


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allowed", [False, True])
def test_addresses_that_are_never_called(url: str, allowed: bool) -> None:
    assert problem_with(url, allow_private_network=allowed)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_called_only_when_allowed(url: str) -> None:
    assert problem_with(url, allow_private_network=False)
    assert problem_with(url, allow_private_network=True) == ""


@pytest.mark.parametrize("url", PUBLIC)
def test_public_addresses_may_be_called(url: str) -> None:
    assert problem_with(url, allow_private_network=False) == ""


@pytest.mark.parametrize("url", BROKEN)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    assert problem_with(url, allow_private_network=True)


@pytest.mark.parametrize("url", [url for url in BROKEN if "secret" in url])
def test_a_secret_in_a_url_is_not_repeated(url: str) -> None:
    assert "secret" not in problem_with(url, allow_private_network=True)


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET6 if ":" in a else socket.AF_INET, 0, 6, "", (a, 0)) for a in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize(
    ("addresses", "allowed", "refused"),
    [
        (["169.254.169.254"], True, True),
        (["8.8.8.8", "169.254.169.254"], True, True),
        (["8.8.8.8", "10.0.0.1"], False, True),
        (["8.8.8.8", "10.0.0.1"], True, False),
        (["8.8.8.8", "2606:4700::1111"], False, False),
        (["::ffff:169.254.169.254"], True, True),
        (["fe80::1%eth0"], True, True),
    ],
)
def test_a_name_is_as_bad_as_the_worst_it_stands_for(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], allowed: bool, refused: bool
) -> None:
    names(monkeypatch, *addresses)
    assert bool(problem_with("http://gpu.example:8000", allow_private_network=allowed)) == refused


def test_a_name_that_does_not_resolve_is_left_to_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert problem_with("http://gpu.example:8000", allow_private_network=False) == ""


@pytest.mark.parametrize(
    ("url", "same_as"),
    [
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://127.0.0.1:8000"),
        ("http://GPU.example:80/", "http://gpu.example"),
        ("https://gpu.example.", "https://gpu.example:443"),
        ("http://gpu.example:8000/triton/", "http://gpu.example:8000/triton"),
        ("http://127.1:8000", "http://127.0.0.1:8000"),
        ("http://2130706433:8000", "http://localhost:8000"),
        ("http://0xa000005:8000", "http://10.0.0.5:8000"),
        ("http://[::ffff:10.0.0.5]:8000", "http://10.0.0.5:8000"),
        ("http://[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000"),
        ("http://[FD12:3456:0::1]:8000", "http://[fd12:3456::1]:8000"),
    ],
)
def test_two_ways_to_write_one_server(url: str, same_as: str) -> None:
    assert server_key(url) == server_key(same_as)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://gpu.example:8000", "http://gpu.example:8001"),
        ("http://gpu.example/a", "http://gpu.example/b"),
        ("http://gpu1.example", "http://gpu2.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.2:8000"),
        ("http://[fd12:3456::1]", "http://[fd12:3456::2]"),
    ],
)
def test_two_servers(one: str, other: str) -> None:
    assert server_key(one) != server_key(other)
