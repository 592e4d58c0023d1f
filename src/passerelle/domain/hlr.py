"""What a home location register says of a number: the table of its errors, and how they are written.

The one rule: an error that is not in the table is EC_UNKNOWN_ERROR (SMS Partner section 11.1).
"""

from __future__ import annotations

from dataclasses import dataclass

FINE = 0
UNKNOWN_SUBSCRIBER = 1  # nobody has this number
UNKNOWN_ERROR = 255
PROVIDER_ERROR = 500  # the register could not be asked

# Group 0 fine, 1 handset, 2 user, 3 operator; then id and name, `!` where it will not pass.
_TABLE = {
    0: "0 NO_ERROR",
    1: """1 UNKNOWN_SUBSCRIBER!|5 UNIDENTIFIED_SUBSCRIBER|6 ABSENT_SUBSCRIBER_SM|7 UNKNOWN_EQUIPMENT
8 ROAMING_NOT_ALLOWED|9 ILLEGAL_SUBSCRIBER!|11 TELESERVICE_NOT_PROVISIONED!|12 ILLEGAL_EQUIPMENT!|13 CALL_BARRED
27 ABSENT_SUBSCRIBER|31 SUBSCRIBER_BUSY_FOR_MT_SMS|32 SM_DELIVERY_FAILURE|33 MESSAGE_WAITING_LIST_FULL
34 SYSTEM_FAILURE|35 DATA_MISSING|36 UNEXPECTED_DATA_VALUE|255 UNKNOWN_ERROR|256 SM_DF_MEMORYCAPACITYEXCEEDED
257 SM_DF_EQUIPMENTPROTOCOLERROR|258 SM_DF_EQUIPMENTNOTSM_EQUIPPED|259 SM_DF_UNKNOWNSERVICECENTRE
260 SM_DF_SC_CONGESTION|261 SM_DF_INVALIDSME_ADDRESS|262 SM_DF_SUBSCRIBERNOTSC_SUBSCRIBER|500 PROVIDER_GENERAL_ERROR
502 NO_RESPONSE|503 SERVICE_COMPLETION_FAILURE|504 UNEXPECTED_RESPONSE_FROM_PEER|507 MISTYPED_PARAMETER
508 NOT_SUPPORTED_SERVICE|509 DUPLICATED_INVOKE_ID|1024 OR_APPCONTEXTNOTSUPPORTED|1025 OR_INVALIDDESTINATIONREFERENCE
1026 OR_INVALIDORIGINATINGREFERENCE|1027 OR_ENCAPSULATEDAC_NOTSUPPORTED|1028 OR_TRANSPORTPROTECTIONNOTADEQUATE
1029 OR_NOREASONGIVEN|1030 OR_POTENTIALVERSIONINCOMPATIBILITY|1031 OR_REMOTENODENOTREACHABLE
1152 NNR_NOTRANSLATIONFORANADDRESSOFSUCHNATURE|1153 NNR_NOTRANSLATIONFORTHISSPECIFICADDRESS
1154 NNR_SUBSYSTEMCONGESTION|1155 NNR_SUBSYSTEMFAILURE|1156 NNR_UNEQUIPPEDUSER|1157 NNR_MTPFAILURE
1158 NNR_NETWORKCONGESTION""",
    2: """2049 IMSI_BLACKLISTED!|2052 BLACKLISTED_DESTINATIONADDRESS!|2053 BLACKLISTED_SENDERADDRESS!
4096 INVALID_PDU_FORMAT!|4100 MESSAGE_CANCELED!|4101 VALIDITYEXPIRED!|4102 NOTSUBMITTEDTOSMPPCHANNEL!
4103 DESTINATION_FLOODING!|4104 DESTINATION_TXT_FLOODING!""",
    3: """10 BEARER_SERVICE_NOT_PROVISIONED!|20 SS_INCOMPATIBILITY|51 RESOURCE_LIMITATION!|71 UNKNOWN_ALPHABET
501 INVALID_RESPONSE_RECEIVED|2048 TIME_OUT|2050 DEST_ADDRESS_BLACKLISTED!""",
}


@dataclass(frozen=True, slots=True)
class HlrError:
    """A row of the table."""

    id: int
    group: int
    label: str
    permanent: bool

    @property
    def name(self) -> str:
        """`NO_ERROR`, `EC_UNKNOWN_SUBSCRIBER`."""
        return self.label if self.id == FINE else f"EC_{self.label}"

    @property
    def description(self) -> str:
        """`No Error`, `Unknown Subscriber`."""
        return " ".join(word.capitalize() for word in self.label.split("_"))


def _rows() -> list[HlrError]:
    found = []
    for group, table in _TABLE.items():
        for row in table.replace("\n", "|").split("|"):
            number, label = row.split()
            found.append(HlrError(int(number), group, label.removesuffix("!"), label.endswith("!")))
    return found


ERRORS: dict[int, HlrError] = {row.id: row for row in _rows()}


def error_of(number: int) -> HlrError:
    """The row of an error id."""
    return ERRORS.get(number, ERRORS[UNKNOWN_ERROR])


@dataclass(frozen=True, slots=True)
class Found:
    """What a provider answered of a number. `mcc_mnc`: the network, e.g. `20801`; `error`: an id of the table."""

    mcc_mnc: str
    ported: bool
    error: int = FINE
