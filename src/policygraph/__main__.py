"""`python -m policygraph` is the `policygraph` command."""

from policygraph.cli import main

main()
