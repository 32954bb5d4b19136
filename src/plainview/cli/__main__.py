"""python -m plainview.cli: the same program as `plainview`."""

from plainview.cli import main

main()
