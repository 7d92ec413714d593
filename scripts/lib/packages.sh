# Debian and Ubuntu packages of the machine, installed where that may be done without asking. Source after say.sh.

# Runs a command as root: as root itself, or through a sudo that asks for no password. Fails where neither is there.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
    sudo -n "$@"
  else
    return 1
  fi
}

# Installs Debian packages; fails where there is no apt-get, or nobody who may use it.
install_debian_packages() {
  command -v apt-get >/dev/null 2>&1 && as_root true || return 1
  mkdir -p "$VENVS"
  {
    as_root apt-get update &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
  } >"$VENVS/apt.log" 2>&1
}

# Whether what a package brings is on this machine, from wherever it came.
is_installed() {
  case "$1" in
    gcc-xtensa-lx106) command -v xtensa-lx106-elf-g++ ;;
    gcc-riscv64-unknown-elf) command -v riscv64-unknown-elf-g++ ;;
    libgtest-dev) [ -e /usr/include/gtest/gtest.h ] ;;
    libnewlib-dev) [ -e /usr/include/newlib/stdio.h ] ;;
    libstdc++-arm-none-eabi-dev) compgen -G '/usr/include/newlib/c++/*/cstdint' ;;
    mosquitto) [ -x /usr/sbin/mosquitto ] || command -v mosquitto ;;
    python3-pip) python3 -m pip --version ;;
    # A browser that is there already has found its fonts.
    fonts-dejavu-core) command -v chromium ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

# install_missing PACKAGE...: installs those that are missing, or stops with the command that does.
install_missing() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "Installing ${missing[*]} …"
  install_debian_packages "${missing[@]}" ||
    die "This machine lacks ${missing[*]}: install that (Debian, Ubuntu: 'sudo apt-get install ${missing[*]}') and run this again."
}
