# SPDX-License-Identifier: GPL-3.0-or-later
"""MFN learns, part by part, and is exported as it is."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch

from mfn_addon.face import EXPRESSIONS
from training import feeding, running, train
from training.bank import FaceBank, load_surface
from training.feeding import LABELS
from training.look import look_from_pose, rotation_from_6d
from training.losses import (
    CLOSE_LOSSES,
    NEAR_LOSSES,
    FaceLoss,
    Weights,
    assign,
    box_loss,
    steady_loss,
    verify_loss,
)
from training.model import CLOSE_FACES, MAX_FACES, Mfn, cell_centres
from training.sampling import regions_of
from training.scenes import Composer
from training.sfn import SIDE
from training.tasks import (
    CLOSE,
    TASKS,
    close_losses,
    closeup_losses,
    false_proposals,
    look_again,
    verify_losses,
)


def painted_bank(count: int = 6, size: int = 96) -> FaceBank:
    """Faces as coloured discs on the surface's box: enough to check geometry by colour."""
    import cv2

    surface = load_surface()
    random = np.random.default_rng(0)
    rotation = np.repeat(np.eye(3, dtype=np.float32)[None], count, 0)
    centre = np.full((count, 2), size / 2, np.float32)
    scale = np.full(count, size * 2.6, np.float32)
    identity = (random.standard_normal((count, 40)) * 0.3).astype(np.float32)
    expression = np.zeros((count, 52), np.float32)
    points = surface.project(rotation, centre, scale, identity, expression)
    crops = np.zeros((count, size, size, 3), np.uint8)
    for crop, marks in zip(crops, points, strict=True):
        hull = cv2.convexHull(np.round(marks).astype(np.int32))
        cv2.fillConvexPoly(crop, hull, (255, 40, 40))
    return FaceBank(crops, rotation, centre, scale, identity, expression,
                    np.ones(52, np.float32), "painted")  # fmt: skip


def composer(seed: int = 0, size: int = 128) -> Composer:
    grey = [np.full((64, 64, 3), 60, np.uint8)]
    return Composer([painted_bank()], [1.0], grey, load_surface(), size, seed)


def test_closeups_teach_expression_and_leave_the_running_statistics_alone():
    torch.manual_seed(0)
    model, surface = Mfn().train(), load_surface()
    layer = model.trunk.stem[1]
    before = layer.running_mean.clone()
    maker = composer(size=SIDE)
    batch = feeding.collate([maker.closeup()[0] for _ in range(3)])
    loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers,
                    np.full(52, 0.2, np.float32))  # fmt: skip
    losses = closeup_losses(model, batch, loss, torch.device("cpu"))
    assert set(losses) == {f"near {key}" for key in NEAR_LOSSES} <= set(Weights().all())
    losses["near expression"].backward()
    assert model.regions.expression_out.weight.grad.abs().max() > 0
    assert torch.equal(layer.running_mean, before)
    assert layer.training


def test_close_reading_learns_alone():
    torch.manual_seed(0)
    model, surface = Mfn().train(), load_surface()
    maker = composer(size=96)
    pairs = [maker.closeup(2) for _ in range(2)]
    batch = feeding.collate([s for side in zip(*pairs, strict=True) for s in side], twins=True)
    loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers,
                    np.full(52, 0.2, np.float32))  # fmt: skip
    losses = close_losses(model, batch, loss, torch.device("cpu"))
    assert set(losses) == {f"close {key}" for key in CLOSE_LOSSES} <= set(Weights().all())
    assert losses["close steady"] > 0
    sum(losses.values()).backward()
    taught = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert taught
    assert all(name.startswith(CLOSE) for name in taught)


def test_a_batch_that_comes_again_is_looked_at_by_the_trunk_but_once():
    torch.manual_seed(0)
    model, surface = Mfn().eval(), load_surface()
    maker = composer(size=96)
    batch = feeding.collate([maker.closeup()[0] for _ in range(3)])
    loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers,
                    np.full(52, 0.2, np.float32))  # fmt: skip
    asked: list[int] = []
    model.trunk.register_forward_hook(lambda *_: asked.append(1))

    def losses(seed):
        torch.manual_seed(seed)
        return close_losses(model, batch, loss, torch.device("cpu"))

    first, other, again = losses(1), losses(2), losses(1)
    assert len(asked) == 1
    for key, value in first.items():
        assert torch.equal(value, again[key])
    assert not torch.equal(first["close finer"], other["close finer"]), "placed otherwise"


