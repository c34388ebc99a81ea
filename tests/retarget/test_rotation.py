# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotation arithmetic on arrays."""

import numpy as np
import pytest

from mfn_addon.retarget import rotation as rot
from mfn_addon.retarget import turns

RANDOM = np.random.default_rng(2).normal(size=(200, 4))
TURNS = RANDOM / np.linalg.norm(RANDOM, axis=1, keepdims=True)


def same(first, second):
    return np.allclose(np.abs(np.sum(first * second, -1)), 1.0)


def product(first, second):
    return turns.joined(turns.product(rot.turn_of(first), rot.turn_of(second)))


def fraction(quaternions, share, limit=180.0):
    return turns.joined(turns.fraction(rot.turn_of(quaternions), share, limit))


def eulers(quaternions, order):
    return turns.joined(turns.eulers_of(turns.matrix_of(rot.turn_of(quaternions)), order))


def of_eulers(angles, order):
    return turns.joined(turns.of_eulers(rot.turn_of(angles), order))


def carried(quaternions, axes):
    return turns.joined(turns.carried(rot.turn_of(quaternions), axes))


def test_matrices_and_quaternions_are_inverse():
    assert same(rot.quaternions_of(rot.matrices_of(TURNS)), TURNS)


def test_half_turns_survive():
    for axis in range(3):
        half_turn = rot.about(axis, np.array(np.pi))
        assert same(rot.quaternions_of(rot.matrices_of(half_turn)), half_turn)


def test_product_is_matrix_product():
    first, second = TURNS[:100], TURNS[100:]
    expected = rot.matrices_of(first) @ rot.matrices_of(second)
    assert np.allclose(rot.matrices_of(product(first, second)), expected)


def test_a_turn_in_other_axes_turns_the_same_vectors_there():
    axes = rot.matrices_of(TURNS[0])
    expected = axes @ rot.matrices_of(TURNS) @ axes.T
    assert np.allclose(rot.matrices_of(carried(TURNS, axes.tolist())), expected)


def test_shares_of_a_turn_add_up_to_it():
    whole = product(fraction(TURNS, 0.35), fraction(TURNS, 0.65))
    assert same(whole, TURNS)
    assert np.allclose(fraction(np.array((1.0, 0, 0, 0)), 0.5), (1, 0, 0, 0))


@pytest.mark.parametrize("order", turns.EULER_ORDERS)
def test_euler_angles_are_inverse_in_every_order(order):
    back = of_eulers(rot.eulers_of(rot.matrices_of(TURNS), order), order)
    assert same(back, TURNS)


def test_a_quaternion_has_the_angles_of_its_matrix():
    for order in turns.EULER_ORDERS:
        expected = rot.eulers_of(rot.matrices_of(TURNS), order)
        assert np.allclose(eulers(TURNS, order), expected, atol=1e-12)


def test_one_rotation_is_computed_as_many_are():
    """A live tick has one, a bake many; they must not differ by more than their last digits."""
    many = TURNS[:50]
    matrices = rot.matrices_of(many)
    ways = {
        "matrices": (rot.matrices_of, many),
        "quaternions": (rot.quaternions_of, matrices),
        "product": (lambda q: product(q, q), many),
        "fraction": (lambda q: fraction(q, 0.7, 25.0), many),
        "carried": (lambda q: carried(q, matrices[0].tolist()), many),
        "of angles": (lambda q: of_eulers(q[..., :3], "ZXY"), many),
        "about": (lambda angle: rot.about(1, angle), many[:, 0]),
        "straight to angles": (lambda q: eulers(q, "YZX"), many),
        **{
            order: (lambda m, o=order: rot.eulers_of(m, o), matrices)
            for order in turns.EULER_ORDERS
        },
    }
    for name, (compute, rows) in ways.items():
        single = np.array([compute(row) for row in rows])
        assert np.allclose(single, compute(rows), atol=1e-12), name


def test_continuous_takes_the_nearer_sign_and_the_same_rotation():
    angles = np.linspace(0, 4 * np.pi, 50)
    jumping = rot.quaternions_of(rot.matrices_of(rot.about(2, angles)))
    smooth = rot.continuous(jumping)
    assert same(smooth, jumping)
    assert np.all(np.sum(smooth[1:] * smooth[:-1], -1) > 0)
    assert np.any(np.sum(jumping[1:] * jumping[:-1], -1) < 0)


def test_interpolation_takes_the_shorter_way():
    start, end = rot.about(1, np.array(0.1)), -rot.about(1, np.array(0.3))
    assert same(rot.interpolate(start, end, np.array(0.5)), rot.about(1, np.array(0.2)))
