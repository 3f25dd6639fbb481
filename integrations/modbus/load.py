"""Load register profiles: YAML → checked → typed; errors name line and column."""

import functools
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import voluptuous as vol

from core.api import EntityKind, OutputKind, documents
from core.api.said import Said
from integrations.modbus import schema
from integrations.modbus.profile import (
    GOOD,
    Beat,
    Choice,
    Coil,
    Derive,
    EntityMap,
    Function,
    Judge,
    Profile,
    Register,
    SerialDefaults,
    Vector,
    plan,
)

FOLDER = Path(__file__).parent / "profiles"
_VECTOR_TABLES = {
    "coils": (Function.COILS, 1),
    "discrete": (Function.DISCRETE, 10001),
    "input": (Function.INPUT, 30001),
    "holding": (Function.HOLDING, 40001),
}


def _fail(message: str, *path: Hashable) -> vol.Invalid:
    return vol.Invalid(message, path=list(path))


def _place(data: Mapping[str, Any], default: int, *path: Hashable) -> tuple[int, int]:
    """Return (function, wire address) of a place written either way."""
    if "register" in data:
        try:
            function, address = schema.wire(data["register"])
        except vol.Invalid as problem:
            raise _fail(problem.error_message, *path, "register") from problem
        if data.get("function", function) != function:
            raise _fail(
                Said(
                    "register {register} is read by function {function}; drop "
                    "'function' or write 'address'",
                    register=data["register"],
                    function=function,
                ),
                *path,
                "function",
            )
        return function, address
    if "address" not in data:
        raise _fail("expected 'register' (as the manual) or 'address' (wire)", *path)
    return data.get("function", default), data["address"]


def _register(name: str, data: Mapping[str, Any], order: str) -> Register:
    path = ("registers", name)
    function, address = _place(data, Function.HOLDING, *path)
    kind = data["type"]
    bits: tuple[int, int] | None = data.get("bits")
    if function <= Function.DISCRETE and kind != "bit":
        raise _fail("a coil or discrete input is of type bit", *path, "type")
    if kind == "bit" and function >= Function.HOLDING:
        if "bit" not in data:
            raise _fail("a bit of a register needs 'bit: 0…15'", *path)
        bits = (data["bit"], data["bit"])
    elif bits is not None and (kind != "u16" or bits[0] > bits[1]):
        raise _fail("bits: [first, last] belongs to a u16", *path, "bits")
    words = data.get("word_order", order)
    return Register(
        name=name,
        function=function,
        address=address,
        type=kind,
        little=words.startswith("little"),
        swapped=words.endswith("_swapped"),
        bits=bits,
    )


