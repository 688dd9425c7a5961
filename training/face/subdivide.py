"""Local Catmull-Clark subdivision that is one matrix, so that it smooths deltas as the mean.

Every new vertex is a fixed linear combination of the control vertices. The faces that are not
refined stay where they are; those that touch refined ones take the new edge points in, so that
the mesh has no cracks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Face = tuple[int, ...]
Edge = tuple[int, int]
Row = dict[int, float]


@dataclass(frozen=True)
class PolygonMesh:
    """Polygons over control vertices.

    Attributes:
        faces: polygons as vertex indices, counter-clockwise from outside.
        uv_faces: the same polygons as UV indices.
        uvs: (U, 2).
        weights: (V, V0) matrix from control vertices to vertices.
        parents: for each face the index of the control face it comes from.
    """

    faces: list[Face]
    uv_faces: list[Face]
    uvs: NDArray[np.float64]
    weights: sparse.csr_matrix
    parents: list[int]


def control_mesh(
    faces: NDArray[np.int64], uv_faces: NDArray[np.int64], uvs: NDArray[np.float64], count: int
) -> PolygonMesh:
    """The unrefined mesh over `count` control vertices."""
    return PolygonMesh(
        [tuple(face) for face in faces.tolist()],
        [tuple(face) for face in uv_faces.tolist()],
        uvs,
        sparse.identity(count, format="csr"),
        list(range(len(faces))),
    )


def edges_of(face: Face) -> list[Edge]:
    """The undirected edges of a polygon, in order."""
    return [(min(a, b), max(a, b)) for a, b in pairwise((*face, face[0]))]


def _mean_row(indices: Face | Edge) -> Row:
    row: Row = defaultdict(float)
    for index in indices:
        row[index] += 1 / len(indices)
    return row


def _blend(*terms: tuple[float, Row]) -> Row:
    row: Row = defaultdict(float)
    for factor, term in terms:
        for index, weight in term.items():
            row[index] += factor * weight
    return row


class _Refinement:
    """One level of refinement of the chosen faces of a mesh."""

    def __init__(self, mesh: PolygonMesh, chosen: NDArray[np.bool_]) -> None:
        self.mesh = mesh
        self.chosen = chosen
        self.edge_faces: dict[Edge, list[int]] = defaultdict(list)
        self.vertex_faces: dict[int, list[int]] = defaultdict(list)
        for index, face in enumerate(mesh.faces):
            for edge in edges_of(face):
                self.edge_faces[edge].append(index)
            for vertex in face:
                self.vertex_faces[vertex].append(index)
        self.split = {e for e, f in self.edge_faces.items() if any(chosen[i] for i in f)}
        self.rows: list[Row] = [self._vertex_row(v) for v in range(mesh.weights.shape[0])]
        self.edge_point = {edge: self._add(self._edge_row(edge)) for edge in sorted(self.split)}
        self.uvs = [tuple(uv) for uv in mesh.uvs.tolist()]
        self.uv_edge_point: dict[Edge, int] = {}

    def _add(self, row: Row) -> int:
        self.rows.append(row)
        return len(self.rows) - 1

    def _smooth(self, edge: Edge) -> bool:
        faces = self.edge_faces[edge]
        return len(faces) == 2 and all(self.chosen[i] for i in faces)

    def _edge_row(self, edge: Edge) -> Row:
        middle = _mean_row(edge)
        if not self._smooth(edge):
            return middle
        centres = [(0.25, _mean_row(self.mesh.faces[i])) for i in self.edge_faces[edge]]
        return _blend((0.5, middle), *centres)

    def _vertex_row(self, vertex: int) -> Row:
        faces = self.vertex_faces[vertex]
        edges = {e for i in faces for e in edges_of(self.mesh.faces[i]) if vertex in e}
        own: Row = {vertex: 1.0}
        if not faces or not all(self.chosen[i] for i in faces):
            return own
        rims = [e for e in edges if len(self.edge_faces[e]) == 1]
        if rims:
            ends = [(0.125, _mean_row((sum(e) - vertex,))) for e in rims]
            return _blend((0.75, own), *ends) if len(rims) == 2 else own
        n = len(faces)
        centres = [(1 / n**2, _mean_row(self.mesh.faces[i])) for i in faces]
        middles = [(2 / n**2, _mean_row(edge)) for edge in edges]
        return _blend(((n - 3) / n, own), *centres, *middles)

    def _uv_middle(self, a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in self.uv_edge_point:
            self.uv_edge_point[key] = self._add_uv((a, b))
        return self.uv_edge_point[key]

    def _add_uv(self, corners: Face) -> int:
        mean = np.mean([self.uvs[c] for c in corners], axis=0)
        self.uvs.append((float(mean[0]), float(mean[1])))
        return len(self.uvs) - 1

    def _with_edge_points(self, index: int) -> tuple[list[int], list[int]]:
        """The face's loop with the new edge points in it, and the same in UV."""
        face, uv_face = self.mesh.faces[index], self.mesh.uv_faces[index]
        loop: list[int] = []
        uv_loop: list[int] = []
        for k, edge in enumerate(edges_of(face)):
            loop.append(face[k])
            uv_loop.append(uv_face[k])
            if edge in self.split:
                loop.append(self.edge_point[edge])
                uv_loop.append(self._uv_middle(uv_face[k], uv_face[(k + 1) % len(face)]))
        return loop, uv_loop

    def run(self) -> PolygonMesh:
        faces: list[Face] = []
        uv_faces: list[Face] = []
        parents: list[int] = []
        for index, face in enumerate(self.mesh.faces):
            loop, uv_loop = self._with_edge_points(index)
            if not self.chosen[index]:
                new, uv_new = [tuple(loop)], [tuple(uv_loop)]
            else:
                new = _quads(loop, self._add(_mean_row(face)))
                uv_new = _quads(uv_loop, self._add_uv(self.mesh.uv_faces[index]))
            faces += new
            uv_faces += uv_new
            parents += [self.mesh.parents[index]] * len(new)
        weights = (_matrix(self.rows, self.mesh.weights.shape[0]) @ self.mesh.weights).tocsr()
        return PolygonMesh(faces, uv_faces, np.asarray(self.uvs), weights, parents)


