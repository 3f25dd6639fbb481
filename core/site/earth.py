"""Places on the Earth in the plan's metres: WGS-84, and GCJ-02 of Chinese maps."""

import math
from typing import Final

from core import config

#: Units of a location whose value is "lat,lon" in degrees.
WGS84, GCJ02 = "WGS-84", "GCJ-02"
_METRES_PER_DEGREE: Final = 111_320.0
#: Ellipsoid of GCJ-02 (Krasovsky 1940): half axis in metres, eccentricity squared.
_AXIS, _ECC = 6_378_245.0, 0.00669342162296594323
#: Outside of this (lat, lon) GCJ-02 is WGS-84.
_CHINA = (0.8293, 55.8271, 72.004, 137.8347)


def local(geo: config.Geo, lat: float, lon: float) -> config.Point:
    """Return a place in the plan's metres; good for sites of a few kilometres."""
    north = (lat - geo.lat) * _METRES_PER_DEGREE
    east = (lon - geo.lon) * _METRES_PER_DEGREE * math.cos(math.radians(geo.lat))
    turn = math.radians(geo.bearing_deg)
    # The plan's y points to the bearing, its x to the right of it.
    x = east * math.cos(turn) - north * math.sin(turn)
    y = east * math.sin(turn) + north * math.cos(turn)
    return x, y


def degrees(value: str) -> tuple[float, float] | None:
    """Return latitude and longitude of "lat,lon"; None when it is no place.

    (0, 0) is what a receiver without a fix says, and lies in no country.
    """
    try:
        lat, lon = (float(part) for part in value.split(","))
    except ValueError:
        return None
    good = -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0 and (lat or lon)
    return (lat, lon) if good else None


def placed(geo: config.Geo, unit: str, value: str) -> str | None:
    """Return "lat,lon" of a unit as "x,y,z" of the plan; None when it is no place."""
    found = degrees(value)
    if found is None:
        return None
    x, y = local(geo, *(unshifted(*found) if unit == GCJ02 else found))
    return f"{x:.3f},{y:.3f},0.000"


def unshifted(lat: float, lon: float) -> tuple[float, float]:
    """Return the WGS-84 place of a GCJ-02 one, within centimetres.

    The shift is only known one way; it changes slowly, so that undoing it twice
    at the place found before is enough.
    """
    found = lat, lon
    for _ in range(3):
        there = shifted(*found)
        found = found[0] - (there[0] - lat), found[1] - (there[1] - lon)
    return found


def shifted(lat: float, lon: float) -> tuple[float, float]:
    """Return the GCJ-02 place of a WGS-84 one."""
    south, north, west, east = _CHINA
    if not (south <= lat <= north and west <= lon <= east):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    common = _wave(x, 6.0, 20.0) + _wave(x, 2.0, 20.0)
    root = math.sqrt(abs(x))
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    d_lat += (common + _wave(y, 1.0, 20.0) + _wave(y, 1 / 3, 40.0)) * 2 / 3
    d_lat += (_wave(y, 1 / 12, 160.0) + _wave(y, 1 / 30, 320.0)) * 2 / 3
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    d_lon += (common + _wave(x, 1.0, 20.0) + _wave(x, 1 / 3, 40.0)) * 2 / 3
    d_lon += (_wave(x, 1 / 12, 150.0) + _wave(x, 1 / 30, 300.0)) * 2 / 3
    angle = math.radians(lat)
    bulge = 1.0 - _ECC * math.sin(angle) ** 2
    by_lat = _AXIS * (1.0 - _ECC) / bulge**1.5
    by_lon = _AXIS / math.sqrt(bulge) * math.cos(angle)
    return lat + math.degrees(d_lat / by_lat), lon + math.degrees(d_lon / by_lon)


def _wave(at: float, turns: float, height: float) -> float:
    return height * math.sin(turns * at * math.pi)