def test_the_second_look_learns_alone_and_sees_the_fine_map():
    torch.manual_seed(0)
    model, surface = Mfn().train(), load_surface()
    maker = composer(size=128)
    batch = feeding.collate([maker.scene() for _ in range(4)])
    loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers,
                    np.full(52, 0.2, np.float32))  # fmt: skip
    losses = verify_losses(model, batch, loss, torch.device("cpu"))
    sum(losses.values()).backward()
    taught = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert all(name.startswith("verify.") for name in taught)
    assert any(name.startswith("verify.narrow") for name in taught)
    assert all(m.training for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))


def test_the_second_look_learns_from_pictures_without_a_face():
    model = Mfn().train()
    scene = composer(size=128).scene()
    for key in ("box", "ignore", *feeding.LABELS):
        setattr(scene, key, getattr(scene, key)[:0])
    losses = verify_losses(model, feeding.collate([scene]), None, torch.device("cpu"))
    assert losses["refine"] == 0
    assert torch.isfinite(losses["verify"])
    assert losses["verify"] > 0


def test_looking_again_does_not_depend_on_the_order():
    torch.manual_seed(0)
    model = Mfn().eval()
    looks = torch.tensor([[1, 40.0, 40, 40], [0, 60.0, 64, 50], [1, 80.0, 80, 60], [0, 30, 30, 30]])
    size = torch.tensor([128.0, 128.0])
    with torch.no_grad():
        maps, pyramid = model.features(torch.rand(2, 3, 128, 128) * 255)
        survey, scores, boxes = look_again(model, maps, pyramid, looks, size)
        for number in range(len(looks)):
            own = look_again(model, maps, pyramid, looks[number : number + 1], size)
            assert torch.allclose(own[0].seen[0], survey.seen[number], atol=1e-4)
            assert torch.allclose(own[1][0], scores[number], atol=1e-4)
            assert torch.allclose(own[2][0], boxes[number], atol=1e-2)


@pytest.mark.parametrize(
    ("network", "layers"),
    [("close", CLOSE), ("verify", ("verify.",)), ("find", ("around.", "find."))],
)
def test_what_a_task_does_not_teach_stays(tmp_path, network, layers):
    """A step moves the layers that learn alone; of close reading not even what normalises it."""
    words = ["--network", network, "--photos", "", "--steps", "1", "--batch", "2", "--workers", "0",
             "--output", str(tmp_path), "--seed", "3"]  # fmt: skip
    arguments = train.parse(words)
    torch.manual_seed(arguments.seed)
    before = TASKS[network].network(arguments).state_dict()
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(feeding, "make_composer", lambda *_: composer(size=96))
        train.train(arguments)
    after = torch.load(tmp_path / "last.pt", weights_only=True)["model"]
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved
    assert all(name.startswith(layers) for name in moved)
    if network != "verify":
        assert not any("running" in name for name in moved)


def test_twins_read_alike_are_steady_and_others_are_not():
    rotation = torch.eye(3).repeat(4, 1, 1)
    expression, size = torch.rand(2, 52).repeat(2, 1), torch.full((4,), 100.0)
    assert steady_loss(rotation, expression, size) == 0
    expression[2] += 0.5
    assert steady_loss(rotation, expression, size) > 0.1
    small = torch.tensor([10.0, 100.0, 10.0, 100.0])  # what cannot be told is not asked
    assert steady_loss(rotation, expression, small) == 0


def test_each_face_is_answered_for_by_cells_of_its_level():
    boxes = torch.tensor([[10.0, 10, 40, 40], [60, 60, 180, 190]])
    centres, levels = cell_centres(192, 192)
    answer, _, _ = assign(centres, levels, boxes, torch.zeros(2, dtype=torch.bool))
    assert set(levels[answer == 0].tolist()) == {0}
    assert set(levels[answer == 1].tolist()) == {2}
    ignored, left_out, _ = assign(centres, levels, boxes, torch.tensor([True, False]))
    assert (ignored != 0).all()
    assert left_out[answer == 0].all()


def test_box_loss_is_zero_for_the_truth_and_grows():
    truth = torch.tensor([[0.0, 0, 10, 10]])
    assert float(box_loss(truth, truth)) == pytest.approx(0, abs=1e-6)
    assert float(box_loss(truth + 20, truth)) > float(box_loss(truth + 5, truth)) > 0.3


