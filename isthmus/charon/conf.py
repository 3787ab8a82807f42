"""The strongswan.conf that suits a gateway: many tunnels, long and lossy paths, causes that can be read.

Pure text for whoever starts charon (the lab, the charon tests, an image); the gateway daemon only talks to a
running charon. Every option is described in strongswan.conf(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_CRYPTO = "random nonce openssl aes sha1 sha2 hmac gcm kdf curve25519 pem x509"
_KERNEL = {
    # libipsec first: it takes the ESP part and leaves addresses and routes to netlink.
    "libipsec": "kernel-libipsec kernel-netlink",
    "kernel": "kernel-netlink",
}


@dataclass(frozen=True, slots=True)
class CharonSettings:
    """Where one charon keeps its files, and which ESP implementation it uses."""

    run_dir: Path
    """Holds the pid file and the VICI socket: one directory per charon."""
    esp: Literal["kernel", "libipsec"]
    log_file: Path | None = None
    """Where to write the log; None leaves it to the journal or syslog."""
    nat_port: int = 4500
    """UDP port of IKE and of ESP in UDP; what our Endpoint publishes as udp-port."""

    @property
    def vici_uri(self) -> str:
        return f"unix://{self.vici_path}"

    @property
    def vici_path(self) -> Path:
        return self.run_dir / "charon.vici"


def vici_socket_path(uri: str) -> Path:
    """The path in a `unix:///path` URI; raises ValueError for any other kind of address."""
    path = uri.removeprefix("unix://")
    if path == uri or not path.startswith("/"):
        raise ValueError(f"{uri!r} is not a unix socket; give it as unix:///var/run/charon.vici")
    return Path(path)


def render_strongswan_conf(settings: CharonSettings) -> str:
    """The whole strongswan.conf for one charon."""
    return f"""\
charon {{
  piddir = {settings.run_dir}
  load_modular = no
  load = {_CRYPTO} {_KERNEL[settings.esp]} socket-default vici
  port_nat_t = {settings.nat_port}
  threads = 32

  # A round trip of 400 ms with 10 % loss each way must not end a tunnel, and a dead peer must be noticed:
  # eight sends at 0, 1, 2.3, 4, 6.2, 9, 12.8 and 17.6 s, given up after 23.9 s. One exchange fails by loss
  # alone about once in 600,000.
  retransmit_timeout = 1.0
  retransmit_base = 1.3
  retransmit_tries = 7

  # Hundreds of peers may come back at once, also from behind one address.
  half_open_timeout = 30
  cookie_threshold = 500
  block_threshold = 500
  ikesa_table_size = 1024
  ikesa_table_segments = 16
  reuse_ikesa = yes

  # The route agent's tables decide where packets go; strongSwan's own table must not.
  install_routes = no
  install_virtual_ip = no
  close_ike_on_child_failure = yes
{_render_log(settings.log_file)}
  plugins {{
    vici {{
      socket = {settings.vici_uri}
    }}
    kernel-libipsec {{
      allow_peer_ts = yes
    }}
  }}
}}
"""


def _render_log(log_file: Path | None) -> str:
    # Level 1 carries every cause that `causes` knows; level 2 would log identities' proposals per packet.
    if log_file is None:
        return ""
    return f"""
  filelog {{
    isthmus {{
      path = {log_file}
      time_format = %Y-%m-%d %H:%M:%S
      time_add_ms = yes
      ike_name = yes
      flush_line = yes
      append = yes
      default = 1
    }}
  }}
"""
