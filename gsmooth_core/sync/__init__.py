"""Lip sync, measured: AV offset and confidence of a talking face by an expert of our own."""

from gsmooth_core.sync.measure import load_sync_expert, measure_sync
from gsmooth_core.sync.offset import SyncResult

__all__ = ["SyncResult", "load_sync_expert", "measure_sync"]
