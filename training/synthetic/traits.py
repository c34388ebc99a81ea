# SPDX-License-Identifier: GPL-3.0-or-later
"""One person's appearance as a flat float32 vector, so that a numba kernel takes one array.

Each name is the place of its first number. Colours are linear RGB, three numbers each.
"""

SKIN = 0  # 3
LIPS = 3  # 3, multiplies the skin
HAIR = 6  # 3
BROW = 9  # 3
BEARD = 12  # 3
IRIS = 15  # 3
CLOTH = 18  # 3
CLOTH2 = 21  # 3, the pattern's second colour
FRAME = 24  # 3
HAT = 27  # 3
TEETH = 30  # 3
LIPS_AMOUNT = 33
BROW_AMOUNT = 34
BEARD_AMOUNT = 35
SCALP_AMOUNT = 36
DETAIL = 37  # how strong the skin's uneven tone is
FRECKLES = 38
BLUSH = 39
EYE_MAKEUP = 40
OIL = 41  # strength of the skin's highlight
PUPIL = 42  # pupil's radius over the iris'
IRIS_RADIUS = 43  # metres
PATTERN = 44  # 0 plain, 1 stripes, 2 checks, 3 mottled, 4 jacket, shirt and tie, 5 collar
PATTERN_SCALE = 45  # per metre
NECKLINE = 46  # metres, how far the neckline is lowered
NECKLINE_V = 47  # metres, how deep its V is
HAIR_SHINE = 48
STRAND_CONTRAST = 49
EYE_SHADE = 50
WRINKLES = 51
CLOTH_ROUGH = 52
SCLERA = 53  # brightness
FOLDS = 54  # how deeply the skin folds when the face moves
RESTING_FOLDS = 55  # and how deep folds stay at rest
SIZE = 56
