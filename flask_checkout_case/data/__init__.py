"""Tables and statements. Nothing here commits; nothing here decides."""

from . import (
    callback_models,
    change_models,
    hesitation_models,
    incident_models,
    models,
    report_models,
    rescue_models,
)

# They fill the metadata that reaches the shop's.
__all__ = [
    "callback_models",
    "change_models",
    "hesitation_models",
    "incident_models",
    "models",
    "report_models",
    "rescue_models",
]
