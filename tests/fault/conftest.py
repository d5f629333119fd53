"""What several stories of faults share."""

import pytest

import disk as disks


@pytest.fixture
def disk(tmp_path):
    try:
        with disks.mounted(tmp_path / "disk") as made:
            yield made
    except disks.NoDisk as why:
        pytest.skip(f"skipped: no file system of our own may be mounted: {why}")
