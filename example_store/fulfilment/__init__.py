"""A small fulfilment service: its own process and database, spoken to by webhooks alone.

It knows parcels, holds them, takes changes until they are packed, and answers each change once
more whenever nobody has heard the answer. Nothing of the shop's is imported.
"""
