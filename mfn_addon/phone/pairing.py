# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairing: a one-time secret for the code that a phone scans, and a PIN for typing."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

from .devices import Device, Devices

LIFETIME = 600.0
"""Seconds that a secret and a PIN are good for."""
WRONG_PINS = 5
"""Wrong PINs until none is accepted for a while: six digits must not be guessed."""
LOCKED = 60.0
"""Seconds without PINs after too many wrong ones. The secret, which nobody guesses, still works."""


class PairingError(ValueError):
    """Not paired.

    Attributes:
        code: "wrong", "expired" or "locked".
        wait: seconds until it is worth another try.
    """

    def __init__(self, code: str, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.code, self.wait = code, wait


class Pairing:
    """The present secret and PIN.

    Attributes:
        secret: pairs one device, then is replaced.
        pin: six digits; pairs any number until it is replaced.
        version: counts the replacements, so that others see when to draw the code anew.
    """

    def __init__(self, devices: Devices, clock: Callable[[], float] = time.monotonic) -> None:
        self._devices, self._clock = devices, clock
        self._wrong, self._locked_until = 0, -1.0
        self.version = 0
        self.renew()

    def renew(self) -> None:
        """Replace both: what was shown before is no longer good."""
        self.secret = secrets.token_urlsafe(16)
        self.pin = f"{secrets.randbelow(1_000_000):06d}"
        self._until = self._clock() + LIFETIME
        self._wrong = 0
        self.version += 1

    def renew_if_old(self) -> None:
        """Replace what has expired."""
        if self._clock() >= self._until:
            self.renew()

    @property
    def remaining(self) -> float:
        """Seconds until the present secret and PIN expire."""
        return max(0.0, self._until - self._clock())

    def by_secret(self, secret: str, name: str) -> tuple[Device, str]:
        """Pair by the code's secret. Returns the device and its key. Raises PairingError."""
        right = hmac.compare_digest(secret.encode(errors="replace"), self.secret.encode())
        if not right or self._clock() >= self._until:
            raise PairingError("expired", "This code was used or is too old: scan the new one")
        paired = self._devices.add(name)
        self.secret = secrets.token_urlsafe(16)  # the PIN stays, someone may be typing it
        self.version += 1
        return paired

    def by_pin(self, pin: str, name: str) -> tuple[Device, str]:
        """Pair by the PIN. Returns the device and its key. Raises PairingError."""
        now = self._clock()
        if now < self._locked_until:
            wait = self._locked_until - now
            raise PairingError(
                "locked", f"Too many wrong PINs: scan the code, or wait {wait:.0f} seconds", wait
            )
        if now >= self._until:
            raise PairingError("expired", "This PIN is too old: type the new one")
        if not hmac.compare_digest(pin.encode(errors="replace"), self.pin.encode()):
            self._wrong += 1
            if self._wrong >= WRONG_PINS:
                self._locked_until = now + LOCKED
                self.renew()
            raise PairingError("wrong", "That is not the PIN that the computer shows")
        return self._devices.add(name)
