"""Tells from a customer's words what a case is about: weighted rules, no training."""

from .judge import SURE, Classification, classify

__all__ = ["SURE", "Classification", "classify"]
