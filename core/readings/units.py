"""A small table of units: values are converted once, on entry (design §5 Readings).

Gas amounts meet in ppm by volume: mg/m³ by molar mass at 25 °C and 101.325 kPa
(24.45 L/mol, as GB/T 50493 converts), %LEL by the gas's own LEL.
"""

from typing import Final, NamedTuple

#: Litres of one mole of gas at 25 °C and 101.325 kPa.
MOLAR_VOLUME: Final = 24.45


class Line(NamedTuple):
    """Convert by ``value * factor + offset``."""

    factor: float
    offset: float = 0.0

    def __call__(self, value: float) -> float:
        """Return the converted value."""
        return value * self.factor + self.offset


SAME: Final = Line(1.0)

_SCALES: Final[dict[str, dict[str, Line]]] = {
    "temperature": {
        "°C": SAME,
        "K": Line(1.0, -273.15),
        "°F": Line(5 / 9, -160 / 9),
    },
    "length": {
        "m": SAME,
        "mm": Line(1e-3),
        "cm": Line(1e-2),
        "km": Line(1e3),
        "ft": Line(0.3048),
        "in": Line(0.0254),
    },
    "speed": {
        "m/s": SAME,
        "mm/s": Line(1e-3),
        "km/h": Line(1 / 3.6),
        "mph": Line(0.44704),
        "kn": Line(1852 / 3600),
    },
    "pressure": {
        "Pa": SAME,
        "hPa": Line(1e2),
        "mbar": Line(1e2),
        "kPa": Line(1e3),
        "bar": Line(1e5),
        "MPa": Line(1e6),
        "psi": Line(6894.757293168),
    },
    "time": {
        "s": SAME,
        "ms": Line(1e-3),
        "min": Line(60.0),
        "h": Line(3600.0),
        "d": Line(86400.0),
    },
    "voltage": {"V": SAME, "mV": Line(1e-3), "kV": Line(1e3)},
    "current": {"A": SAME, "mA": Line(1e-3)},
    "power": {"W": SAME, "kW": Line(1e3)},
    "energy": {"kWh": SAME, "Wh": Line(1e-3)},
    "mass": {"kg": SAME, "g": Line(1e-3), "t": Line(1e3)},
    "force": {"N": SAME, "kN": Line(1e3)},
    "angle": {"°": SAME, "rad": Line(57.29577951308232)},
    "flow": {"m³/h": SAME, "L/min": Line(0.06), "L/s": Line(3.6)},
    "sound": {"dB": SAME, "dBA": SAME},
    "signal": {"dBm": SAME},
    "share": {"%": SAME, "ratio": Line(100.0)},
    "frequency": {"Hz": SAME, "kHz": Line(1e3), "rpm": Line(1 / 60)},
    "light": {"lx": SAME},
    "dose": {"µSv/h": SAME, "mSv/h": Line(1e3)},
    "open path": {"LEL·m": SAME},
    "dust": {"mg/m³": SAME, "µg/m³": Line(1e-3)},
    "number": {"": SAME},
}

_ALIASES: Final = {
    "degC": "°C",
    "℃": "°C",
    "C": "°C",
    "degF": "°F",
    "F": "°F",
    "mg/m3": "mg/m³",
    "ug/m3": "µg/m³",
    "μg/m³": "µg/m³",
    "µg/m3": "µg/m³",
    "%VOL": "%vol",
    "%Vol": "%vol",
    "vol%": "%vol",
    "% vol": "%vol",
    "% VOL": "%vol",
    "%v/v": "%vol",
    "%lel": "%LEL",
    "% LEL": "%LEL",
    "LEL%": "%LEL",
    "PPM": "ppm",
    "PPB": "ppb",
    "LELm": "LEL·m",
    "LEL.m": "LEL·m",
    "m3/h": "m³/h",
    "l/min": "L/min",
    "dB(A)": "dBA",
    "deg": "°",
    "μSv/h": "µSv/h",
    "uSv/h": "µSv/h",
}


def canonical(unit: str) -> str:
    """Return the one spelling of a unit; an unknown one comes back as it is."""
    stripped = unit.strip()
    return _ALIASES.get(stripped, stripped)


def is_known(unit: str) -> bool:
    """Say whether the table has a unit (gas units included)."""
    name = canonical(unit)
    return _to_ppm(name, 1.0, 1.0) is not None or _scale_of(name) is not None


def conversion(
    source: str,
    target: str,
    *,
    lel_vol: float | None = None,
    molar_mass: float | None = None,
) -> Line | None:
    """Return the line from one unit to another, None where there is no way.

    ``lel_vol`` in % by volume, ``molar_mass`` in g/mol. Unknown units convert
    only to themselves.
    """
    source, target = canonical(source), canonical(target)
    if source == target:
        return SAME
    first = _to_ppm(source, lel_vol, molar_mass)
    second = _to_ppm(target, lel_vol, molar_mass)
    if first is not None and second is not None:
        return Line(first / second)
    scale = _scale_of(source)
    if scale is None or target not in scale:
        return None
    one, two = scale[source], scale[target]
    return Line(one.factor / two.factor, (one.offset - two.offset) / two.factor)


def _scale_of(unit: str) -> dict[str, Line] | None:
    for scale in _SCALES.values():
        if unit in scale:
            return scale
    return None


def _to_ppm(unit: str, lel_vol: float | None, molar_mass: float | None) -> float | None:
    match unit:
        case "ppm":
            return 1.0
        case "ppb":
            return 1e-3
        case "%vol":
            return 1e4
        case "%LEL":
            return None if not lel_vol else lel_vol * 100.0
        case "mg/m³":
            return None if not molar_mass else MOLAR_VOLUME / molar_mass
        case "µg/m³":
            return None if not molar_mass else MOLAR_VOLUME / molar_mass / 1e3
    return None
