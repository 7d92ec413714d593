# --help for the scripts: a script's own head comment is its help. Source this file.

# help_if_asked "$@": prints the head comment of the running script and exits if --help is the first argument.
help_if_asked() {
  case "${1:-}" in
    -h | --help)
      sed -n '2,/^[^#]/{/^[^#]/d;s/^# \{0,1\}//;p;}' "$0"
      exit
      ;;
  esac
}
