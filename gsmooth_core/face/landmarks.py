"""Names for groups of the 478 landmarks, numbered as in the published face mesh."""

from __future__ import annotations

import numpy as np

INNER_UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
INNER_LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
"""Edges of the mouth's opening, left to right in the picture; the n-th of each face each other."""

MOUTH_CORNERS, INNER_MOUTH_CORNERS = (61, 291), (78, 308)
OUTER_LIPS = (185, 40, 39, 37, 0, 267, 269, 270, 409, 146, 91, 181, 84, 17, 314, 405, 321, 375)

APERTURE_UPPER, APERTURE_LOWER = (81, 13, 311), (178, 14, 402)
"""Points of the inner lips whose distance is the mouth's aperture; the n-th face each other."""

CENTRAL_UPPER, CENTRAL_LOWER = (13, 82, 312), (14, 87, 317)
"""The same closer to the middle: where teeth show first."""

OUTER_EYE_CORNERS = (33, 263)
"""Their distance is the measure of a face's size."""

NOSE_TIP, NOSE_BASE = 1, 2

MESH_POINTS = np.arange(468)
"""All points but those of the irises."""

# fmt: off
SKIN = np.array([
    # forehead, brows' upper side, temples
    10, 109, 67, 338, 297, 151, 108, 69, 337, 299, 9, 8, 104, 333, 68, 298,
    # nose
    168, 6, 197, 195, 5, 4, 1, 45, 275, 51, 281, 3, 248, 196, 419, 122, 351, 48, 278, 198, 420,
    # cheeks
    50, 280, 101, 330, 36, 266, 205, 425, 187, 411, 207, 427, 117, 346, 118, 347, 119, 348, 123,
    352, 147, 376, 213, 433, 192, 416, 214, 434, 135, 364, 216, 436, 212, 432, 116, 345, 177, 401,
    215, 435, 203, 423, 206, 426, 142, 371, 100, 329, 126, 355,
    # chin and jaw
    199, 200, 208, 428, 201, 421, 175, 171, 396, 140, 369, 170, 395, 169, 394, 210, 430, 211, 431,
    18, 83, 313, 194, 418, 204, 424, 202, 422, 138, 367,
    # between nose and lips
    164, 167, 393, 165, 391, 92, 322,
])
"""Points on bare skin, for light."""

SPEECH_POINTS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
    152, 148, 377, 176, 400, 200, 199, 175,
)
"""Both lips, outer and inner edges, and the chin, in the order that the sync expert knows."""

STILL_POINTS = (
    33, 133, 362, 263, 168, 6, 197, 195, 9, 8, 151, 10, 55, 285, 193, 417, 122, 351,
)
"""Eye corners (the first and the fourth are the outer ones), brow, forehead, bridge of the nose."""
# fmt: on

LIPS = (*MOUTH_CORNERS, *INNER_MOUTH_CORNERS, *OUTER_LIPS, *INNER_UPPER_LIP, *INNER_LOWER_LIP)
"""The 40 landmarks of the lips: 20 of the outer edge, 20 of the inner one."""
