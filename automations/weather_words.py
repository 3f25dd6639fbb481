"""The facts of the weather that a rule may name."""

#: Facts that are numbers, with their unit, and those that are yes or no.
NUMBERS = {"wind_ms": "m/s", "temperature_c": "°C", "visibility_m": "m"}
SIGNS = ("fog", "heavy_rain", "heavy_snow", "lightning")
WARNINGS = {"typhoon_warning": "typhoon", "flood_warning": "flood"}
FACTS = (*NUMBERS, *SIGNS, *WARNINGS)
