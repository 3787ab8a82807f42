"""The gateway as a process: what an operator sees when it cannot start."""

from __future__ import annotations

import asyncio
import sys

from tests.scenario.gateway.rig import ENVIRONMENT

COMPLETE = ENVIRONMENT | {
    "NODE_NAME": "east-gw",
    "BROKER_K8S_APISERVER": "broker:6443",
    "BROKER_K8S_REMOTENAMESPACE": "submariner-k8s-broker",
    "BROKER_K8S_APISERVERTOKEN": "token",
}


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the program to its end: exit code and everything it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_an_empty_environment_ends_with_every_missing_variable_and_no_traceback():
    code, said = await run()

    assert code == 2
    for name in ("SUBMARINER_CLUSTERID", "NODE_NAME", "CE_IPSEC_PSKSECRET", "BROKER_K8S_APISERVER"):
        assert f"{name}" in said
    assert "Traceback" not in said


async def test_a_missing_key_file_ends_with_what_to_mount():
    secret = {"CE_IPSEC_PSKSECRET": "submariner-ipsec-psk", "ISTHMUS_BROKER_SECRET_DIR": "/nonexistent"}

    code, said = await run(**(COMPLETE | secret))

    assert code == 2
    assert "no pre-shared key: cannot read /nonexistent/submariner-ipsec-psk/psk" in said


async def test_outside_of_a_pod_and_without_kubeconfig_the_way_out_is_named():
    code, said = await run(**COMPLETE)

    assert code == 2
    assert "set ISTHMUS_KUBECONFIG to a kubeconfig" in said


async def test_the_version_is_printed():
    code, said = await run("--version")

    assert (code, said.strip().count(".")) == (0, 2)


async def test_an_unknown_option_is_refused():
    code, said = await run("--unistall")

    assert code == 2
    assert "unrecognized arguments: --unistall" in said
