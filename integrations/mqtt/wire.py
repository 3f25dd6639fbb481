"""Read many packets a wake-up: paho's client with a buffered door for PUBLISH.

paho asks the kernel for each byte of a packet's header, three calls a message.
Here one receive brings many packets; PUBLISH is decoded in place, every other
packet goes to paho's own handlers unchanged.
"""

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, time_func
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket

CHUNK = 32_768
#: A packet beyond it ends the connection: nobody on a site sends that much.
MAX_PACKET = 16 * 1024 * 1024

#: (topic, payload, qos, message id, retained, duplicate)
Deliver = Callable[[bytes, bytes, int, int, bool, bool], None]

#: (message id, reason code)
Acked = Callable[[int, int], None]

_PUBLISH = 0x30
_PUBACK = 0x40
#: Property of a version 5 PUBLISH: its size, Message Expiry Interval.
_EXPIRES = b"\x05\x02"


def _remaining(data: bytearray, at: int, end: int) -> tuple[int, int]:
    """Return a length and where it ends; -1: not all here yet, -2: malformed."""
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value if value <= MAX_PACKET else -2), at
        shift += 7
        if shift > 21:
            return -2, at
    return -1, at


def _sized(head: int, body: bytes) -> bytes:
    """Return a packet of its first byte and its body."""
    size, length = bytearray(), len(body)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    size.append(length)
    return bytes([head]) + bytes(size) + body


class Wire(Client):
    """Be a paho client whose socket is opened elsewhere and read in chunks.

    ``deliver`` gets each PUBLISH of QoS 0 and 1; acknowledge the latter by
    `ack`. QoS 2 is never subscribed to, so paho's own path keeps it. What `hand`
    has sent is told to ``acked`` when the broker took it.
    """

    def __init__(
        self,
        client_id: str,
        protocol: MQTTProtocolVersion,
        deliver: Deliver,
        acked: Acked,
    ) -> None:
        version5 = protocol == MQTTProtocolVersion.MQTTv5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if version5 else False,
            protocol=protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.version5 = version5
        self.deliver = deliver
        self.acked = acked
        self._handed: set[int] = set()
        self._prepared: socket.socket | None = None
        self._inbox = bytearray()
        self._pos = 0

    def adopt(self, sock: socket.socket) -> MQTTErrorCode:
        """Start a session on an open socket; `connect_async` was called before."""
        self._inbox = bytearray()
        self._pos = 0
        self._prepared = sock
        return self.reconnect()

    def _create_socket(self) -> Any:
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            raise ConnectionError("no socket was prepared")
        return prepared

    def hand(self, topic: str, payload: bytes, retain: bool, expires_s: int) -> int:
        """Publish with QoS 1 and return its message id; 0 s: it never expires.

        The bytes are offered to the socket here and now: a command is not to wait
        for another turn of the loop, as it does in paho's queue.
        """
        while (mid := self._mid_generate()) in self._handed:
            continue  # unacknowledged since the numbers last went round
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big")
        if self.version5:
            body += _EXPIRES + expires_s.to_bytes(4, "big") if expires_s else b"\0"
        packet = _sized(0x33 if retain else 0x32, body + payload)
        self._handed.add(mid)
        sent = 0
        if not self._out_packet and self._sock is not None:
            # Whatever fails here is met again when paho writes the rest.
            with contextlib.suppress(OSError):
                sent = self._sock_send(packet)
                self._last_msg_out = time_func()
        if sent < len(packet):
            self._packet_queue(_PUBLISH, packet[sent:], mid, 1)
        return mid

    def hang_up(self) -> None:
        """Close the socket; nothing more is delivered."""
        self._sock_close()

    def pump(self) -> bool:
        """Receive once and handle what came; True asks for another turn.

        An error in a handler leaves the buffer behind the packet that caused it.
        """
        sock = self._sock
        if sock is None:
            return False
        try:
            data = self._sock_recv(CHUNK)
        except BlockingIOError:
            more = False
        except OSError:
            self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            return False
        else:
            if not data:
                self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
                return False
            # TLS keeps decrypted bytes that no selector announces: ask again.
            more = len(data) == CHUNK or isinstance(sock, ssl.SSLSocket)
            self._inbox += data
        rc = self._packets()
        if rc:
            self._loop_rc_handle(rc)
            return False
        return more and self._sock is not None

    def _packets(self) -> MQTTErrorCode:
        """Handle every whole packet in the buffer; leave the rest for later."""
        inbox = self._inbox
        end = len(inbox)
        # paho's keep-alive asks when the peer was last heard.
        self._last_bytes_received = time_func()
        try:
            while self._pos + 2 <= end:
                start = self._pos
                length, body = _remaining(inbox, start + 1, end)
                if length < 0:
                    return (
                        MQTTErrorCode.MQTT_ERR_SUCCESS
                        if length == -1
                        else MQTTErrorCode.MQTT_ERR_PROTOCOL
                    )
                stop = body + length
                if stop > end:
                    return MQTTErrorCode.MQTT_ERR_SUCCESS
                self._pos = stop
                rc = self._packet(inbox[start], inbox, body, stop)
                if rc or self._sock is None:
                    return rc
        finally:
            # Only now: a handler may have raised, and the packet must be gone.
            del inbox[: self._pos]
            self._pos = 0
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _packet(
        self, command: int, inbox: bytearray, body: int, stop: int
    ) -> MQTTErrorCode:
        if command & 0xF4 != _PUBLISH:
            if command == _PUBACK and self._puback(inbox, body, stop):
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            return self._other(command, inbox[body:stop])
        topic_at = body + 2
        at = topic_at + (inbox[body] << 8 | inbox[body + 1])
        topic_end = at
        mid = 0
        qos = command >> 1 & 1
        if qos:
            at += 2
        if at > stop:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if qos:
            mid = inbox[at - 2] << 8 | inbox[at - 1]
        if self.version5:
            skip, at = _remaining(inbox, at, stop)
            at += skip
            if skip < 0 or at > stop:
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self.deliver(
            bytes(inbox[topic_at:topic_end]),
            bytes(inbox[at:stop]),
            qos,
            mid,
            bool(command & 1),
            bool(command & 8),
        )
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _puback(self, inbox: bytearray, body: int, stop: int) -> bool:
        """Tell of one of our own; False for what paho keeps."""
        mid = inbox[body] << 8 | inbox[body + 1] if stop - body > 1 else 0
        if mid not in self._handed:
            return False
        self._handed.discard(mid)
        self.acked(mid, inbox[body + 2] if stop - body > 2 else 0)
        return True

    def _other(self, command: int, packet: bytearray) -> MQTTErrorCode:
        """Let paho handle what is no PUBLISH of QoS 0 or 1."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(packet),
            "packet": packet,
            "to_process": 0,
            "pos": 0,
        }
        try:
            return self._packet_handle()
        except (MalformedPacket, struct.error, IndexError):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
