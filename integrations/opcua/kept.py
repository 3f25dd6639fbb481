"""The simulated server's identity: the same at each start, as a real server's is.

Made from its seed alone, so that no key lies about in files. It protects nothing.
"""

import math
import random
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.opcua.identity import Identity, make

_E, _BITS, _ROUNDS = 65537, 1024, 24
_SMALL = [n for n in range(3, 2000, 2) if all(n % k for k in range(3, n, 2))]
_BEGINS = datetime(2025, 1, 1, tzinfo=UTC)


@cache
def identity(application_uri: str, seed: str) -> Identity:
    """Return the identity that belongs to a seed."""
    chance = random.Random(seed)  # noqa: S311 - the same at each start, by intent
    p, q = _prime(chance), _prime(chance)
    d = pow(_E, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_E, p * q),
    )
    pem = make(
        application_uri,
        "Simulated PLC",
        key=numbers.private_key(),
        begins=_BEGINS,
        serial=1 + chance.getrandbits(100),
    )
    return Identity(pem)


def _prime(chance: random.Random) -> int:
    while True:
        found = chance.getrandbits(_BITS) | 3 << (_BITS - 2) | 1
        if (
            all(found % small for small in _SMALL)
            and math.gcd(found - 1, _E) == 1
            and _is_prime(found, chance)
        ):
            return found


def _is_prime(number: int, chance: random.Random) -> bool:
    """Say by Miller and Rabin whether a number is prime."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(_ROUNDS):
        power = pow(chance.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
