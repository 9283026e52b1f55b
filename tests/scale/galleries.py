# SPDX-License-Identifier: Apache-2.0
"""Large galleries for tests, put into PostgreSQL as a restore would, since enrolling one by one takes minutes."""

from __future__ import annotations

import psycopg

from overt.stores import vectors as encoding
from overt.testing.stores import ACCOUNT
from overt.types import Floats

_COLUMNS = 'collection, sequence, id, image_id, "left", top, width, height, confidence, embedding'


def fill(url: str, collection: str, vectors: Floats) -> None:
    """Enrol rows (n, dimension) in an empty collection as face-0000000 and so on, with sequences from 1."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "UPDATE collections SET head = %s, face_count = %s, dimension = %s WHERE account = %s AND id = %s "
            "RETURNING number",
            (len(vectors), *vectors.shape, ACCOUNT, collection),
        ).fetchone()
        assert found is not None
        with connection.cursor().copy(f"COPY faces ({_COLUMNS}) FROM STDIN".encode()) as copy:
            for row, vector in enumerate(vectors):
                face = (found[0], row + 1, f"face-{row:07d}", "image", 0.1, 0.1, 0.2, 0.2, 0.9, encoding.encode(vector))
                copy.write_row(face)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE faces")
