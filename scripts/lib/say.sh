# Words for the person at the terminal. Source this file.

say() { printf '%s\n' "$*"; }

# One sentence that says what is wrong and what to do, then stop.
die() {
  printf '%s\n' "$*" >&2
  exit 1
}
