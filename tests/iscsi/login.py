# SPDX-License-Identifier: LGPL-2.1-or-later
"""The login phase (RFC 7143, clauses 6 and 11.12): what is offered, what is agreed on."""

import dataclasses

from pdu import Opcode, Pdu, format_text, parse_text

SECURITY, OPERATIONAL, FULL_FEATURE = 0, 1, 3
TRANSIT, CONTINUES = 0x80, 0x40

# Whatever is offered, the answer is this (clause 13).
FIXED = {
    "AuthMethod": "None",
    "HeaderDigest": "None",
    "DataDigest": "None",
    "MaxConnections": "1",
    "DefaultTime2Wait": "0",
    "DefaultTime2Retain": "0",
    "MaxOutstandingR2T": "1",
    "DataPDUInOrder": "Yes",
    "DataSequenceInOrder": "Yes",
    "ErrorRecoveryLevel": "0",
}
MAX_BURST = 262144
FIRST_BURST = 65536
MAX_SEGMENT = 262144  # that the target takes


@dataclasses.dataclass
class Parameters:
    max_segment: int = 8192  # that the initiator takes
    max_burst: int = MAX_BURST


class Login:
    def __init__(self, parameters):
        self.parameters = parameters
        self.text = b""
        self.is_done = False
        self.has_declared = False

    def answer(self, pdu):
        """The login response to a login request."""
        flags = pdu.flags
        self.text += pdu.data
        pairs = []
        if not flags & CONTINUES:
            pairs = self.negotiate(parse_text(self.text), (flags >> 2) & 3)
            self.text = b""
        self.is_done = bool(flags & TRANSIT) and flags & 3 == FULL_FEATURE
        response = Pdu.make(Opcode.LOGIN_RESPONSE, flags & (TRANSIT | 0x0F), pdu.tag, format_text(pairs))
        response.header[8:14] = pdu.header[8:14]  # ISID
        response.header[14:16] = (1 if self.is_done else 0).to_bytes(2, "big")  # TSIH
        if pdu.opcode != Opcode.LOGIN:
            response.header[36:38] = b"\x02\x0b"  # invalid request during login
        return response

    def negotiate(self, offered, stage):
        pairs = [(key, value) for key, offer in offered.items() if (value := self.value(key, offer)) is not None]
        if stage == OPERATIONAL and not self.has_declared:
            self.has_declared = True
            pairs.append(("MaxRecvDataSegmentLength", MAX_SEGMENT))
        return pairs

    def value(self, key, offer):
        """None: a declaration, which has no answer."""
        if key == "MaxRecvDataSegmentLength":
            self.parameters.max_segment = int(offer)
        if key in ("InitiatorName", "InitiatorAlias", "TargetName", "SessionType", "MaxRecvDataSegmentLength"):
            return None
        if key == "MaxBurstLength":
            self.parameters.max_burst = min(int(offer), MAX_BURST)
            return self.parameters.max_burst
        if key == "FirstBurstLength":
            return min(int(offer), FIRST_BURST)
        if key in ("InitialR2T", "ImmediateData"):
            return offer  # either way
        return FIXED.get(key, "NotUnderstood")
