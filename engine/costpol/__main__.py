"""`python -m costpol`: the same as the `costpol` command."""

from costpol.cli.main import main

raise SystemExit(main())
