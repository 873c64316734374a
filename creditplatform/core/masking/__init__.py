"""Masks: how much of a personal value is shown where it may not be shown whole; scrubbing of logs and free texts."""

from creditplatform.core.masking.masks import HIDDEN, STARS, Mask, mask
from creditplatform.core.masking.scrubbing import HIDDEN_TEXT, scrub
from creditplatform.core.masking.texts import hide_numbers, holds_number, may_hold_number

__all__ = ["HIDDEN", "HIDDEN_TEXT", "STARS", "Mask", "hide_numbers", "holds_number", "mask", "may_hold_number", "scrub"]
