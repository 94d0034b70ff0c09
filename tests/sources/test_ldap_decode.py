"""Our decoding of search entries against ldap3's own, on all that could arrive."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import (
    LDAPDN,
    AssertionValue,
    AttributeDescription,
    LDAPMessage,
    MessageID,
    PartialAttribute,
    PartialAttributeList,
    ProtocolOp,
    SearchResultEntry,
    Vals,
)
from ldap3.strategy.base import BaseStrategy
from ldap3.utils.asn1 import decode_message_fast, encode

from bridge.sources.ldap_decode import Decoded, EntryDecoder, Field, Malformed, raw_entry
from bridge.sources.ldap_strategy import _integer, split
from tests.servers.fake_ldap import ber, entry, message, paging

NAMES = st.sampled_from(["z", "v", "v;binary", "cn", "commonname"]) | st.text(
    "abcdefghijklmnopqrstuvwxyz0123456789-;", min_size=1, max_size=20
)
VALUES = st.binary(max_size=8) | st.integers(100, 70_000).map(lambda size: b"x" * size)
ENTRIES = st.tuples(
    st.integers(1, 2**31 - 1),
    st.text(max_size=40),
    st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3), max_size=5),
)
Entry = tuple[int, str, dict[str, list[bytes]]]


def encoded(number: int, dn: str, attributes: dict[str, list[bytes]]) -> bytes:
    """A search entry as ldap3 and pyasn1 would send it."""
    listed = PartialAttributeList()
    for place, (name, values) in enumerate(attributes.items()):
        vals = Vals()
        for at, value in enumerate(values):
            vals.setComponentByPosition(at, AssertionValue(value))
        attribute = PartialAttribute()
        attribute["type"] = AttributeDescription(name)
        attribute["vals"] = vals
        listed.setComponentByPosition(place, attribute)
    found = SearchResultEntry()
    found["object"] = LDAPDN(dn.encode())
    found["attributes"] = listed
    whole = LDAPMessage()
    whole["messageID"] = MessageID(number)
    whole["protocolOp"] = ProtocolOp().setComponentByName("searchResEntry", found)
    return bytes(encode(whole))


def as_ldap3_decodes(data: bytes) -> tuple[bytes, dict[str, list[bytes]]]:
    """What ldap3 makes of a message, in our form."""
    decoded = decode_message_fast(data)
    assert decoded["protocolOp"] == 4
    dn, attributes = (part[3] for part in decoded["payload"])
    return dn, {
        bytes(attribute[3][0][3]).decode(): [bytes(value[3]) for value in attribute[3][1][3]]
        for attribute in attributes
    }


def as_windows_encodes(dn: str, attributes: dict[str, list[bytes]]) -> bytes:
    """The same entry with each length of a sequence or set in five octets."""

    def long(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content

    listed = (
        long(0x30, ber(0x04, name.encode()), long(0x31, *(ber(0x04, value) for value in values)))
        for name, values in attributes.items()
    )
    found = long(0x64, ber(0x04, dn.encode()), long(0x30, *listed))
    return long(0x30, ber(0x02, b"\1"), found)


def field_of(name: str) -> Field | None:
    """Attributes from x on are not asked for, those from v on are bytes, z is only looked at;
    v and v;binary are one, and so are cn and commonname."""
    if name == "z":
        return Field("z", kept=False)
    name = {"v;binary": "v", "commonname": "cn"}.get(name, name)
    return None if name >= "x" else Field(name, binary=name >= "v")


def start_of(data: bytes) -> int:
    start = 2 if data[1] < 0x80 else (data[1] & 0x7F) + 2
    return start + 2 + data[start + 1]


def decode(decoder: EntryDecoder, data: bytes) -> Decoded:
    found = decoder.decode(data, start_of(data))
    assert found is not None
    return found


@given(ENTRIES)
def test_an_entry_is_what_was_encoded_and_what_ldap3_decodes(given_entry: Entry) -> None:
    number, dn, attributes = given_entry
    data = encoded(number, dn, attributes)
    assert raw_entry(data) == (dn.encode(), attributes)
    assert raw_entry(data) == as_ldap3_decodes(data)


@given(st.lists(ENTRIES, min_size=1, max_size=6))
def test_the_short_way_gives_what_the_values_of_ldap3_give(entries: list[Entry]) -> None:
    decoder = EntryDecoder(field_of)
    for each in entries * 2:
        data = encoded(*each)
        expected = EntryDecoder(field_of).from_raw(*as_ldap3_decodes(data))
        assert decode(decoder, data) == expected
        assert decode(decoder, as_windows_encodes(*each[1:])) == expected


@given(ENTRIES, st.randoms())
def test_a_fingerprint_does_not_depend_on_any_order(given_entry: Entry, random: Random) -> None:
    number, dn, attributes = given_entry
    decoder = EntryDecoder(Field)
    first = decode(decoder, encoded(number, dn, attributes))
    names = list(attributes)
    random.shuffle(names)
    other = {name: random.sample(attributes[name], len(attributes[name])) for name in names}
    assert decode(decoder, encoded(number, dn, other))[2] == first[2]


@given(ENTRIES, ENTRIES)
def test_a_fingerprint_tells_different_entries_apart(one: Entry, other: Entry) -> None:
    def meaning(entry: Entry) -> object:
        return entry[1], {
            name: sorted(value for value in values if value)
            for name, values in entry[2].items()
            if any(values)
        }

    decoder = EntryDecoder(Field)
    prints = [decode(decoder, encoded(*each))[2] for each in (one, other)]
    assert (prints[0] == prints[1]) == (meaning(one) == meaning(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"cn": [b"a", b"b"]}, {"cn": [b"a 1:b"]}),
        ({"cn": [b"a"], "sn": [b"b"]}, {"cn": [b"b"], "sn": [b"a"]}),
        ({"cn": [b"a"]}, {"cn": [b"a", b"a"]}),
        ({"cn": [b"asn 1:b"]}, {"cn": [b"a"], "sn": [b"b"]}),
    ],
)
def test_values_that_look_like_more_of_them_have_their_own_fingerprint(
    one: dict[str, list[bytes]], other: dict[str, list[bytes]]
) -> None:
    decoder = EntryDecoder(Field)
    assert decoder.from_raw(b"cn=a", one)[2] != decoder.from_raw(b"cn=a", other)[2]
    assert decoder.from_raw(b"cn=a", one)[2] != decoder.from_raw(b"cn=b", one)[2]


@given(st.lists(ENTRIES, max_size=4), st.data())
def test_a_stream_gives_the_same_messages_however_it_is_cut(
    entries: list[Entry], data: st.DataObject
) -> None:
    sent = [encoded(*each) for each in entries]
    stream = b"".join(sent)
    buffer, messages = bytearray(), []
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        buffer += stream[start:end]
        whole, used = split(buffer)
        del buffer[:used]
        messages += whole
    assert messages == sent
    assert not buffer


@given(ENTRIES, st.data())
def test_an_entry_that_is_cut_is_no_message_and_malformed(
    given_entry: Entry, data: st.DataObject
) -> None:
    whole = encoded(*given_entry)
    cut = whole[: data.draw(st.integers(start_of(whole), len(whole) - 1))]
    assert split(cut) == ([], 0)
    decoder = EntryDecoder(field_of)
    decode(decoder, whole)
    for take_apart in (raw_entry, lambda m: decoder.decode(m, start_of(whole))):
        with pytest.raises(Malformed):
            take_apart(cut)


@given(ENTRIES, st.data())
def test_a_damaged_entry_is_malformed_or_reads_as_ldap3_reads_it(
    given_entry: Entry, data: st.DataObject
) -> None:
    whole = encoded(*given_entry)
    start = start_of(whole)
    decoder = EntryDecoder(field_of)
    decoder.decode(whole, start)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(start, len(whole) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    try:
        dn, raw = raw_entry(bytes(damaged))
    except Malformed:
        with suppress(Malformed):
            # What looks like controls after the entry is left to ldap3.
            assert decoder.decode(bytes(damaged), start) is None
        return
    assert decoder.decode(bytes(damaged), start) == decoder.from_raw(dn, raw)
    theirs = as_ldap3_decodes(bytes(damaged))
    if len(theirs[1]) == len(raw):  # it keeps only the last of two of one name
        assert theirs[0] == dn


@given(st.binary(max_size=60))
def test_no_bytes_at_all_make_it_fail_in_another_way(data: bytes) -> None:
    try:
        messages, used = split(data)
        assert used == sum(map(len, messages))
        for each in messages:
            raw_entry(each)
    except Malformed:
        pass


def test_an_entry_with_controls_is_left_to_ldap3() -> None:
    with_controls = message(3, entry("cn=a", {"cn": [b"a"]}), paging(b""))
    assert EntryDecoder(field_of).decode(with_controls, start_of(with_controls)) is None
    assert decode_message_fast(with_controls)["messageID"] == 3


@pytest.mark.parametrize("first", [[b"a"], [b"a", b"c"], [b""]])
@pytest.mark.parametrize("second", [[b"b"], [b"b", b"d"], [b""]])
def test_values_of_an_attribute_sent_twice_are_kept(
    first: list[bytes], second: list[bytes]
) -> None:
    def attribute(values: list[bytes]) -> bytes:
        return ber(0x30, ber(0x04, b"cn"), ber(0x31, *(ber(0x04, value) for value in values)))

    twice = ber(0x30, attribute(first), attribute(second))
    data = message(1, ber(0x64, ber(0x04, b"cn=a"), twice))
    once = message(1, entry("cn=a", {"cn": first + second}))
    decoder = EntryDecoder(Field)
    for _ in range(2):
        assert decode(decoder, data) == decode(decoder, once)


def test_lists_of_two_entries_are_not_the_same_list() -> None:
    decoder = EntryDecoder(Field)
    data = message(1, entry("cn=a", {"ou": [b"a", b"b"]}))
    lists = [decode(decoder, data)[1]["ou"] for _ in range(3)]
    lists[0].append("c")
    assert lists[1] == lists[2] == ["a", "b"]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400",
        b"\x30\x80\x00\x00",
        b"\x30\x85\x01\x00\x00\x00\x00",
        b"\x30\x84\x7f\xff\xff\xff",
    ],
)
def test_what_cannot_begin_a_message_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(Malformed):
        split(data)


@given(ENTRIES)
def test_message_sizes_are_what_ldap3_works_out(given_entry: Entry) -> None:
    data = encoded(*given_entry)
    assert BaseStrategy.compute_ldap_message_size(data) == len(split(data + data)[0][0])


@pytest.mark.parametrize("number", [1, 127, 128, 255, 256, 65535, 2**31 - 1])
def test_message_ids_are_recognised_as_ldap3_writes_them(number: int) -> None:
    data = encoded(number, "cn=a", {})
    assert data[2:].startswith(_integer(number) + b"\x64")
