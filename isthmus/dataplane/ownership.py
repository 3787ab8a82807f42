"""The marks by which Isthmus knows its own kernel objects again after a restart.

One file, so that nothing of ours can exist without a mark and nobody else's object is mistaken for ours.
`docs/ownership.md` has a row for each of these. Addresses on our own links, and neighbours and FDB entries
there, need no mark of their own: the link is ours.
"""

from __future__ import annotations

ROUTE_PROTOCOL = 150
"""`proto` of every route we write, in whichever table."""

RULE_PROTOCOL = 150
"""`protocol` of every policy rule we write."""

GATEWAY_TABLE = 150
"""Routing table of a gateway node for traffic to remote subnets (also Submariner's)."""

RULE_PRIORITY = 150
"""Priority of the rule that leads to `GATEWAY_TABLE` (also Submariner's)."""

VXLAN_LINK = "vx-submariner"
"""The link between the nodes of one cluster; its name, VNI and port are shared with Submariner's agents."""

VXLAN_VNI = 100
VXLAN_PORT = 4800

LINK_ALIAS = "isthmus"
"""`alias` of every link we make: a link of our name without it belongs to someone else."""

UNBORN_LINK = "isthmus-unborn"
"""Name of a link between its creation and its alias, which the kernel cannot set in one step."""

CHAIN_PREFIX = "SUBMARINER-"
SET_PREFIX = "SUBMARINER-"
TABLE_MARK = "SUBMARINER-NEW-TABLE"
"""An empty chain in every packet filter table that was not there before us: such a table goes when we do."""

LOCAL_SET = "SUBMARINER-LOCALCIDRS"
REMOTE_SET = "SUBMARINER-REMOTECIDRS"

ADDRESS_LABEL = "lo:isthmus"
"""`label` of every IPv4 address that we put on a link which is not ours."""

ADDRESS_PROTOCOL = 150
"""The same mark for IPv6, which has no labels: `proto` of the address (Linux 5.18)."""

REQID_MARK = 150
"""Highest byte of the reqid in every IPsec state and policy that charon makes for us."""

COMMENT_PREFIX = "isthmus: "
"""Begins the comment of every packet filter rule we write; the reason follows."""
