"""graphql-codegen and genql, as their packages are, make types of what is shipped in `schema/`, and tsc holds a frontend to them."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from devstack.golden.client_types import CODEGEN
from devstack.golden.role_sdl import ROOT, SDL
from tests.clients.npm_packages import installed

HERE: Final = Path(__file__).parent
# Four hundred packages.
INSTALL_SECONDS: Final = 300
_STRICT: Final = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A frontend that has copied what is shipped, with the configuration that the page for clients shows."""
    packages = installed(HERE, INSTALL_SECONDS) / "node_modules"
    (tmp_path / "node_modules").symlink_to(packages)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shown = (ROOT / "docs" / "clients.md").read_text().partition("## Types in TypeScript")[2]
    (config,) = re.findall(r"```ts\n(import type \{ CodegenConfig.*?)```", shown, re.DOTALL)
    (tmp_path / "codegen.ts").write_text(config)
    for file in (SDL / "user.graphql", *CODEGEN.iterdir()):
        shutil.copy(file, tmp_path)
    (tmp_path / "src").mkdir()
    shutil.copy(HERE / "app.ts", tmp_path / "src")
    return tmp_path


def run(project: Path, *command: str | Path) -> None:
    """What goes wrong in it fails the test with what it says."""
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(INSTALL_SECONDS + 300)
def test_what_is_generated_knows_values_and_payloads(project: Path) -> None:
    """tsc complains of each `@ts-expect-error` of the frontend that is none: without the scalars, all would be."""
    run(project, "node_modules/.bin/graphql-codegen", "--config", "codegen.ts")
    run(project, "node", HERE / "genql.mjs")
    run(project, "node_modules/.bin/tsc", *_STRICT, "src/app.ts")
