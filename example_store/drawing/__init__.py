"""The shop's pictures, drawn by this code: ``python -m example_store.drawing`` writes them anew."""
