"""Program behind scripts/replay."""

import sys

from .rules_alone import use_rules_alone

if __name__ == "__main__":
    use_rules_alone()
    from .command import main

    sys.exit(main(sys.argv[1:]))
