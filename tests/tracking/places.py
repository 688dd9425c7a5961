"""Where things are in the NASA portrait, read off an enlargement by hand (512 x 512 pixels)."""

EYE_AT_LEFT = (203.3, 100.8)
EYE_AT_RIGHT = (246.7, 103.3)
MOUTH_AT_LEFT = (204.7, 141.3)
MOUTH_AT_RIGHT = (243.3, 141.3)
MOUTH = (224.2, 145.8)
CHIN = (223.3, 177.5)
EYE_DISTANCE = 43.5
