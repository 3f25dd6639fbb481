"""Give the guest's kernel a radio without hardware, and put a detector near it.

One virtual controller becomes hci0 through /dev/vhci; another is a gas detector that
advertises BTHome v2 in clear. Both are on one link within this process (bumble).
"""

import asyncio
import contextlib
import struct
import sys

from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Device
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport

#: Who advertises; the test is told by SAFEHOLD_BLE_PERIPHERAL.
ADDRESS = "F0:F1:F2:F3:F4:F5"
_BTHOME = 0xFCD2
_EVERY_S = 0.5


def advertisement(number: int) -> bytes:
    """Return packet id, battery, temperature and carbon dioxide as BTHome says it."""
    said = bytes((0x40, 0x00, number % 256, 0x01, 88, 0x02)) + struct.pack("<h", 2350)
    said += b"\x12" + struct.pack("<H", 450)
    fields = [
        (AdvertisingData.FLAGS, b"\x06"),
        (AdvertisingData.COMPLETE_LOCAL_NAME, b"GAS-01"),
        (AdvertisingData.SERVICE_DATA_16_BIT_UUID, struct.pack("<H", _BTHOME) + said),
    ]
    return bytes(AdvertisingData(fields))


async def main() -> None:
    """Advertise until the guest ends."""
    link = LocalLink()
    kernel = await open_transport("vhci")
    Controller("hub", host_source=kernel.source, host_sink=kernel.sink, link=link)
    host = Host()
    host.controller = Controller("gas", link=link)
    device = Device(name="GAS-01", address=Address(ADDRESS), host=host)
    await device.power_on()
    number = 0
    while True:
        device.advertising_data = advertisement(number)
        await device.start_advertising(
            auto_restart=True,
            advertising_interval_min=100,
            advertising_interval_max=100,
        )
        if not number:
            sys.stdout.write("radio: advertising\n")
            sys.stdout.flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_S):
                await asyncio.Event().wait()
        await device.stop_advertising()
        number += 1


if __name__ == "__main__":
    asyncio.run(main())
