# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in: secrets, PINs, tries, and keys that are kept and revoked."""

from __future__ import annotations

import stat
import sys

import pytest

from mfn_addon.phone.devices import Devices
from mfn_addon.phone.pairing import LIFETIME, LOCKED, WRONG_PINS, Pairing, PairingError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pairing(clock):
    return Pairing(Devices(), clock)


def test_a_secret_pairs_one_device(pairing):
    secret = pairing.secret
    device, key = pairing.by_secret(secret, "Anna")
    assert device.name == "Anna"
    assert len(key) >= 40
    with pytest.raises(PairingError, match="was used"):
        pairing.by_secret(secret, "Eve")
    assert pairing.by_secret(pairing.secret, "Ben")[0].slot == 2


def test_secret_and_pin_expire(pairing, clock):
    secret, pin = pairing.secret, pairing.pin
    clock.now += LIFETIME
    with pytest.raises(PairingError, match="too old"):
        pairing.by_secret(secret, "late")
    with pytest.raises(PairingError, match="too old"):
        pairing.by_pin(pin, "late")
    pairing.renew_if_old()
    assert pairing.secret != secret
    pairing.by_pin(pairing.pin, "in time")


def test_a_thousand_wrong_pins_get_a_handful_of_tries(pairing, clock):
    codes = []
    for number in range(1000):
        guess = f"{number:06d}"
        if guess == pairing.pin:
            continue
        with pytest.raises(PairingError) as caught:
            pairing.by_pin(guess, "guesser")
        codes.append(caught.value.code)
    assert codes.count("wrong") == WRONG_PINS
    assert set(codes[WRONG_PINS:]) == {"locked"}
    pairing.by_secret(pairing.secret, "whoever scans the code still gets in")
    clock.now += LOCKED
    pairing.by_pin(pairing.pin, "and later who types the new PIN")


def test_keys_survive_a_restart_and_can_be_revoked(tmp_path):
    path = tmp_path / "devices.json"
    device, key = Devices(path).add("Anna's\nphone\x00")
    again = Devices(path)
    assert again.find(key) == device
    assert device.name == "Anna's phone"
    assert key not in path.read_text()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again.rename(device.id, "Ben's")
    again.forget(device.id)
    assert Devices(path).find(key) is None


def test_phones_that_are_called_alike_are_told_apart():
    devices = Devices()
    first, second, third = (devices.add("iPhone")[0] for _ in range(3))
    assert [each.name for each in devices.all()] == ["iPhone", "iPhone 2", "iPhone 3"]
    devices.rename(second.id, "iPhone 2")
    devices.rename(third.id, first.name)
    assert [each.name for each in devices.all()] == ["iPhone", "iPhone 2", "iPhone 3"]


def test_a_damaged_file_of_devices_counts_as_none(tmp_path):
    path = tmp_path / "devices.json"
    path.write_text('[{"id": ')
    assert Devices(path).all() == []
