"""The objects of BTHome v2, as data: what each number in an advertisement stands for.

Source: the format's description at bthome.io, version 2.
"""

from typing import Final, NamedTuple

#: Number, uid, how it is written, factor, unit. u and i: whole numbers of so many
#: bits without and with a sign; switch: one byte; text, raw and command say their size.
_TABLE: Final = """
00 packet_id u8 1
01 battery u8 1 %
02 temperature i16 0.01 °C
03 humidity u16 0.01 %
04 pressure u24 0.01 mbar
05 illuminance u24 0.01 lx
06 mass u16 0.01 kg
07 mass u16 0.01 lb
08 dew_point i16 0.01 °C
09 count u8 1
0a energy u24 0.001 kWh
0b power u24 0.01 W
0c voltage u16 0.001 V
0d pm25 u16 1 µg/m³
0e pm10 u16 1 µg/m³
0f generic switch
10 power_state switch
11 opening switch
12 carbon_dioxide u16 1 ppm
13 volatile_organic_compounds u16 1 µg/m³
14 moisture u16 0.01 %
15 battery_state switch
16 battery_charging switch
17 carbon_monoxide switch
18 cold switch
19 connectivity switch
1a door switch
1b garage_door switch
1c gas_state switch
1d heat switch
1e light switch
1f lock switch
20 moisture_state switch
21 motion switch
22 moving switch
23 occupancy switch
24 plug switch
25 presence switch
26 problem switch
27 running switch
28 safety switch
29 smoke switch
2a sound switch
2b tamper switch
2c vibration switch
2d window switch
2e humidity u8 1 %
2f moisture u8 1 %
3a button button
3b command command
3c dimmer dimmer
3d count u16 1
3e count u32 1
3f rotation i16 0.1 °
40 distance u16 1 mm
41 distance u16 0.1 m
42 duration u24 0.001 s
43 current u16 0.001 A
44 speed u16 0.01 m/s
45 temperature i16 0.1 °C
46 uv_index u8 0.1
47 volume u16 0.1 L
48 volume u16 1 mL
49 volume_flow_rate u16 0.001 m³/h
4a voltage u16 0.1 V
4b gas u24 0.001 m³
4c gas u32 0.001 m³
4d energy u32 0.001 kWh
4e volume u32 0.001 L
4f water u32 0.001 L
50 timestamp time
51 acceleration u16 0.001 m/s²
52 gyroscope u16 0.001 °/s
53 text text
54 raw raw
55 volume_storage u32 0.001 L
56 conductivity u16 1 µS/cm
57 temperature i8 1 °C
58 temperature i8 0.35 °C
59 count i8 1
5a count i16 1
5b count i32 1
5c power i32 0.01 W
5d current i16 0.001 A
5e direction u16 0.01 °
5f precipitation u16 0.1 mm
60 channel u8 1
61 rotational_speed u16 1 rpm
62 speed i32 1e-06 m/s
63 acceleration i32 1e-06 m/s²
64 light_level u8 1
65 settings_revision u8 1
"""
#: What a byte of an event says; 0 is nothing.
_EVENTS: Final = {
    "button": {
        1: "press",
        2: "double_press",
        3: "triple_press",
        4: "long_press",
        5: "long_double_press",
        6: "long_triple_press",
        0x80: "hold_press",
    },
    "dimmer": {1: "rotate_left", 2: "rotate_right"},
    "command": {0: "off", 1: "on", 2: "toggle", 3: "step_up", 4: "step_down"},
}


class Kind(NamedTuple):
    """Hold one row of the table."""

    number: int
    uid: str
    form: str
    factor: float = 1.0
    unit: str = ""

    @property
    def size(self) -> int:
        """Return its bytes; 0 where it says its own size."""
        if self.form[1:].isdecimal():
            return int(self.form[1:]) // 8
        return {"switch": 1, "button": 1, "dimmer": 2, "time": 4}.get(self.form, 0)

    @property
    def signed(self) -> bool:
        """Say whether it may be below zero."""
        return self.form[0] == "i" and self.form[1:].isdecimal()

    @property
    def binary(self) -> bool:
        """Say whether it is on or off."""
        return self.form == "switch"

    @property
    def words(self) -> dict[int, str] | None:
        """Return what its bytes say, where it is an event."""
        return _EVENTS.get(self.form)

    def number_of(self, raw: bytes) -> float:
        """Return the value of a whole number's bytes."""
        digits = max(0, -int(f"{self.factor:e}".split("e")[-1]))
        return round(
            int.from_bytes(raw, "little", signed=self.signed) * self.factor, digits + 2
        )


def _row(line: str) -> Kind:
    number, uid, form, *rest = line.split()
    return Kind(
        int(number, 16),
        uid,
        form,
        float(rest[0]) if rest else 1.0,
        rest[1] if len(rest) > 1 else "",
    )


KINDS: Final = {kind.number: kind for kind in map(_row, _TABLE.strip().splitlines())}