def test_zero_outputs_mean_a_face_looking_ahead():
    assert torch.allclose(rotation_from_6d(torch.zeros(2, 6)), torch.eye(3).repeat(2, 1, 1))
    regions = regions_of(torch.tensor([[10.0, 20, 110, 100]]), torch.zeros(1))
    _, centre, scale = look_from_pose(torch.zeros(1, 9), regions)
    assert centre[0].tolist() == [60, 60]
    assert float(scale[0]) == pytest.approx(125 / 0.2)


def test_close_reading_sees_more_than_the_trunk():
    """The trunk is shown half the pixels; patches and labels are in all of them."""
    model = Mfn().train()
    seen: dict[str, torch.Tensor] = {}
    for part, name, number in (
        (model.trunk, "trunk", 0),
        (model.regions.details, "picture", 0),
        (model.regions.details, "regions", 2),
    ):
        part.register_forward_pre_hook(
            lambda _, given, name=name, number=number: seen.update({name: given[number]})
        )

    def loss(pose, identity, expression, regions, truth, hints):
        seen["asked of"] = regions
        return dict.fromkeys(CLOSE_LOSSES, pose.sum())

    loss.deviation = torch.ones(52)
    labels = {name: torch.zeros(2, 1) for name in LABELS}
    batch = {"pictures": torch.zeros(2, 64, 64, 3, dtype=torch.uint8), "finer": 2, "twins": False}
    close_losses(model, batch | labels, loss, torch.device("cpu"))
    assert seen["trunk"].shape == (2, 3, 32, 32)
    assert seen["picture"].shape == (2, 3, 64, 64)
    assert torch.allclose(seen["regions"][:, 1:] * 2, seen["asked of"][:, 1:])
    assert seen["asked of"][:, 3].tolist() == pytest.approx([64, 64], rel=0.3)


def test_face_loss_is_zero_for_the_truth():
    surface = load_surface()
    deviation = np.full(52, 0.2, np.float32)
    loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers, deviation)
    regions = torch.tensor([[0.0, 50, 50, 100]])
    rotation, centre, scale = look_from_pose(torch.zeros(1, 9), regions)
    truth = {"rotation": rotation, "centre": centre, "scale": scale,
             "identity": torch.zeros(1, 40), "expression": torch.zeros(1, 52),
             "trusted": torch.ones(1, 52)}  # fmt: skip
    zero = torch.zeros(1, 9), torch.zeros(1, 40), torch.zeros(1, 52)
    assert all(float(v) < 1e-5 for v in loss(*zero, regions, truth).values())
    smile = torch.zeros(1, 52)
    smile[0, 43] = 1
    losses = loss(zero[0], zero[1], smile, regions, truth)
    assert float(losses["expression"]) > 0.03
    assert float(losses["landmarks"]) > 1e-4
    blink = torch.zeros(1, 52)
    blink[0, EXPRESSIONS.index("eyeBlinkLeft")] = 1
    blinked = loss(zero[0], zero[1], blink, regions, truth)
    assert float(blinked["gaps"]) > 2 * float(losses["gaps"]) > 0


@pytest.fixture(scope="module")
def short_run(tmp_path_factory) -> Path:
    """Twelve steps on painted faces, with loader, checkpoint and curves."""
    output = tmp_path_factory.mktemp("run")
    arguments = train.parse(
        ["--photos", "", "--steps", "12", "--batch", "4", "--size", "64", "--workers", "0",
         "--output", str(output), "--photo-share", "0"]
    )  # fmt: skip
    original = feeding.make_composer
    feeding.make_composer = lambda a, seed: composer(seed, 64)
    try:
        train.train(arguments)
        first = Namespace(**vars(arguments))
        first.steps, first.resume = 14, str(output / "last.pt")
        train.train(first)
    finally:
        feeding.make_composer = original
    return output


def test_a_run_leaves_checkpoint_log_and_curves_and_can_be_resumed(short_run):
    saved = torch.load(short_run / "last.pt", weights_only=True)
    assert saved["done"] == 14
    assert (short_run / "log.png").stat().st_size > 1000
    rows = (short_run / "log.csv").read_text().splitlines()
    assert len(rows) == 3
    assert rows[0].startswith("step,minutes,find")
    assert "near expression" in rows[0]
    assert len(saved["optimisers"]) == 2


