"""A DINAMIS to try against: contract, signing, objects, identity, mail, public services.

It says on every page that it is not DINAMIS. It imports nothing of the other rooms and nothing of CKAN.
"""
