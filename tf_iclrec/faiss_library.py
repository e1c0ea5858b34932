"""Faiss, an optional package: imported here alone, and where it is used."""

import os
from types import ModuleType

from tf_iclrec.errors import UserError


def import_faiss() -> ModuleType:
    """Import Faiss, which the extras ``cpu`` and ``gpu`` bring.

    Raises:
        UserError: If neither is installed.
    """
    # Faiss' idle threads would otherwise spin beside TensorFlow's and slow both down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import faiss
    except ImportError as error:
        raise UserError(
            "Faiss is not installed: pip install 'tf_iclrec[cpu]' (or 'tf_iclrec[gpu]', not both)."
        ) from error
    return faiss
