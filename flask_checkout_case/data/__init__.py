"""Tables and statements. Nothing here commits; nothing here decides."""

from . import incident_models, models

# Both fill the metadata that reaches the shop's.
__all__ = ["incident_models", "models"]