def _quads(loop: list[int], centre: int) -> list[Face]:
    """Cut a loop corner, edge point, corner, edge point ... into quads around its centre."""
    n = len(loop)
    return [(loop[k], loop[k + 1], centre, loop[k - 1]) for k in range(0, n, 2)]


def _matrix(rows: list[Row], columns: int) -> sparse.csr_matrix:
    entries = [(i, j, weight) for i, row in enumerate(rows) for j, weight in row.items()]
    i, j, weight = zip(*entries, strict=True)
    return sparse.csr_matrix((weight, (i, j)), shape=(len(rows), columns))


def subdivide(mesh: PolygonMesh, chosen: NDArray[np.bool_]) -> PolygonMesh:
    """Refine the chosen faces once.

    Args:
        mesh: polygons; the chosen ones may have any number of corners.
        chosen: (F,) which faces to refine.
    """
    return _Refinement(mesh, chosen).run()


def triangulate(
    mesh: PolygonMesh, vertices: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Cut every polygon into triangles whose smallest angle is as large as can be.

    Args:
        mesh: polygons.
        vertices: (V, 3) positions that the angles are measured on.

    Returns:
        faces (F, 3), uv_faces (F, 3), and (F,) the control face of each triangle.
    """
    triangles: list[Face] = []
    uv_triangles: list[Face] = []
    parents: list[int] = []
    for face, uv_face, parent in zip(mesh.faces, mesh.uv_faces, mesh.parents, strict=True):
        cut = _best_cut(vertices[list(face)])
        triangles += [(face[a], face[b], face[c]) for a, b, c in cut]
        uv_triangles += [(uv_face[a], uv_face[b], uv_face[c]) for a, b, c in cut]
        parents += [parent] * len(cut)
    return (
        np.asarray(triangles, np.int32),
        np.asarray(uv_triangles, np.int32),
        np.asarray(parents),
    )


def _best_cut(corners: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """Triangulation of one polygon that maximises the smallest angle (dynamic programme)."""
    n = len(corners)
    best: dict[Edge, tuple[float, list[tuple[int, int, int]]]] = {
        (i, i + 1): (np.pi, []) for i in range(n - 1)
    }
    for span in range(2, n):
        for i in range(n - span):
            j = i + span
            options = []
            for k in range(i + 1, j):
                worst = min(best[i, k][0], best[k, j][0], _smallest_angle(corners[[i, k, j]]))
                options.append((worst, best[i, k][1] + best[k, j][1] + [(i, k, j)]))
            # Rounding makes mirror images, whose angles differ in the last bits, cut alike.
            best[i, j] = max(options, key=lambda option: round(option[0], 6))
    return best[0, n - 1][1]


def _smallest_angle(triangle: NDArray[np.float64]) -> float:
    sides = np.roll(triangle, -1, axis=0) - triangle
    lengths = np.maximum(np.linalg.norm(sides, axis=1), 1e-12)
    cosines = -np.sum(sides * np.roll(sides, 1, axis=0), axis=1) / (lengths * np.roll(lengths, 1))
    return float(np.arccos(np.clip(cosines, -1, 1)).min())