def test_a_run_is_gone_on_with_until_it_is_landed(short_run, tmp_path):
    from training.__main__ import unfinished

    last = tmp_path / "last.pt"
    assert not unfinished(last)
    shutil.copy(short_run / "last.pt", last)
    assert unfinished(last)
    landed = tmp_path / "landed"
    landed.touch()
    os.utime(landed, (last.stat().st_mtime + 1,) * 2)
    assert not unfinished(last)
    os.utime(last, (landed.stat().st_mtime + 1,) * 2)  # another run has begun
    assert unfinished(last)


def test_training_keeps_what_onednn_has_made_and_what_the_user_has_set():
    from training.__main__ import quicker

    capacity = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    assert int(quicker({})[capacity]) > 1024
    assert quicker({capacity: "7", "LD_PRELOAD": "mine.so", "HOME": "/h"}) == {
        capacity: "7", "LD_PRELOAD": "mine.so", "HOME": "/h"
    }  # fmt: skip


def test_the_exported_graph_computes_what_the_model_does(short_run, tmp_path, monkeypatch):
    import onnx
    import onnxruntime

    from mfn_addon.network import FaceNetwork
    from training import export
    from training.export import (
        TAKES,
        Find,
        Read,
        build,
        describe,
        gives,
        pick_graph,
        square_regions,
    )

    # Where all is a face and hardly surer than the next, what rounds off would choose others.
    monkeypatch.setattr(export, "compress", lambda whole: None)
    model = eager(short_run)
    graph = build(model)
    describe(graph, "0.0.0", TAKES, gives(model))
    path = tmp_path / "net.onnx"
    onnx.save(graph, path)
    network = FaceNetwork(path, least_score=0.1, as_read=True)
    picture = np.random.default_rng(0).integers(0, 255, (192, 320, 3), np.uint8)
    faces = network.detect(picture)
    assert CLOSE_FACES < len(faces) <= MAX_FACES, "the test needs faces of both kinds"
    pick = onnxruntime.InferenceSession(
        pick_graph(MAX_FACES).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    with torch.no_grad():
        pixels = torch.from_numpy(picture)[None]
        *maps, score, box = Find(model)(pixels, pixels)
        proposed = pick.run(None, {"score_in": score.numpy(), "box_in": box.numpy()})
        score, box = (torch.from_numpy(np.asarray(part)) for part in proposed)
        said = Read(model)(*maps, box, score)
    sides = square_regions(box)[:, 3].sort(descending=True).values
    even = float(sides[CLOSE_FACES - 1] - sides[CLOSE_FACES]) < 0.1
    otherwise = 0
    for face in faces:  # equal scores may come in any order
        number = int((said[1] - torch.from_numpy(face.box)).abs().sum(1).argmin())
        score, box, _, _, _, identity, expression = (part[number].numpy() for part in said)
        assert face.score == pytest.approx(float(score), abs=2e-3)
        assert np.allclose(face.box, box, atol=0.5)
        alike = np.allclose(face.expression, expression, atol=5e-3)
        otherwise += not (alike and np.allclose(face.identity, identity, atol=2e-2))
    # Of two regions of one size, which is the eighth largest and read closely is as it happens.
    assert otherwise <= (2 if even else 0)


def eager(run: Path) -> Mfn:
    """A hardly trained model that sees faces everywhere."""
    from training.export import load_checkpoint

    model = load_checkpoint(run / "last.pt")
    for head in model.find:
        head.bias.data[0] = 0.5
        head.weight.data[0] *= 30  # else scores are alike to four digits, and rounding chooses
    return model


def test_the_surest_come_first_and_the_largest_are_read_closely(short_run):
    from training.export import FACE_SCORE, Read, square_regions

    model = eager(short_run)
    last = model.verify.out[-1]
    last.weight.data.zero_()  # nothing is corrected: boxes stay the squares of their regions
    last.bias.data.zero_()
    random = np.random.default_rng(3)
    side = torch.from_numpy(random.permutation(np.linspace(10, 40, MAX_FACES))).float()
    corner = torch.tensor([[40.0 * (n % 8), 45.0 * (n // 8)] for n in range(MAX_FACES)])
    boxes = torch.cat([corner, corner + side[:, None]], 1)
    score = torch.linspace(FACE_SCORE + 0.1, 0.9, MAX_FACES)
    with torch.no_grad():
        maps, pyramid = model.features(torch.rand(1, 3, 192, 320) * 255)
        said = Read(model)(*maps[:4], pyramid[0], boxes, score)
        size = torch.tensor([320.0, 192.0])
        regions = square_regions(boxes).flip(0)
        near = model.regions(maps, pyramid[0], regions, size)[2]
        far = model.regions.far(model.regions.survey(maps, pyramid[0], regions, size))[1]
    assert (said[0].diff() <= 0).all()
    assert torch.allclose(said[1], boxes.flip(0), atol=1e-3)
    for rank, number in enumerate(regions[:, 3].argsort(descending=True).tolist()):
        wanted = (near if rank < CLOSE_FACES else far)[number].clamp(0, 1)
        assert torch.allclose(said[6][number], wanted, atol=1e-4), rank


def test_fewer_faces_than_readings_are_read_several_times(short_run):
    from training.export import FACE_SCORE, LOWEST_SCORE, Read, square_regions
    from training.spare import MOVES

    model = eager(short_run)
    last = model.verify.out[-1]
    last.weight.data.zero_()
    last.bias.data.zero_()
    boxes = torch.tensor([[20.0, 20, 100, 100], [150, 40, 210, 100], [230, 100, 300, 170]])
    boxes = torch.cat([boxes, torch.zeros(MAX_FACES - 3, 4)])
    score = torch.zeros(MAX_FACES)
    score[:2] = torch.tensor([0.9, 0.8])  # the third is larger than the second, but hardly a face
    score[2] = (FACE_SCORE + LOWEST_SCORE) / 2
    with torch.no_grad():
        maps, pyramid = model.features(torch.rand(1, 3, 192, 320) * 255)
        said = Read(model)(*maps[:4], pyramid[0], boxes, score)
        size = torch.tensor([320.0, 192.0])
        regions = square_regions(boxes[:3])
        survey = model.regions.survey(maps, pyramid[0], regions, size)
        far = model.regions.far(survey)[1]
        for face in range(2):
            own = regions[face].repeat(CLOSE_FACES // 2, 1)
            moves = torch.tensor(MOVES)[: len(own)]
            own[:, 1:3] += moves[:, :2] * own[:, 3:]
            own[:, 3] *= moves[:, 2].exp()
            seen = survey.of(torch.full((len(own),), face))
            every_other = torch.arange(len(own)) % 2 == 1  # as a mirror shows it
            near = model.regions.near(maps, own, size, seen, every_other)[2]
            assert float(near.std(0).max()) > 1e-4
            assert torch.allclose(said[6][face], near.mean(0).clamp(0, 1), atol=1e-4)
    assert torch.allclose(said[6][2], far[2].clamp(0, 1), atol=1e-4)


def test_false_proposals_keep_away_from_faces():
    boxes = torch.tensor([[[0.0, 0, 20, 20], [40, 40, 60, 60], [43, 40, 63, 60], [80, 80, 99, 99]]])
    batch = {
        "picture": torch.tensor([0, 0]),
        "box": torch.tensor([[40.0, 40, 60, 60], [70, 70, 128, 128]]),
        "ignore": torch.tensor([False, True]),
    }
    found = false_proposals(torch.tensor([[0.0, 5, 4, 3]]), boxes, batch)
    assert len(found)
    assert torch.allclose(found[:, 1:3], torch.tensor([10.0, 10.0])), "only the first is false"


def test_faces_and_others_count_alike_however_many_there_are():
    logits = torch.tensor([1.0, -2.0, 0.5, 0.5, 3.0])
    twice = verify_loss(torch.cat([logits[:2], logits[2:].repeat(2)]), 2)
    assert verify_loss(logits, 2) == pytest.approx(float(twice))
    assert verify_loss(torch.tensor([9.0, -9.0]), 1) < 1e-3 < verify_loss(torch.zeros(2), 1)


def test_landed_weights_lose_nothing_that_matters(short_run, tmp_path):
    state = torch.load(short_run / "last.pt", weights_only=True)["average"]
    running.write_weights(state, tmp_path / "w.pt")
    model = Mfn()
    model.load_state_dict(running.read_weights(tmp_path / "w.pt"))
    key = "regions.expression_out.weight"
    assert torch.allclose(model.state_dict()[key], state[key], atol=1e-3)
