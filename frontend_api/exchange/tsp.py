"""RFC 3161: ask for a time stamp, and hold the answer against what was asked.

Whether the authority's certificate is to be trusted is the inspector's question:
``openssl ts -verify -in answer.tsr -data head.json -CAfile tsa.pem``.
"""

import hashlib
import secrets
from typing import NamedTuple

from asn1crypto import algos, tsp

_GRANTED = ("granted", "granted_with_mods")


class Query(NamedTuple):
    """Hold the request's bytes, and what its answer must repeat."""

    data: bytes
    digest: bytes
    nonce: int


def query(content: bytes) -> Query:
    """Return the request for a time stamp over ``content``."""
    digest = hashlib.sha256(content).digest()
    nonce = secrets.randbits(63)
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": tsp.MessageImprint(
                {
                    "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                    "hashed_message": digest,
                }
            ),
            "nonce": nonce,
            "cert_req": True,
        }
    )
    return Query(request.dump(), digest, nonce)


def check(asked: Query, answer: bytes) -> str:
    """Return the stamped UTC time, ISO 8601; raises ValueError, saying what is off."""
    try:
        reply = tsp.TimeStampResp.load(answer, strict=True)
        status = reply["status"]["status"].native
        if status not in _GRANTED:
            raise ValueError(f"the authority refused: {status}")
        info = reply["time_stamp_token"]["content"]["encap_content_info"]["content"]
        parsed = info.parsed
        digest = parsed["message_imprint"]["hashed_message"].native
        nonce, moment = parsed["nonce"].native, parsed["gen_time"].native
    except (TypeError, KeyError, AttributeError) as bad:
        raise ValueError(f"no answer of a time-stamping authority: {bad}") from bad
    if digest != asked.digest:
        raise ValueError("the stamp is for another content")
    if nonce != asked.nonce:
        raise ValueError("the stamp answers another request")
    return str(moment.isoformat())
