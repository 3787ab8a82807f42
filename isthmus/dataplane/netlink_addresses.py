"""Interface addresses of the kernel over netlink."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

from isthmus.dataplane import ownership
from isthmus.dataplane.addresses import Address
from isthmus.dataplane.errors import Missing
from isthmus.dataplane.netlink_session import Message, Session, attributes, index_of, names_of_links


@dataclass(frozen=True, slots=True)
class KernelAddresses:
    """`AddressTable` of one namespace."""

    session: Session

    async def dump(self) -> tuple[Address, ...]:
        messages = await self.session.dump("addresses", lambda: self.session.socket.addr("dump"))
        names = names_of_links()
        return tuple(_address(message, names) for message in messages if message["index"] in names)

    async def put(self, address: Address) -> None:
        request = self.session.socket.addr("add", **_query(address))
        await self.session.put(f"add address {address.interface} to {address.device}", request)

    async def drop(self, address: Address) -> None:
        try:
            query = _query(address)
        except Missing:
            return
        what = f"remove address {address.interface} from {address.device}"
        await self.session.drop(what, self.session.socket.addr("del", **query))


def _query(address: Address) -> dict[str, Any]:
    query: dict[str, Any] = {
        "index": index_of(address.device),
        "address": str(address.interface.ip),
        "prefixlen": address.interface.network.prefixlen,
    }
    if address.label and address.interface.version == 4:
        query["label"] = address.label
    elif address.label:
        query["proto"] = ownership.ADDRESS_PROTOCOL
    return query


def _address(message: Message, names: dict[int, str]) -> Address:
    values = attributes(message)
    device = names[message["index"]]
    is_marked = values.get("IFA_PROTO") == ownership.ADDRESS_PROTOCOL
    label = values.get("IFA_LABEL") or (ownership.ADDRESS_LABEL if is_marked else "")
    # On a point-to-point link IFA_ADDRESS is the peer; the local end is IFA_LOCAL, which IPv6 mostly omits.
    text = values.get("IFA_LOCAL") or values["IFA_ADDRESS"]
    interface = ip_interface(f"{text}/{message['prefixlen']}")
    return Address(device, interface, "" if label == device else label)
