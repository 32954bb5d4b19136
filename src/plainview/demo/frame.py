"""Say how large and how often the sample department's pictures are."""

from typing import Final

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 360
FRAME_RATE: Final = 15
