from __future__ import annotations

import base64

import pytest

from isthmus.cli.deploybroker import PSK_BYTES, BrokerRequest, deploy_broker
from isthmus.cli.faults import Fault
from isthmus.kube.resources import CRDS, NAMESPACES, SECRETS
from tests.unit.isthmus.cli.worlds import World, member_cluster

SERVER = "https://192.0.2.9:6443"
REQUEST = BrokerRequest("submariner-k8s-broker")


async def test_a_broker_is_made_and_its_file_opens_it():
    world = World()

    info = await deploy_broker(world.target, REQUEST, SERVER)

    assert (info.server, info.namespace) == (SERVER, "submariner-k8s-broker")
    assert info.token == "token.submariner-k8s-broker.submariner-k8s-broker-admin"
    assert info.ca == b"fake CA\n"
    assert len(info.psk) == PSK_BYTES
    assert len(world.local.objects(CRDS)) == 4


async def test_deploying_again_keeps_the_key_and_writes_nothing():
    world = World()
    first = await deploy_broker(world.target, REQUEST, SERVER)
    writes = world.local.writes

    assert await deploy_broker(world.target, REQUEST, SERVER) == first
    assert world.local.writes == writes


async def test_the_key_of_another_file_can_be_taken_over():
    info = await deploy_broker(World().target, BrokerRequest("broker", psk=b"other"), SERVER)

    assert info.psk == b"other"


async def test_a_second_key_is_refused():
    world = World()
    await deploy_broker(world.target, REQUEST, SERVER)

    with pytest.raises(Fault, match="has a key"):
        await deploy_broker(world.target, BrokerRequest(REQUEST.namespace, psk=b"other"), SERVER)


async def test_members_whose_key_is_not_kept_here_are_not_cut_off_by_a_new_one():
    world = World()
    await deploy_broker(world.target, REQUEST, SERVER)
    world.local.remove(SECRETS, REQUEST.namespace, "submariner-ipsec-psk")
    world.local.put(member_cluster("east", "10.96.0.0/16", "10.2.0.0/16"))

    with pytest.raises(Fault, match="--ipsec-psk-from"):
        await deploy_broker(world.target, REQUEST, SERVER)

    info = await deploy_broker(world.target, BrokerRequest(REQUEST.namespace, psk=b"theirs"), SERVER)
    assert info.psk == b"theirs"


async def test_the_key_is_kept_at_the_broker():
    world = World()

    info = await deploy_broker(world.target, REQUEST, SERVER)

    kept = world.local.object(SECRETS, REQUEST.namespace, "submariner-ipsec-psk")
    assert kept is not None
    assert base64.b64decode(kept["data"]["psk"]) == info.psk


async def test_another_address_can_be_given():
    info = await deploy_broker(World().target, BrokerRequest("broker", "broker.example:443/"), SERVER)

    assert info.server == "https://broker.example:443"


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://x:banana"])
async def test_an_address_that_is_none_is_refused(url: str):
    world = World()

    with pytest.raises(Fault, match="--broker-url"):
        await deploy_broker(world.target, BrokerRequest("broker", url), SERVER)

    assert world.local.writes == 0


async def test_an_impossible_namespace_is_refused():
    with pytest.raises(Fault, match="--namespace"):
        await deploy_broker(World().target, BrokerRequest("No_Good"), SERVER)


@pytest.mark.parametrize("server", ["https://127.0.0.1:6443", "https://localhost:6443"])
async def test_an_address_that_no_other_machine_reaches_is_warned_of(server: str):
    world = World()

    await deploy_broker(world.target, REQUEST, server)

    assert "--broker-url" in world.said.getvalue()


async def test_nothing_is_made_in_a_namespace_that_is_being_deleted():
    world = World()
    deleting = {"name": REQUEST.namespace, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    world.local.put({"kind": "Namespace", "metadata": deleting})

    with pytest.raises(Fault, match="just being deleted"):
        await deploy_broker(world.target, REQUEST, SERVER)
    assert world.local.objects(NAMESPACES)
