"""Rules for what users read and install."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_every_manual_page_is_well_formed():
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not here")
    pages = sorted((ROOT / "packaging/man").iterdir())
    assert pages
    run = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *map(str, pages)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_container_file_uses_what_is_there():
    text = (ROOT / "packaging/container/Containerfile").read_text()
    assert "/src/packaging/build-deb" in text
    assert (ROOT / "packaging/build-deb").stat().st_mode & 0o100
    for name in ("notary", "identity", "homeserver"):
        stage = text.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]
        assert f"COPY --from=build /out/trinity-{name}_*.deb" in stage
        assert f'ENTRYPOINT [ "trinity-{name}" ]' in stage


def test_the_table_of_shared_modules_is_the_one_that_is_built():
    built = re.findall(
        r"mx_module\((\w+)(?: USES ([\w ]+?))?(?: LINKS [^)]*)?\)",
        (ROOT / "shared/CMakeLists.txt").read_text(),
    )
    table = re.findall(
        r"^\| `(\w+)/` \|[^|]*\| ([\w ]*)\|$", (ROOT / "shared/README.md").read_text(), re.M
    )
    assert [(name, uses.split()) for name, uses in table] == [
        (name, uses.split()) for name, uses in built
    ]


def test_every_file_that_a_readme_links_to_is_there():
    for readme in ROOT.rglob("README.md"):
        if "build" in readme.relative_to(ROOT).parts[:1]:
            continue
        for target in re.findall(r"\]\(([^)#:]+)\)", readme.read_text()):
            assert (readme.parent / target).exists(), f"{readme}: {target}"


def test_the_changelog_has_its_four_sections_for_the_version_in_work():
    version = re.search(r"project\(trinity VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
    text = (ROOT / "packaging/CHANGELOG.md").read_text()
    first = text.split("\n## ")[1]
    assert first.startswith(version[1])
    for section in ("Features", "Fixes", "Security", "Compatibility"):
        assert f"### {section}" in first
