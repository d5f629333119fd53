"""What the tests take from npm: matrix-js-sdk, and a bundler that makes a page of it. The runner
installs it where $TRINITY_NPM says."""

import os
import pathlib
import shutil
import subprocess


def modules():
    """The directory with node_modules, or None where it cannot be had."""
    chosen = os.environ.get("TRINITY_NPM", "")
    return pathlib.Path(chosen) if chosen and shutil.which("node") else None


def copied(sources, directory):
    """The scripts, beside the packages that they import."""
    for source in sources:
        shutil.copy(source, directory)
    link = directory / "node_modules"
    if not link.exists():
        link.symlink_to(modules() / "node_modules")
    return directory


def bundle(script, out):
    """One file of a script and all that it imports, for a browser."""
    (program,) = (modules() / "node_modules" / "@esbuild").glob("*/bin/esbuild")
    subprocess.run([program, script, "--bundle", "--format=iife", "--define:global=window",
                    f"--outfile={out}", "--log-level=error", "--preserve-symlinks"],
                   check=True, timeout=120)
