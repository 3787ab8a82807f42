from __future__ import annotations

from ipaddress import ip_interface

from gateway.subnetaddress import plan_subnet_addresses
from isthmus.dataplane.addresses import Address
from tests.builders import networks
from tests.unit.gateway.worlds import host


def test_only_a_subnet_without_an_address_of_the_host_gets_one():
    planned = plan_subnet_addresses(networks("10.96.0.0/16", "10.244.0.0/16"), host())

    assert planned == (Address("lo", ip_interface("10.96.0.0/32"), "lo:isthmus"),)


def test_without_a_cni_address_every_subnet_gets_its_network_address():
    planned = plan_subnet_addresses(networks("10.96.0.0/16", "10.244.0.0/16"), host(cni_address=None))

    assert [str(address.interface) for address in planned] == ["10.96.0.0/32", "10.244.0.0/32"]
