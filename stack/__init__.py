"""The whole stack on one machine: what ``make demo`` and ``make test`` run. Standard library only."""
