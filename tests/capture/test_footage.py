# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage: exact times, upright pictures, and one clear line for whatever cannot be used."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.capture.errors import InputError
from mfn_addon.capture.footage import Footage, find_inputs

TEST_CARD = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=30:duration=2")
H264 = ("-pix_fmt", "yuv420p")


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi", "mov"])
def test_constant_rate(ffmpeg, container):
    footage = Footage(ffmpeg(f"clip.{container}", *TEST_CARD, *H264))
    times = [picture.time for picture in footage]
    assert times == pytest.approx([n / 30 for n in range(60)], abs=0.001)
    assert (footage.width, footage.height, footage.still) == (320, 240, False)
    assert footage.rate == pytest.approx(30)
    assert footage.frame_count == 60
    assert footage.duration == pytest.approx(2.0)
    assert footage.warning is None


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_variable_rate_keeps_each_presentation_time(ffmpeg, container):
    # Of 60 pictures at 30 a second, those whose number divides by 5 or 7 stay.
    kept = [n for n in range(60) if n % 5 == 0 or n % 7 == 0]
    vary = ("-vf", r"select=not(mod(n\,5)*mod(n\,7))", "-vsync", "vfr")
    footage = Footage(ffmpeg(f"vfr.{container}", *TEST_CARD, *vary, *H264))
    pictures = list(footage)
    assert [p.time for p in pictures] == pytest.approx([n / 30 for n in kept], abs=0.001)
    assert [p.frame for p in pictures] == list(range(len(kept)))
    assert footage.warning is None


def test_times_start_at_the_first_picture(ffmpeg):
    late = ("-vf", "setpts=PTS+5/TB")
    footage = Footage(ffmpeg("late.mkv", *TEST_CARD, *late, "-copyts", *H264))
    assert next(iter(footage)).time == 0.0


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_flag(ffmpeg, degrees):
    # A picture that is white at the top left alone, stored upright and flagged as turned.
    corner = "color=black:size=64x32:duration=0.2,drawbox=w=32:h=16:color=white:t=fill"
    plain = ffmpeg("plain.mp4", "-f", "lavfi", "-i", corner, *H264)
    turned = ffmpeg("turned.mp4", "-display_rotation", str(degrees), "-i", str(plain), "-c", "copy")
    upright = ffmpeg("upright.png", "-i", str(turned), "-frames:v", "1")  # as ffmpeg shows it
    expected = cv2.imread(str(upright))[:, :, 0]
    footage = Footage(turned)
    image = next(iter(footage)).image
    assert image.shape[:2] == expected.shape == (footage.height, footage.width)
    assert np.abs(image[:, :, 0].astype(int) - expected).mean() < 5


def test_footage_can_be_read_again(ffmpeg):
    footage = Footage(ffmpeg("clip.mp4", *TEST_CARD, *H264))
    first = [picture.image.mean() for picture in footage]
    assert [picture.image.mean() for picture in footage] == first


def picture_file(folder: Path, name: str, picture: np.ndarray) -> Path:
    path = folder / name
    assert cv2.imwrite(str(path), picture)
    return path


def only_picture(path: Path) -> np.ndarray:
    footage = Footage(path)
    assert footage.still
    (picture,) = footage
    assert (picture.time, picture.frame) == (0.0, 0)
    return picture.image


def test_colour_is_rgb(tmp_path):
    blue_in_opencv = np.full((20, 30, 3), (255, 0, 0), np.uint8)
    image = only_picture(picture_file(tmp_path, "a.png", blue_in_opencv))
    assert image.shape == (20, 30, 3)
    assert image[0, 0].tolist() == [0, 0, 255]


def test_16_bits_become_8(tmp_path):
    deep = np.full((20, 20, 3), 0x8080, np.uint16)
    image = only_picture(picture_file(tmp_path, "a.png", deep))
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [128, 128, 128]


def test_16_bit_grey_becomes_colour(tmp_path):
    image = only_picture(picture_file(tmp_path, "a.tiff", np.full((20, 20), 65535, np.uint16)))
    assert image.shape == (20, 20, 3)
    assert image[0, 0].tolist() == [255, 255, 255]


def test_grey_becomes_colour(tmp_path):
    image = only_picture(picture_file(tmp_path, "a.jpg", np.full((20, 20), 77, np.uint8)))
    assert image.shape == (20, 20, 3)
    assert abs(int(image[0, 0, 1]) - 77) <= 1


def test_transparent_parts_become_grey(tmp_path):
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[:10] = (0, 0, 255, 255)  # opaque red above, transparent black below
    image = only_picture(picture_file(tmp_path, "a.png", picture))
    assert image[0, 0].tolist() == [255, 0, 0]
    assert image[19, 0].tolist() == [128, 128, 128]


def test_folder_is_unrelated_pictures_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1):
        picture_file(tmp_path, f"shot{number}.png", np.zeros((16, 16, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("not footage")
    found = find_inputs([tmp_path])
    assert [item.name for item in found] == ["shot1.png", "shot2.png", "shot10.png"]


def test_folder_as_sequence(tmp_path):
    for number in range(3):
        picture_file(tmp_path, f"{number}.png", np.full((16, 16, 3), number * 100, np.uint8))
    (item,) = find_inputs([tmp_path], sequences=True)
    footage = Footage(item.path, rate=10)
    assert not footage.still
    assert [(p.time, p.frame, p.image[0, 0, 0]) for p in footage] == [
        (0.0, 0, 0), (0.1, 1, 100), (0.2, 2, 200),
    ]  # fmt: skip


def test_same_names_in_two_folders_stay_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        picture_file(tmp_path / folder, "face.png", np.zeros((16, 16, 3), np.uint8))
    names = [item.name for item in find_inputs([tmp_path / "a", tmp_path / "b"])]
    assert len(set(names)) == 2


def refusal(path: Path) -> str:
    """The one line with which a path is refused."""
    with pytest.raises(InputError) as caught:
        Footage(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_absent_path(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.mp4")


def test_empty_file(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert "empty" in refusal(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["letter.mp4", "letter.png", "letter.txt", "letter"])
def test_text_is_no_footage(tmp_path, name, capfd):
    (tmp_path / name).write_text("Dear Sir or Madam,\n" * 50)
    assert "not a" in refusal(tmp_path / name)
    assert capfd.readouterr().err == ""  # the decoder has its say in our one line


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no picture or video"):
        find_inputs([tmp_path])


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_1x1_picture(tmp_path, suffix):
    path = picture_file(tmp_path, f"dot.{suffix}", np.zeros((1, 1, 3), np.uint8))
    assert "1x1 px is too small" in refusal(path)


def test_video_without_its_end_cannot_be_opened(ffmpeg, tmp_path):
    data = ffmpeg("whole.mp4", *TEST_CARD, *H264).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])  # the index was at the end
    assert "truncated" in refusal(tmp_path / "cut.mp4")


def test_truncated_video_is_used_as_far_as_it_goes(ffmpeg, tmp_path, capfd):
    options = (*TEST_CARD, *H264, "-movflags", "faststart", "-g", "10")
    data = ffmpeg("whole.mp4", *options).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 6 // 10])
    footage = Footage(tmp_path / "cut.mp4")
    count = sum(1 for _ in footage)
    assert 10 < count < 55
    assert footage.warning is not None
    assert "ends early" in footage.warning
    assert f"{count} pictures" in footage.warning
    assert capfd.readouterr().err == ""


def test_sound_alone_is_no_footage(ffmpeg):
    path = ffmpeg("tone.mp4", "-f", "lavfi", "-i", "sine=duration=1")
    assert str(path) in refusal(path)
