"""Tables and statements. Nothing here commits; nothing here decides."""

from . import hesitation_models, incident_models, models

# Both fill the metadata that reaches the shop's.
__all__ = ["hesitation_models", "incident_models", "models"]
