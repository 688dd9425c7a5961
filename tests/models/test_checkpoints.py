"""Weights from files of torch, and states held against networks."""

from __future__ import annotations

import resource
import struct
import zipfile

import pytest
import torch
from torch import nn

from gsmooth_core.models.checkpoints import load_network, read_torch, table_of_weights
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.sync.syncnet import SyncNet, load_syncnet
from gsmooth_core.tracking.regressor.resnet import RNet, load_rnet
from tests.attacks.checkpoints import light, refused


def tiny():
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))


def read_tiny(path):
    source = ModelSource(path, "small network", "Make it again.")
    return load_network(source, tiny, table_of_weights(source, read_torch(source)))


def test_a_plain_file_is_read_whatever_its_layout(tmp_path):
    state = tiny().state_dict()
    for new in (True, False):
        path = tmp_path / f"{new}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=new)
        torch.testing.assert_close(dict(read_tiny(path).state_dict()), dict(state))


def test_counters_of_old_versions_may_lack(tmp_path):
    state = {k: v for k, v in tiny().state_dict().items() if "tracked" not in k}
    torch.save(state, tmp_path / "old.pth")
    assert read_tiny(tmp_path / "old.pth").state_dict()["1.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"0.weight": torch.full((3, 4), float("nan"))}, "'0.weight' holds values"),
        ({"0.weight": torch.full((3, 4), float("inf"))}, "'0.weight' holds values"),
        ({"0.weight": torch.full((3, 4), 1e30)}, "'0.weight' holds values"),
        ({"0.weight": torch.full((3, 4), 1e300, dtype=torch.float64)}, "'0.weight' holds values"),
        ({"0.weight": torch.zeros(4, 3)}, "'0.weight' has the shape (4, 3)"),
        ({"0.weight": torch.zeros(3, 4, dtype=torch.int32)}, "'0.weight' holds values"),
        ({"0.weight": torch.zeros(3, 4, dtype=torch.bool)}, "'0.weight' holds values"),
        ({"0.weight": torch.zeros(3, 4, dtype=torch.complex64)}, "'0.weight' is no table"),
        ({"0.weight": torch.zeros(3, 4).to_sparse()}, "'0.weight' is no table"),
        ({"0.weight": torch.zeros(3, 4, device="meta")}, "'0.weight' is no table"),
        ({"0.weight": torch.zeros(1).expand(10**6, 10**6)}, "'0.weight' has the shape"),
        ({"0.weight": 3.0}, "'0.weight' is no table"),
        ({"0.weight": None}, "'0.weight' is no table"),
        ({"1.running_var": torch.full((3,), -1.0)}, "'1.running_var' holds values"),
        ({"1.num_batches_tracked": torch.tensor(-1)}, "'1.num_batches_tracked' holds values"),
        ({"more": torch.zeros(3)}, "'more' is unknown"),
        ({7: torch.zeros(3)}, "'7' is no table"),
        ({"x" * 10_000: torch.zeros(3)}, "xxx"),
        ({"\x1b[2J\n": torch.zeros(3)}, "?[2J"),
    ],
)
def test_a_table_that_does_not_fit_is_named(change, words, tmp_path):
    path = tmp_path / "net.pth"
    torch.save(dict(tiny().state_dict()) | change, path)
    refused(lambda: read_tiny(path), words)


def test_a_table_that_is_missing_is_named(tmp_path):
    state = dict(tiny().state_dict())
    del state["0.bias"]
    torch.save(state, tmp_path / "net.pth")
    refused(lambda: read_tiny(tmp_path / "net.pth"), "'0.bias' is missing")


@pytest.mark.parametrize("content", [[], {}, 3, None, "text", [torch.zeros(2)], {"a": {"b": 1}}])
@pytest.mark.parametrize("read", [load_rnet, load_syncnet])
def test_content_that_is_no_state_is_refused(read, content, tmp_path):
    torch.save(content, tmp_path / "net.pth")
    refused(lambda: read(tmp_path / "net.pth"), "net.pth")
    torch.save({"net_recon": content}, tmp_path / "net.pth")
    refused(lambda: read(tmp_path / "net.pth"), "net.pth")


@pytest.mark.parametrize("read", [load_rnet, load_syncnet])
def test_an_archive_that_grows_is_not_unpacked(read, tmp_path):
    plain, packed = tmp_path / "plain.pth", tmp_path / "packed.pth"
    torch.save({"w": torch.zeros(1 << 24)}, plain)  # 64 MB, packed 64 kB
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
    assert packed.stat().st_size < 1 << 20
    refused(lambda: read(packed), "would grow")


def test_an_archive_that_lists_one_place_often_is_not_unpacked(tmp_path):
    """Members that lie over each other: together far more than the file."""
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\0" * 100_000)
        archive.filelist.extend(archive.filelist * 99)
    refused(lambda: load_rnet(path), "would grow")


def test_an_archive_of_very_many_files_is_not_listed(tmp_path):
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
        archive.filelist.extend(archive.filelist * 20_000)
    refused(lambda: load_rnet(path), "too many files")


def test_an_old_file_cannot_ask_for_memory_that_it_does_not_fill(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"w": torch.zeros(77_777)}, path, _use_new_zipfile_serialization=False)
    size, huge = struct.pack("<i", 77_777), struct.pack("<i", 2**31 - 1)
    content = path.read_bytes()
    assert b"J" + size in content
    path.write_bytes(content.replace(b"J" + size, b"J" + huge, 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(lambda: load_rnet(path), "net.pth")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


class Code:
    def __reduce__(self):
        return print, ("code ran",)


def test_code_is_not_run_and_nobody_is_told_how_to_run_it(tmp_path, capsys):
    path = tmp_path / "net.pth"
    torch.save({"net_recon": {"a": Code()}}, path)
    message = refused(lambda: load_rnet(path), "safely")
    assert "weights_only" not in message
    assert "code ran" not in capsys.readouterr().out


@pytest.fixture(scope="module")
def networks():
    with torch.device("meta"):
        made = {load_rnet: RNet(), load_syncnet: SyncNet()}
    return {read: light(network) for read, network in made.items()}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30, -1e5])
@pytest.mark.parametrize(
    ("read", "name"),
    [(load_rnet, "final_layers.3.bias"), (load_syncnet, "netcnnlip.4.weight")],
)
def test_numbers_of_users_networks_are_looked_at(networks, read, name, value, tmp_path):
    path = tmp_path / "net.pth"
    state = networks[read]
    torch.save(state | {name: torch.full((1,), value).expand(state[name].shape)}, path)
    refused(lambda: read(path), f"'{name}' holds values")


@pytest.mark.parametrize("rows", [0, 10**9])
def test_syncnet_cannot_ask_for_any_size(networks, rows, tmp_path):
    last = torch.zeros(1, 512).expand(rows, 512) if rows else torch.zeros(0, 512)
    torch.save(networks[load_syncnet] | {"netfcaud.3.weight": last}, tmp_path / "net.model")
    refused(lambda: load_syncnet(tmp_path / "net.model"), "netfcaud.3.weight")
