"""Takes card data out of texts and values, and makes values safe to keep as JSON."""

from .text import mask_text, may_need_masking
from .values import UNREADABLE, scrub, shorten

__all__ = ["UNREADABLE", "mask_text", "may_need_masking", "scrub", "shorten"]
