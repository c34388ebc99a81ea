# SPDX-License-Identifier: GPL-3.0-or-later
"""SFN: its scales, its training, and the exported file against PyTorch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from mfn_addon.face import Face
from mfn_addon.network.sfn import ONE_VIEW, SingleFaceNetwork, crop
from mfn_addon.network.sfn import SIDE as RUNTIME_SIDE
from training import export_sfn, feeding, train
from training.bank import load_surface
from training.export import describe
from training.export_sfn import GIVES, TAKES, build
from training.layers import thin
from training.look import look_from_pose
from training.model import Mfn
from training.running import read_weights, start_from
from training.samples import Samples
from training.sfn import SIDE, Sfn
from training.tasks import TASKS

from .test_learning import composer, painted_bank


@pytest.mark.parametrize("multi_scale", [True, False])
def test_a_short_run_trains_either_scale(tmp_path, monkeypatch, multi_scale):
    words = ["--network", "sfn", "--photos", "", "--steps", "3", "--batch", "4", "--workers", "0",
             "--output", str(tmp_path), "--photo-share", "0"]  # fmt: skip
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, SIDE))
    train.train(train.parse(words + ([] if multi_scale else ["--single-scale"])))
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    assert saved["done"] == 3
    assert ("regions.local8.0.weight" in saved["model"]) == multi_scale


def test_a_crop_holds_one_face_that_fills_it():
    maker = composer(4, SIDE)
    sides = []
    for _ in range(12):
        scene = maker.crop()
        assert scene.picture.shape == (SIDE, SIDE, 3)
        assert len(scene.box) == 1
        sides.append((scene.box[0, 2:] - scene.box[0, :2]).max())
    assert np.median(sides) == pytest.approx(SIDE / 1.25, rel=0.08)


def test_the_exported_network_reads_what_pytorch_reads(tmp_path):
    torch.manual_seed(0)
    model = Sfn().eval()
    torch.nn.init.normal_(model.regions.pose_out.bias, std=0.1)
    graph = build(model)
    describe(graph, "test", TAKES, GIVES)
    path = tmp_path / "sfn.onnx"
    onnx.save(graph, path)
    assert path.stat().st_size < 8e6
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    box = np.array([200, 150, 360, 330], np.float32)
    nothing = np.zeros(3, np.float32)
    face = Face(3, 0.9, box, np.eye(3, dtype=np.float32), nothing, np.zeros(40, np.float32),
                np.zeros(52, np.float32), np.zeros((68, 2), np.float32))  # fmt: skip
    reader = SingleFaceNetwork(path, threads=1, views=ONE_VIEW, as_read=True)
    (read,) = reader.read(image, [face])
    assert (read.id, read.score) == (3, 0.9)
    pixels, corner, zoom = crop(image, box)
    with torch.no_grad():
        pose, identity, expression = model(torch.from_numpy(pixels[None]).permute(0, 3, 1, 2) * 1.0)
    assert RUNTIME_SIDE == SIDE
    assert read.expression == pytest.approx(expression[0].clamp(0, 1).numpy(), abs=0.01)
    assert read.identity == pytest.approx(identity[0].numpy(), abs=0.03)
    region = torch.tensor([[0.0, SIDE / 2, SIDE / 2, SIDE]])
    _, centre, _ = look_from_pose(pose, region)
    middle = centre[0].numpy() / zoom + corner
    assert np.linalg.norm(read.landmarks.mean(0) - middle) < 60
    assert read.landmarks[:, 0].min() > 0


def test_each_of_several_crops_is_read_by_the_exported_network(tmp_path, monkeypatch):
    # Rounded weights are judged above, on a picture; on noise they differ by more.
    monkeypatch.setattr(export_sfn, "compress", lambda *_, **__: None)
    model = Sfn()
    start_from(model, read_weights(Path("training/weights/sfn.pt")))  # new ones say the same to all
    onnx.save(build(model.eval()), tmp_path / "sfn.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "sfn.onnx", providers=["CPUExecutionProvider"]
    )
    crops = np.random.default_rng(1).integers(0, 255, (3, SIDE, SIDE, 3), np.uint8)
    crops[1] //= 3
    crops[2, :80] = 200
    together = session.run(["identity", "expression"], {"crops": crops})
    with torch.no_grad():
        _, identity, expression = model(torch.from_numpy(crops).permute(0, 3, 1, 2).float())
    assert together[0] == pytest.approx(identity.numpy(), abs=2e-3)
    assert together[1] == pytest.approx(expression.clamp(0, 1).numpy(), abs=1e-3)
    assert np.abs(together[0][1:] - together[0][0]).max() > 0.5


@pytest.mark.parametrize("name", ["mfn", "sfn"])
def test_held_back_faces_are_drawn_and_judged(tmp_path, name):
    task = TASKS[name]
    samples = Samples(painted_bank(), [np.full((64, 64, 3), 60, np.uint8)], load_surface())
    network = task.network(train.parse(["--network", name]))
    samples.write(task, network, tmp_path)
    assert cv2.imread(str(tmp_path / "samples.png")).shape[1] == 5 * 2 * 2 * SIDE
    rows = (tmp_path / "samples.csv").read_text().splitlines()
    assert len(rows) == 53
    assert rows[0] == "expression,r"


def test_what_mfn_has_learned_is_exported_as_an_sfn(tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    learned = Mfn().state_dict()
    torch.save({"average": learned}, tmp_path / "mfn.pt")
    words = ["--output", str(tmp_path / "sfn.onnx"), "--weights", str(tmp_path / "sfn.pt")]
    monkeypatch.setattr("sys.argv", ["export_sfn", str(tmp_path / "mfn.pt"), *words])
    export_sfn.main()
    taken = read_weights(tmp_path / "sfn.pt")
    assert taken.keys() == Sfn().state_dict().keys()
    assert all(torch.allclose(value, learned[key], atol=1e-3) for key, value in taken.items())
    assert onnx.load(tmp_path / "sfn.onnx").graph.input[0].name == "crops"

    torch.save({"average": Mfn(thin).state_dict()}, tmp_path / "light.pt")
    monkeypatch.setattr("sys.argv", ["export_sfn", str(tmp_path / "light.pt"), *words])
    with pytest.raises(SystemExit):
        export_sfn.main()
    assert "light.pt has no regions." in capsys.readouterr().err
