"""Masks: how much of a personal value is shown where it may not be shown whole; scrubbing of log texts."""

from creditplatform.core.masking.masks import HIDDEN, STARS, Mask, mask
from creditplatform.core.masking.scrubbing import HIDDEN_TEXT, scrub

__all__ = ["HIDDEN", "HIDDEN_TEXT", "STARS", "Mask", "mask", "scrub"]
