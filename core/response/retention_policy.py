"""For how long a site keeps what the law lets it erase: data of the bundle."""

from typing import Final

import msgspec

#: GB 30871-2022 B.3, AQ 3064.2-2025 4.2: nobody keeps for less.
LEAST_DAYS: Final = 365
LEAST_FILM_DAYS: Final = 30


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Set days from a record's end; a permit's pack may ask for more."""

    permit_days: int = LEAST_DAYS
    film_days: int = LEAST_FILM_DAYS
    task_days: int = LEAST_DAYS
    """Hazards, near misses, inspections: their pictures of before and after."""
