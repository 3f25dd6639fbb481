"""Serve a gas value and a relay by open62541 (C), which shares no code with asyncua.

    python opcua_other_make.py PORT CERTIFICATE KEY

Run by an interpreter that has the package ``o6``. Each line of standard input is a
number to serve, or ``bad``: the value with the status BadSensorFailure.
"""

import importlib
import sys
from typing import Any

BAD_SENSOR_FAILURE = 0x808C0000


def say(word: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def serve(port: int, certificate: str, key: str) -> None:
    """Serve until standard input ends."""
    o6: Any = importlib.import_module("o6")
    server: Any = o6.Server(
        port=port,
        certificate=certificate,
        privateKey=key,
        acceptAllCertificates=True,
        applicationUri="urn:other:make",
    )
    server.addVariable("Gas", server.objectsNode, 0.0, nodeId="ns=1;s=Gas")
    server.addVariable("Relay", server.objectsNode, False, nodeId="ns=1;s=Relay")
    server.start()
    say("ready")
    for line in sys.stdin:
        value: Any = o6.DataValue()
        if line.strip() == "bad":
            value.value, value.status = 99.0, o6.StatusCode(BAD_SENSOR_FAILURE)
        else:
            value.value = float(line)
        server.write("ns=1;s=Gas", value)
        say("done")
    server.stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
