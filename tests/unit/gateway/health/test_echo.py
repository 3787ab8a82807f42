from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.health.echo import Tag, checksum, decode_reply, encode_request

TAG = Tag(0x1234, b"0123456789abcdef")
IPV4_HEADER = bytes([0x45]) + b"\0" * 19
IPV4_HEADER_WITH_OPTIONS = bytes([0x46]) + b"\0" * 23


def as_reply(request: bytes, kind: int) -> bytes:
    return bytes([kind]) + request[1:]


def test_a_request_carries_type_identifier_sequence_and_token():
    request = encode_request(4, TAG, 7)

    assert request[0:2] == bytes([8, 0])
    assert struct.unpack("!HH", request[4:8]) == (0x1234, 7)
    assert request[8:] == TAG.token


def test_an_ipv4_request_sums_to_zero_as_rfc_1071_wants():
    assert checksum(encode_request(4, TAG, 7)) == 0


def test_the_checksum_of_the_rfc_1071_example():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_an_ipv6_request_leaves_its_checksum_to_the_kernel():
    assert encode_request(6, TAG, 7)[0:4] == bytes([128, 0, 0, 0])


@settings(deadline=None)
@given(st.integers(0, 0xFFFF))
def test_a_reply_gives_back_the_sequence_in_both_families(sequence):
    four = IPV4_HEADER + as_reply(encode_request(4, TAG, sequence), 0)
    six = as_reply(encode_request(6, TAG, sequence), 129)

    assert decode_reply(4, TAG, four) == sequence
    assert decode_reply(6, TAG, six) == sequence


def test_ip_options_before_the_reply_are_skipped():
    packet = IPV4_HEADER_WITH_OPTIONS + as_reply(encode_request(4, TAG, 9), 0)

    assert decode_reply(4, TAG, packet) == 9


def test_requests_and_other_programs_replies_are_not_ours():
    other = Tag(TAG.identifier, b"someone else's..")

    assert decode_reply(4, TAG, IPV4_HEADER + encode_request(4, TAG, 1)) is None
    assert decode_reply(4, TAG, IPV4_HEADER + as_reply(encode_request(4, other, 1), 0)) is None
    assert decode_reply(4, TAG, IPV4_HEADER + as_reply(encode_request(4, Tag(1, TAG.token), 1), 0)) is None


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_no_packet_whatever_breaks_the_decoder(packet):
    assert decode_reply(4, TAG, packet) is None
    assert decode_reply(6, TAG, packet) is None
