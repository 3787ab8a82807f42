from __future__ import annotations

from gateway.plan.cables import plan_cable
from gateway.plan.ipsec import IpsecOptions, connection_name, plan_ipsec, reqid_of
from gateway.strongswan import StrongswanDriver
from gateway.sweeper import Sweeper
from isthmus.charon.api import CharonFacts
from isthmus.charon.records import Psk, StartAction
from isthmus.dataplane.command import CommandFailed
from isthmus.reconcile.outcome import Outcome
from tests.builders import endpoint_spec
from tests.fakes.charon import FakeCharon
from tests.fakes.clock import FakeClock
from tests.fakes.command import FakeCommand

KERNEL = CharonFacts("6.0.1", frozenset({"kernel-netlink", "vici"}))
CABLE = plan_cable(
    endpoint_spec("east", "10.1.0.0/16", private_ip="192.0.2.1"),
    endpoint_spec("west", "10.2.0.0/16", private_ip="192.0.2.2"),
)
REQID = reqid_of(connection_name(CABLE))
CONNECTIONS = plan_ipsec([CABLE], IpsecOptions(Psk("QUJD")), StartAction.TRAP).connections
OLD = rf"src 192.0.2.1 dst 192.0.2.2\	proto esp spi 0x0000dead reqid {REQID} mode tunnel\ "
LIST_STATES, LIST_POLICIES = "ip -o xfrm state list nokeys", "ip -o xfrm policy list"
REMOVE = "ip -force -batch -"


def command(states: str = "", policies: str = "") -> FakeCommand:
    return FakeCommand({LIST_STATES: states, LIST_POLICIES: policies, REMOVE: ""})


def removals(command: FakeCommand) -> list[str]:
    return [given for line, given in command.calls if line == REMOVE]


async def test_a_kernel_without_leftovers_is_only_read():
    tidy = command()

    assert await Sweeper(tidy).sweep(FakeCharon(KERNEL), CONNECTIONS) == Outcome("xfrm")

    assert [line for line, _ in tidy.calls] == [LIST_STATES, LIST_POLICIES]


async def test_a_tunnel_that_somebody_removed_from_the_kernel_is_made_anew():
    charon = FakeCharon(KERNEL)
    driver = StrongswanDriver(charon, IpsecOptions(Psk("QUJD")), FakeClock(), sweeper=Sweeper(command()))
    await driver.sync((CABLE,))
    (before,) = charon.sas
    charon.age(60)

    assert (await driver.sync((CABLE,))).changed == 1
    await driver.sync((CABLE,))

    (after,) = charon.sas
    assert after != before


async def test_old_states_go_when_the_tunnel_is_up_and_not_before():
    charon, littered = FakeCharon(KERNEL, peers_answer=False), command(OLD)
    driver = StrongswanDriver(charon, IpsecOptions(Psk("QUJD")), FakeClock(), sweeper=Sweeper(littered))

    await driver.sync((CABLE,))
    assert removals(littered) == []
    charon.establish(connection_name(CABLE))
    await driver.sync((CABLE,))

    assert removals(littered) == ["xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x0000dead\n"]


async def test_with_libipsec_the_kernel_is_not_asked():
    littered = command(OLD)
    driver = StrongswanDriver(FakeCharon(), IpsecOptions(Psk("QUJD")), FakeClock(), sweeper=Sweeper(littered))

    await driver.sync((CABLE,))

    assert littered.calls == []


async def test_what_a_dead_charon_left_is_removed_with_the_gateway():
    charon, littered = FakeCharon(KERNEL), command(OLD)
    charon.crash()
    driver = StrongswanDriver(charon, IpsecOptions(Psk("QUJD")), FakeClock(), sweeper=Sweeper(littered))

    outcome = await driver.cleanup()

    assert len(removals(littered)) == 1
    assert outcome.removed == 1
    assert len(outcome.failures) == 1


async def test_a_program_that_fails_is_tried_again_in_the_next_pass():
    broken = command()
    broken.answers[LIST_STATES] = CommandFailed("ip", 2, "Operation not permitted")
    sweeper = Sweeper(broken)

    assert (await sweeper.sweep(FakeCharon(KERNEL), CONNECTIONS)).failures == (broken.answers[LIST_STATES],)
    broken.answers[LIST_STATES] = ""

    assert await sweeper.sweep(FakeCharon(KERNEL), CONNECTIONS) == Outcome("xfrm")
