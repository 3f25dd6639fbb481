#!/bin/sh
# The first process of the guest: its own kernel, the machine's files. Runs the tests
# that GUEST_TESTS names and writes pytest's exit status to GUEST_OUT.
set -u
. "$GUEST_TOLD"
mount -t proc proc /proc
mount -t sysfs sys /sys
for folder in /tmp /run /dev/shm /var/lib/bluetooth; do
  mkdir -p "$folder" 2>/dev/null
  mount -t tmpfs tmpfs "$folder"
done
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm /dev/net /run/dbus /run/netns
mount -t devpts devpts /dev/pts
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
[ -e /dev/vhci ] || mknod /dev/vhci c 10 137
ip link set lo up
cd "$GUEST_ROOT" || exit 1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/root
dbus-daemon --system --fork --nopidfile
PYTHONPATH=$GUEST_RADIO "$GUEST_PYTHON" tests/guest/radio.py &
sleep 6
/usr/libexec/bluetooth/bluetoothd -n 2>/tmp/bluetoothd.log &
sleep 3
timeout 10 bluetoothctl power on
export SAFEHOLD_BLE_PERIPHERAL=F0:F1:F2:F3:F4:F5
# shellcheck disable=SC2086  # several tests, and their options
"$GUEST_PYTHON" -m pytest -p no:cacheprovider --color=no -v -rs $GUEST_TESTS
echo $? >"$GUEST_OUT"
sync
echo o >/proc/sysrq-trigger
sleep 5
