"""A simulated Shelly: its RPC, its timers, its password, and what is wrong with it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

USER = "admin"
MODEL = "SPSW-202XE16EU"
_VOLTS = 230.0
_NOISE = "\u0001{never an object"


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold what is wrong; names as docs/conformance.md has them."""

    silent: bool = False
    garbage: bool = False
    half: bool = False
    slow: float = 0.0
    frozen: bool = False
    replay: bool = False
    clock_s: float = 0.0
    rate: float = 1.0
    stuck: bool = False
    """A relay that answers and does not move."""


class SimulatedRelay:
    """Answer requests as text in, text out; time comes from the caller (seconds)."""

    def __init__(self, options: Mapping[str, Any], password: str) -> None:
        self.uid: str = options["mac"]
        channels = int(options.get("channels", 2))
        self.on = [False] * channels
        self.auto_off = [False] * channels
        self.watts = [0.0] * channels
        self.warm = [40.0] * channels
        self.inputs = [False] * channels
        self.trips_s: list[float | None] = [None] * channels
        self.faults = Faults()
        self.asked: list[dict[str, Any]] = []
        """What Switch.Set was given."""
        self.uptime_s = 100.0
        self._password = password
        self._realm = f"shellypro2-{self.uid.lower()}"
        self._nonce = 1_700_000_000
        self._old: list[str] = []
        self._frozen_s = 0.0

    # --- time and control -----------------------------------------------------

    def turn(self, span_s: float) -> bool:
        """Let time go by; say whether a relay moved by its own timer."""
        self.uptime_s += span_s
        moved = False
        for number, left in enumerate(self.trips_s):
            if left is None:
                continue
            self.trips_s[number] = left - span_s if left > span_s else None
            if left <= span_s:
                self.on[number], moved = not self.on[number], True
        return moved

    def set(self, entity: str, value: Any) -> None:
        """Set an entity by its uid; raises KeyError."""
        component, _, figure = entity.partition(".")
        kind, _, number = component.partition(":")
        index = int(number)
        if kind == "input":
            self.inputs[index] = bool(value)
        elif figure == "power":
            self.watts[index] = float(value)
        elif figure == "temperature":
            self.warm[index] = float(value)
        elif kind == "switch" and not figure:
            self.on[index] = bool(value)
        else:
            raise KeyError(entity)

    def fault(self, changes: Mapping[str, Any]) -> None:
        """Set faults; none given clears all. Raises msgspec.ValidationError."""
        before = self.faults.frozen
        merged = {**msgspec.to_builtins(self.faults), **changes} if changes else {}
        self.faults = msgspec.convert(merged, Faults)
        if self.faults.frozen and not before:
            self._frozen_s = self.uptime_s

    # --- what it says ---------------------------------------------------------

    def notification(self) -> str:
        """Return a NotifyStatus, as it is sent on a change."""
        params = {"ts": 1_766_000_000 + self.uptime_s + self.faults.clock_s}
        for number in range(len(self.on)):
            params[f"switch:{number}"] = {"id": number, "output": self.on[number]}  # type: ignore[assignment]
        said = {"src": self._realm, "dst": "safehold", "method": "NotifyStatus"}
        return self._spoilt(json.dumps({**said, "params": params}), keep=False)

    def answer(self, text: str) -> str | None:
        """Return the answer to a request; None when it keeps silent."""
        if self.faults.silent:
            return None
        order = json.loads(text)
        head = {"id": order["id"], "src": self._realm, "dst": order.get("src", "")}
        method, params = order["method"], order.get("params", {})
        if method != "Shelly.GetDeviceInfo" and not self._allowed(order.get("auth")):
            asked = {
                "auth_type": "digest",
                "nonce": self._nonce,
                "nc": 1,
                "realm": self._realm,
                "algorithm": "SHA-256",
            }
            error: dict[str, Any] = {"code": 401, "message": json.dumps(asked)}
            return self._spoilt(json.dumps({**head, "error": error}))
        try:
            result = self._do(method, params)
        except (KeyError, IndexError) as problem:
            error = {"code": 404, "message": f"No handler for {problem}"}
            return self._spoilt(json.dumps({**head, "error": error}))
        return self._spoilt(json.dumps({**head, "result": result}))

    def _do(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if method == "Shelly.GetDeviceInfo":
            return {"id": self._realm, "mac": self.uid, "model": MODEL, "gen": 2}
        if method == "Shelly.GetStatus":
            return self._status()
        number = int(params["id"])
        if method == "Switch.GetStatus":
            return self._switch(number)
        if method == "Switch.GetConfig":
            return {"id": number, "auto_off": self.auto_off[number]}
        if method == "Switch.Set":
            return self._set(number, params)
        raise KeyError(method)

    def _set(self, number: int, params: Mapping[str, Any]) -> dict[str, Any]:
        was = self.on[number]
        self.asked = [*self.asked[-99:], dict(params)]
        if not self.faults.stuck:
            after = params.get("toggle_after")
            self.trips_s[number] = None if after is None else float(after)
            self.on[number] = bool(params["on"])
        return {"was_on": was}

    def _status(self) -> dict[str, Any]:
        uptime = self._frozen_s if self.faults.frozen else self.uptime_s
        found: dict[str, Any] = {
            "sys": {
                "mac": self.uid,
                "uptime": int(uptime),
                "unixtime": int(1_766_000_000 + uptime + self.faults.clock_s),
            }
        }
        for number in range(len(self.on)):
            found[f"switch:{number}"] = self._switch(number)
            found[f"input:{number}"] = {"id": number, "state": self.inputs[number]}
        return found

    def _switch(self, number: int) -> dict[str, Any]:
        watts = self.watts[number]
        return {
            "id": number,
            "output": self.on[number],
            "apower": watts,
            "voltage": _VOLTS,
            "current": round(watts / _VOLTS, 3),
            "aenergy": {"total": 0.0},
            "temperature": {"tC": self.warm[number], "tF": 32.0},
        }

    def _allowed(self, auth: Mapping[str, Any] | None) -> bool:
        if not self._password:
            return True
        if auth is None or auth.get("username") != USER:
            return False
        first = _sha(f"{USER}:{self._realm}:{self._password}")
        second = _sha("dummy_method:dummy_uri")
        said = f"{first}:{self._nonce}:{auth['nc']}:{auth['cnonce']}:auth:{second}"
        return auth.get("response") == _sha(said)

    def _spoilt(self, text: str, *, keep: bool = True) -> str:
        if self.faults.replay and self._old:
            return self._old[0]
        if keep:
            self._old = [*self._old[-9:], text]
        if self.faults.garbage:
            return _NOISE
        return text[: len(text) // 2] if self.faults.half else text


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
