#!/bin/sh
# Installs Safehold for this user: no root, no internet.
#   ./install.sh              installs, and starts the service where systemd is there
#   ./install.sh --no-start   installs only
#   ./install.sh --check      only says which permission or program is missing
# SAFEHOLD_HOME names another place than ~/.local/share/safehold.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${SAFEHOLD_HOME:-$HOME/.local/share/safehold}
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
start=1
case ${1:-} in
  '' | --check) ;;
  --no-start) start=0 ;;
  *)
    sed -n '2,6p' "$0" >&2
    exit 2
    ;;
esac

die() {
  echo "install: $*" >&2
  exit 1
}

find_python() {
  for name in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if "$path" "$here/supported.py" "$here" 2>/dev/null; then
      echo "$path"
      return 0
    fi
  done
  return 1
}

# A folder for each content: a hub that runs is never changed under its feet.
install_app() {
  wheel=$(echo "$here"/wheels/safehold-*.whl)
  app=app-$version-$(cksum <"$wheel" | cut -d' ' -f1)
  mkdir -p "$home/data"
  chmod 700 "$home" "$home/data"
  [ -f "$home/$app/complete" ] || fill_app "$home/$app"
  before=$(readlink "$home/app" 2>/dev/null || echo "$app")
  # One rename switches versions; the one before stays for the way back.
  ln -sfn "$app" "$home/app.new"
  mv -T "$home/app.new" "$home/app"
  for old in "$home"/app-*; do
    case ${old##*/} in "$app" | "$before") ;; *) rm -rf "$old" ;; esac
  done
  mkdir -p "$HOME/.local/bin"
  ln -sfn "$home/app/bin/safehold" "$HOME/.local/bin/safehold"
}

fill_app() {
  rm -rf "$1"
  "$python" -m venv --without-pip "$1" || die "could not make $1"
  # pip runs from its own wheel: Debian's Python may come without ensurepip.
  pip=$(echo "$here"/wheels/pip-*.whl)/pip
  "$1/bin/python" "$pip" install --quiet --no-index --no-cache-dir \
    --find-links "$here/wheels" --require-hashes --no-deps -r "$here/requirements.txt"
  "$1/bin/python" "$pip" install --quiet --no-index --no-cache-dir --no-deps "$wheel"
  mkdir -p "$1/share/doc"
  cp -R "$here/README.md" "$here/README.zh-CN.md" "$here/LICENCES.txt" \
    "$here/licences" "$1/share/doc/"
  touch "$1/complete"
}

install_service() {
  mkdir -p "$units"
  sed "s|@HOME@|$home|g" "$here/safehold.service" >"$units/safehold.service"
  if ! systemctl --user show-environment >/dev/null 2>&1; then
    echo "There is no systemd of this user here. Start the hub by hand with"
    echo "    $HOME/.local/bin/safehold run --data $home/data"
    return 0
  fi
  systemctl --user daemon-reload
  if [ $start = 1 ]; then
    systemctl --user enable --quiet safehold
    systemctl --user restart safehold
    echo "Started. Its state and its claim code:  journalctl --user -u safehold"
  else
    echo "Start it with:  systemctl --user enable --now safehold"
  fi
  echo "So that it runs while nobody is logged in:  loginctl enable-linger $(id -un)"
}

# A missing permission is answered with the command that grants it.
check_serial() {
  group=dialout
  for port in /dev/ttyUSB* /dev/ttyACM* /dev/ttyAMA* /dev/ttyS[0-9]; do
    [ -c "$port" ] || continue
    if [ -r "$port" ] && [ -w "$port" ]; then return 0; fi
    group=$(stat -c %G "$port")
    break
  done
  case " $(id -Gn) " in *" $group "* | *" root "*) return 0 ;; esac
  getent group "$group" >/dev/null || return 0
  echo "This user may not open serial ports (RS485 detectors). To grant it, run"
  echo "    sudo usermod -aG $group $(id -un)"
  echo "and log in anew."
}

check_broker() {
  PATH=$PATH:/usr/sbin command -v mosquitto >/dev/null && return 0
  echo "mosquitto is not installed: the hub uses its slower built-in broker (MQTT 3.1.1)."
  echo "When you have root and a package source:  sudo apt-get install mosquitto"
}

if [ "${1:-}" = --check ]; then
  check_serial
  check_broker
  exit 0
fi
version=$(cat "$here/VERSION")
python=$(find_python) ||
  die "no Python that this bundle has packages for ($(cat "$here/PYTHONS")) is here"
install_app
echo "Safehold $version is in $home"
install_service
check_serial
check_broker
