"""What runs beside the requests: plain functions of a runtime, and a runner for them.

Nothing here starts by itself; ``flask checkout-case worker`` runs it, ``sweep`` and ``drain`` run
parts of it once.
"""
