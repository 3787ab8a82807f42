"""The lines are those that charon 5.9.8 wrote in tests/charon and in the trials that led to them."""

from __future__ import annotations

import pytest

from isthmus.charon import causes
from isthmus.charon.causes import Cause, cause_of, surer


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("tried 1 shared key for '192.0.2.2' - '192.0.2.1', but MAC mismatched", causes.WRONG_KEY),
        ("no shared key found for '192.0.2.2' - '192.0.2.1'", causes.NO_KEY),
        ("received AUTHENTICATION_FAILED notify error", causes.REFUSED),
        ("retransmit 3 of request with message ID 0", causes.NO_ANSWER),
        ("giving up after 7 retransmits", causes.NO_ANSWER),
        ("peer not responding, trying again (2/0)", causes.NO_ANSWER),
        ("error writing to socket: Network is unreachable", causes.NO_ROUTE),
        ("received NO_PROPOSAL_CHOSEN notify error", causes.NO_PROPOSAL),
        ("no acceptable proposal found", causes.NO_PROPOSAL),
        ("received TS_UNACCEPTABLE notify, no CHILD_SA built", causes.OTHER_SUBNETS),
        (
            "traffic selectors 10.1.0.0/16 === 10.2.0.0/16  unacceptable",
            causes.OTHER_SUBNETS,
        ),
        ("unable to install inbound and outbound IPsec SA (SAD) in kernel", causes.KERNEL_REFUSED),
        ("unable to install IPsec policies (SPD) in kernel", causes.KERNEL_REFUSED),
    ],
)
def test_a_line_that_gives_a_cause_is_understood(line: str, cause: Cause):
    assert cause_of(line) == cause


@pytest.mark.parametrize(
    "line",
    [
        "retransmit 1 of request with message ID 0",
        "sending packet: from 192.0.2.1[4500] to 192.0.2.2[4500] (300 bytes)",
        "IKE_SA isthmus-west[1] established between 192.0.2.1[192.0.2.1]...192.0.2.2[192.0.2.2]",
        "generating IKE_AUTH response 1 [ N(AUTH_FAILED) ]",
        "",
    ],
)
def test_other_lines_say_nothing(line: str):
    assert cause_of(line) is None


def test_a_sure_cause_outlives_a_vague_one_and_not_the_reverse():
    assert surer(causes.WRONG_KEY, causes.REFUSED) == causes.WRONG_KEY
    assert surer(causes.REFUSED, causes.WRONG_KEY) == causes.WRONG_KEY
    assert surer(causes.NO_ANSWER, causes.REFUSED) == causes.REFUSED
    assert surer(None, causes.NO_ANSWER) == causes.NO_ANSWER