class _Builder:
    """Turn checked data into a Profile; raises vol.Invalid with a path."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.registers = {
            name: _register(name, entry, data["word_order"])
            for name, entry in data["registers"].items()
        }

    def known(self, name: str, *path: Hashable) -> str:
        """Return the register's name when it is declared."""
        if name not in self.registers:
            names = list(self.registers) or Said("none is declared")
            raise _fail(
                Said(
                    "no register {name!r}; expected one of: {names}",
                    name=name,
                    names=names,
                ),
                *path,
            )
        return name

    def judges(self) -> tuple[Judge, ...]:
        found = []
        for name, entry in self.data["quality"].items():
            for uid in entry["entities"]:
                if uid not in self.data["entities"]:
                    raise _fail(
                        Said("no entity {uid!r}", uid=uid), "quality", name, "entities"
                    )
            found.append(
                Judge(
                    register=self.known(entry["from"], "quality", name, "from"),
                    verdicts=entry["map"],
                    otherwise=entry["otherwise"],
                    entities=tuple(entry["entities"]),
                )
            )
        return tuple(found)

    def beat(self) -> Beat | None:
        entry = self.data.get("heartbeat")
        if entry is None:
            return None
        if entry["max_interval_s"] <= entry["period_s"]:
            raise _fail("expected more than period_s", "heartbeat", "max_interval_s")
        return Beat(
            register=self.known(entry["from"], "heartbeat", "from"),
            period_s=entry["period_s"],
            max_interval_s=entry["max_interval_s"],
            verdict=entry["otherwise"],
        )

    def choice(self, uid: str, entry: Mapping[str, Any], key: str) -> Choice | None:
        if key not in entry:
            return None
        path = ("entities", uid, key, "from")
        return Choice(
            register=self.known(entry[key]["from"], *path), values=entry[key]["map"]
        )

    def valid_when(self, uid: str, entry: Mapping[str, Any]) -> Judge | None:
        data = entry.get("valid_when")
        if data is None:
            return None
        return Judge(
            register=self.known(data["from"], "entities", uid, "valid_when", "from"),
            verdicts=dict.fromkeys(data["in"], GOOD),
            otherwise=data["otherwise"],
        )

    def coil(self, uid: str, entry: Mapping[str, Any]) -> Coil | None:
        data = entry.get("coil")
        if data is None:
            return None
        path = ("entities", uid, "coil")
        function, address = _place(data, Function.COILS, *path)
        if function != Function.COILS:
            raise _fail("only a coil can be written (function 1)", *path)
        back = data.get("read_back", {"address": address})
        read_function, read_address = _place(back, Function.COILS, *path, "read_back")
        if read_function > Function.DISCRETE:
            raise _fail("read back from coils (1) or inputs (2)", *path, "read_back")
        return Coil(
            address=address,
            on_state=data["on_state"],
            read_function=read_function,
            read_address=read_address,
            proof=data["proof"],
        )

    def entity(self, uid: str, entry: Mapping[str, Any]) -> EntityMap:
        path = ("entities", uid)
        kind = schema.KINDS[entry["kind"]]
        if (kind is EntityKind.OUTPUT) != ("coil" in entry):
            raise _fail("an output has a 'coil', and nothing else has", *path)
        if kind is not EntityKind.OUTPUT:
            if "from" not in entry:
                raise _fail("expected 'from': the register that it shows", *path)
            self.known(entry["from"], *path, "from")
        if entry["scale"] == 0:
            raise _fail("a scale of 0 hides every value", *path, "scale")
        span = entry.get("range")
        if span is not None and span[0] >= span[1]:
            raise _fail("expected [low, high]", *path, "range")
        if "over_raw" in entry and span is None:
            # Over-range is an alarm, so it needs a value that can act.
            raise _fail("over_raw needs a 'range' whose top it shows", *path)
        output = entry.get("output")
        return EntityMap(
            uid=uid,
            names=entry["names"],
            kind=kind,
            register=entry.get("from", ""),
            quantity=entry["quantity"],
            unit=entry.get("unit", ""),
            scale=entry["scale"],
            offset=entry["offset"],
            scale_from=self.choice(uid, entry, "scale_from"),
            unit_from=self.choice(uid, entry, "unit_from"),
            valid_when=self.valid_when(uid, entry),
            range=span,
            over_raw=entry.get("over_raw"),
            critical=entry.get("critical", kind is EntityKind.GAS),
            judged=entry["judged"],
            coil=self.coil(uid, entry),
            output=OutputKind(output) if output else None,
            derive=self.derive(uid, entry),
        )

    def derive(self, uid: str, entry: Mapping[str, Any]) -> Derive | None:
        given = entry.get("derive")
        if given is None:
            return None
        lacks = "bands" if given["kind"] == "band" else "over_s"
        if lacks not in given:
            wrong = Said("a {kind} needs '{lacks}'", kind=given["kind"], lacks=lacks)
            raise _fail(wrong, "entities", uid, "derive")
        return Derive(**given)

    def vector(self, index: int, entry: Mapping[str, Any]) -> Vector:
        image: dict[tuple[int, int], int] = {}
        for table, (function, first) in _VECTOR_TABLES.items():
            for key, raw in entry[table].items():
                printed = table != "coils" and key >= first
                image[function, key - first if printed else key] = raw
        for uid in entry["expect"]:
            if uid not in self.data["entities"]:
                raise _fail(
                    Said("no entity {uid!r}", uid=uid), "vectors", index, "expect", uid
                )
        return Vector(
            name=entry["name"],
            image=image,
            expect=entry["expect"],
            heartbeat_age_s=entry["heartbeat_age_s"],
        )

    def simulate(self) -> Mapping[str, Mapping[str, float]]:
        states: Mapping[str, Mapping[str, float]] = self.data["simulate"]
        for state, values in states.items():
            for name in values:
                self.known(name, "simulate", state, name)
        return states

    def build(self) -> Profile:
        data = self.data
        entities = {u: self.entity(u, e) for u, e in data["entities"].items()}
        cells = {
            (r.function, r.address + i)
            for r in self.registers.values()
            for i in range(r.words)
        } | {
            (e.coil.read_function, e.coil.read_address)
            for e in entities.values()
            if e.coil is not None
        }
        return Profile(
            id=data["profile"],
            version=data["version"],
            names=data["names"],
            manufacturer=data["manufacturer"],
            model=data["model"],
            source=data["source"],
            registers=self.registers,
            judges=self.judges(),
            entities=entities,
            blocks=plan(cells, data["max_gap"]),
            serial=SerialDefaults(**data["serial"]),
            poll_s=data["poll_s"],
            timeout_s=data["timeout_s"],
            evidence=data["evidence"],
            bump_every_h=data.get("bump_every_h"),
            beat=self.beat(),
            simulate=self.simulate(),
            vectors=tuple(self.vector(i, v) for i, v in enumerate(data["vectors"])),
        )


def parse(document: documents.Document) -> Profile:
    """Return the profile of a document; raises ConfigError with its place."""
    checked = document.check(schema.PROFILE)
    try:
        return _Builder(checked).build()
    except vol.Invalid as problem:
        raise document.invalid(problem) from problem


@functools.cache
def load(name: str) -> Profile:
    """Return a profile by its id, or by the path of a site's own YAML file.

    Raises ConfigError: unknown id (naming those there are), or a fault in the file
    with line and column.
    """
    return parse(documents.read(documents.find(name, FOLDER)))
