# The two virtual environments (Home Assistant and ESPHome pin versions that conflict). Source after python.sh.

# sync_environment UV PYTHON NAME REQUIREMENTS...: makes $VENVS/NAME hold exactly the pinned requirements.
sync_environment() {
  local uv="$1" python="$2" name="$3" stamp wanted
  shift 3
  stamp="$VENVS/$name/.requirements.sha"
  wanted="$(cat "$@" | cksum)-$python"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  say "Installing $name …"
  if [ ! -x "$VENVS/$name/bin/python" ]; then
    "$uv" venv --quiet --python "$python" "$VENVS/$name" >"$VENVS/$name.log" 2>&1 ||
      die "Could not make the environment $VENVS/$name: see $VENVS/$name.log."
  fi
  if [ -d "$VENVS/python/include" ]; then
    export CPATH="$VENVS/python/include"
  fi
  "$uv" pip sync --quiet --python "$VENVS/$name/bin/python" "$@" >"$VENVS/$name.log" 2>&1 ||
    die "Could not install $name: connect this machine to the internet and run this again (details: $VENVS/$name.log)."
  printf '%s' "$wanted" >"$stamp"
}
