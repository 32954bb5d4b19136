"""Make docs/images/night-of-14-march.jpg: six stills that a stranger can name.

Run it from the root of the repository: python tests/vectors/make_stills.py
"""

import pathlib

from PIL import Image, ImageDraw, ImageFont

from plainview.demo.cameras import painter
from plainview.demo.story import CAMERAS
from plainview.demo.truth import SEED

TARGET = pathlib.Path("docs/images/night-of-14-march.jpg")
STILLS = (
    ("car-12a", 66.0, "1:06  The car's camera: a man runs up Alder Street"),
    ("reyes", 89.0, "1:29  Reyes's camera, on his belt: his own hands"),
    ("okafor", 104.0, "1:44  Okafor's camera: hands up, at the end of the alley"),
    ("okafor", 149.2, "2:29  The stop, at speaking distance"),
    ("okafor", 192.0, "3:12  The frisk"),
    ("okafor", 297.0, "4:57  Lindqvist and Marsh arrive; neither records"),
)
WIDE, TALL, BAND = 640, 360, 30


def sheet():
    """Draw the six with what they show under each."""
    image = Image.new("RGB", (2 * WIDE + 6, 3 * (TALL + BAND) + 6), "#ffffff")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    painters = {key: painter(camera, seed=SEED) for key, camera in CAMERAS.items()}
    for i, (key, at_s, words) in enumerate(STILLS):
        x, y = (i % 2) * (WIDE + 6), (i // 2) * (TALL + BAND + 3)
        image.paste(Image.fromarray(painters[key].picture(at_s)), (x, y))
        draw.text((x + 6, y + TALL + BAND // 2), words, fill="#20242a", font=font, anchor="lm")
    return image


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    sheet().save(TARGET, quality=84, optimize=True)
    print(TARGET, TARGET.stat().st_size, "bytes")
