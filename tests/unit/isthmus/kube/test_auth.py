import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.kube.auth import from_kubeconfig, from_token, in_cluster
from isthmus.reconcile.errors import Fatal


def test_a_pod_uses_its_mounted_account(tmp_path: Path):
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("PEM")

    access = in_cluster({"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"}, tmp_path)

    assert access.server == "https://10.96.0.1:6443"
    assert access.ca == tmp_path / "ca.crt"
    assert access.headers() == {"Authorization": "Bearer t"}


def test_an_ipv6_address_of_the_api_server_is_bracketed(tmp_path: Path):
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("PEM")

    assert in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, tmp_path).server == "https://[fd00::1]:443"


def test_outside_of_a_pod_the_way_out_is_named(tmp_path: Path):
    with pytest.raises(Fatal, match="set ISTHMUS_KUBECONFIG"):
        in_cluster({}, tmp_path)


def test_a_pod_without_its_token_is_told_to_mount_it(tmp_path: Path):
    with pytest.raises(Fatal, match="mount its ServiceAccount token"):
        in_cluster({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, tmp_path)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("https://broker:6443/", "https://broker:6443"),
        ("broker.example:6443", "https://broker.example:6443"),
        ("[fd00::1]:6443", "https://[fd00::1]:6443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
    ],
)
def test_a_brokers_address_needs_no_scheme(server, url):
    assert from_token(server, "t", None).server == url


@pytest.mark.parametrize("server", ["", "ftp://broker", "https://", "[::1"])
def test_an_address_that_is_none_is_refused(server):
    with pytest.raises(Fatal, match="give https://HOST:PORT"):
        from_token(server, "t", None)


def kubeconfig(path: Path, user: dict[str, Any], **cluster: Any) -> Path:
    encoded = base64.b64encode(b"PEM").decode()
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "east",
        "clusters": [
            {"name": "east", "cluster": {"server": "https://east:6443", **cluster}},
            {
                "name": "west",
                "cluster": {"server": "https://west:6443", "certificate-authority-data": encoded},
            },
        ],
        "users": [{"name": "admin", "user": user}],
        "contexts": [
            {"name": "east", "context": {"cluster": "east", "user": "admin"}},
            {"name": "west", "context": {"cluster": "west", "user": "admin"}},
            {"name": "nobody", "context": {"cluster": "west"}},
            {"name": "stranger", "context": {"cluster": "west", "user": "stranger"}},
        ],
    }
    file = path / "config"
    file.write_text(yaml.safe_dump(content))
    return file


async def test_the_current_context_of_a_kubeconfig_is_used(tmp_path: Path):
    access = await from_kubeconfig(kubeconfig(tmp_path, {"token": "t"}))

    assert access.server == "https://east:6443"
    assert access.headers() == {"Authorization": "Bearer t"}
    assert access.ca is None


async def test_another_context_can_be_chosen(tmp_path: Path):
    access = await from_kubeconfig(str(kubeconfig(tmp_path, {"token": "t"})), "west")

    assert access.server == "https://west:6443"
    assert isinstance(access.ca, Path)
    assert access.ca.read_text() == "PEM"


async def test_a_client_certificate_is_found_beside_the_kubeconfig(tmp_path: Path):
    for name in ("admin.crt", "admin.key", "ca.crt"):
        (tmp_path / name).write_text("PEM")
    user = {"client-certificate": "admin.crt", "client-key": "admin.key"}

    access = await from_kubeconfig(kubeconfig(tmp_path, user, **{"certificate-authority": "ca.crt"}))

    assert access.client_certificate == (str(tmp_path / "admin.crt"), str(tmp_path / "admin.key"))
    assert access.ca == tmp_path / "ca.crt"
    assert access.headers() == {}


async def test_a_token_file_of_a_kubeconfig_is_read_again_at_every_use(tmp_path: Path):
    (tmp_path / "token").write_text("first")
    access = await from_kubeconfig(kubeconfig(tmp_path, {"tokenFile": "token"}))
    assert access.headers() == {"Authorization": "Bearer first"}

    (tmp_path / "token").write_text("second")

    assert access.headers() == {"Authorization": "Bearer second"}


async def test_a_token_goes_before_a_token_file(tmp_path: Path):
    (tmp_path / "token").write_text("from the file")

    access = await from_kubeconfig(kubeconfig(tmp_path, {"token": "t", "tokenFile": "token"}))

    assert access.headers() == {"Authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("context", "text"), [("nobody", "names no user"), ("stranger", "names the unknown user stranger")]
)
async def test_a_context_needs_a_user(tmp_path: Path, context, text):
    with pytest.raises(Fatal, match=text):
        await from_kubeconfig(kubeconfig(tmp_path, {"token": "t"}), context)


async def test_what_a_kubeconfig_says_of_the_connection_is_kept(tmp_path: Path):
    special = {"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes", "proxy-url": "http://p:1"}

    access = await from_kubeconfig(kubeconfig(tmp_path, {"token": "t"}, **special))

    assert (access.insecure, access.server_name, access.proxy) == (True, "kubernetes", "http://p:1")


async def test_without_a_path_the_environment_names_the_kubeconfig(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{kubeconfig(tmp_path, {'token': 't'})}")

    assert (await from_kubeconfig()).server == "https://east:6443"


async def test_a_missing_kubeconfig_is_said_in_one_sentence(tmp_path: Path):
    with pytest.raises(Fatal, match=r"missing cannot be used: there is no such file; give one with"):
        await from_kubeconfig(tmp_path / "missing")


async def test_a_missing_context_is_named(tmp_path: Path):
    with pytest.raises(Fatal, match=r"with context south cannot be used:.*south"):
        await from_kubeconfig(kubeconfig(tmp_path, {"token": "t"}), "south")


@pytest.mark.parametrize("content", ["", "just text", "[1, 2]", "a: [", "clusters: {}\ncontexts: 7\n"])
async def test_a_broken_kubeconfig_is_said_in_one_sentence(tmp_path: Path, content):
    file = tmp_path / "config"
    file.write_text(content)

    with pytest.raises(Fatal, match="config cannot be used: ") as fatal:
        await from_kubeconfig(file)

    assert "\n" not in str(fatal.value)


def test_a_daemon_loads_no_official_client_unless_it_reads_a_kubeconfig():
    script = "import sys, gateway.__main__, routeagent.__main__; print('kubernetes' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "False"
