import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.smpp import fields as f
from passerelle.smpp import pdu as p

addresses = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
octets = st.integers(0, 255)
destinations = st.lists(
    st.builds(f.Destination, octets, octets, addresses) | st.builds(f.DistributionList, addresses), max_size=255
)
refusals = st.lists(st.builds(f.Unsuccessful, octets, octets, addresses, st.integers(0, 2**32 - 1)), max_size=255)


def read(unpack, packed):
    return unpack(packed.encode("latin-1"), packed, 0, len(packed))


@settings(max_examples=50)
@given(destinations)
def test_a_list_of_destinations_comes_back(items):
    packed = f.pack_destinations(items)
    assert read(f.unpack_destinations, packed) == (tuple(items), len(packed))


@settings(max_examples=50)
@given(refusals)
def test_a_list_of_refusals_comes_back(items):
    packed = f.pack_unsuccessful(items)
    assert read(f.unpack_unsuccessful, packed) == (tuple(items), len(packed))


def test_a_list_of_refusals_cut_short_keeps_the_whole_ones():
    one, two = f.Unsuccessful(1, 1, "33611", 11), f.Unsuccessful(1, 1, "33612", 88)
    packed = f.pack_unsuccessful([one, two])[:-1]
    assert read(f.unpack_unsuccessful, packed)[0] == (one,)


@pytest.mark.parametrize("flag", [0, 3, 255])
def test_an_unknown_kind_of_destination_is_not_guessed(flag):
    with pytest.raises(ValueError):
        read(f.unpack_destinations, f"\1{chr(flag)}\1\1336\0")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=300))))
def test_optional_parameters_come_back_known_or_not(tlvs):
    packed = f.pack_tlvs(tuple(tlvs))
    assert f.unpack_tlvs(packed, 0, len(packed)) == (tuple(tlvs), True)


@pytest.mark.parametrize("tlv", [(0x10000, b""), (-1, b""), (1, bytes(0x10000))])
def test_an_optional_parameter_that_does_not_fit_is_refused(tlv):
    with pytest.raises(ValueError):
        f.pack_tlvs((tlv,))


@pytest.mark.parametrize(("raw", "whole"), [(b"\0\1\0\2ab", True), (b"\0\1\0\3ab", False), (b"\0\1\0\2ab\0", False)])
def test_optional_parameters_say_whether_they_filled_their_space(raw, whole):
    assert f.unpack_tlvs(raw, 0, len(raw))[1] is whole


def test_the_table_of_a_command_is_its_class():
    kinds = f.fields_of(p.QuerySm)
    assert list(kinds) == ["message_id", "source_addr_ton", "source_addr_npi", "source_addr"]
    assert kinds["message_id"].size == 65
