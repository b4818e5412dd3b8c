"""PIGMA as DINAMIS's relay: membership, accounts, imagery and help inside CKAN."""

__version__ = "0.1.0"
