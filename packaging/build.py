"""Builds what is shipped into a directory: a wheel, and from it a Debian package.

The Debian package carries the libraries it needs, at the versions of constraints.txt, in a virtual
environment of its own: Debian's are older than what the project is written for.
Usage: ``python packaging/build.py [DIRECTORY]``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "packaging"
HOME = Path("usr/lib/reconciler")
LAUNCHERS = {
    "usr/bin/reconciler": "reconciler",
    "usr/bin/reconciler-engine": "reconciler.engine",
}
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/reconciler",
    "zsh": "usr/share/zsh/vendor-completions/_reconciler",
    "fish": "usr/share/fish/vendor_completions.d/reconciler.fish",
}
"""Where each shell looks for what it is to complete."""

PYTHON = Path("/usr/bin/python3")
"""Debian's own: the package runs on it."""


def main() -> None:
    """Build both, and print their paths."""
    into = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").absolute()
    into.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(into)
    sys.stdout.write(f"{wheel}\n{build_debian(wheel, into)}\n")


def build_wheel(into: Path) -> Path:
    """The wheel of this tree."""
    with TemporaryDirectory() as made:
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", made, ROOT)
        (wheel,) = Path(made).iterdir()
        return Path(shutil.move(wheel, into / wheel.name))


def build_debian(wheel: Path, into: Path) -> Path:
    """The Debian package around a wheel, for this machine's architecture and Debian's present Python."""
    with TemporaryDirectory() as made:
        root = Path(made) / "root"
        install_libraries(root, wheel)
        compile_core(root)
        install_files(root)
        fields = describe(root, wheel)
        package = into / f"reconciler_{fields['version']}_{fields['architecture']}.deb"
        run("dpkg-deb", "--root-owner-group", "-Zzstd", "--build", root, package, quiet=True)
    return package


def install_libraries(root: Path, wheel: Path) -> None:
    """A virtual environment at its later place under ``root``, without scripts of its own."""
    home = root / HOME
    run(PYTHON, "-m", "venv", "--without-pip", home)
    install(home, wheel)
    for script in (home / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()
    shutil.rmtree(home / "share", ignore_errors=True)
    # Both would tell of the directory in which this was built.
    (home / "pyvenv.cfg").write_text(f"home = {PYTHON.parent}\ninclude-system-site-packages = false\n")
    for origin in home.glob("lib/python*/site-packages/*.dist-info/direct_url.json"):
        origin.unlink()


def compile_core(root: Path) -> None:
    """The engine's core as machine code, by mypyc, and everything else as Python's own."""
    home = root / HOME
    (libraries,) = home.glob("lib/python*/site-packages")
    with TemporaryDirectory() as tools:
        install(home, "mypy[mypyc]", "--target", tools)
        run("env", f"PYTHONPATH={tools}", PYTHON, HERE / "compile.py", libraries, quiet=True)
    # Judged by content and not by date, so that the same tree gives the same files.
    mode = ("--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/")
    run(PYTHON, "-m", "compileall", "-q", *mode, home / "lib")


def install(home: Path, *what: str | Path) -> None:
    """Let pip install for the Python of a virtual environment, at the versions of constraints.txt."""
    pip = (sys.executable, "-m", "pip", "--python", home / "bin/python", "--disable-pip-version-check")
    run(*pip, "install", "-q", "--no-compile", "-c", ROOT / "constraints.txt", *what)


def install_files(root: Path) -> None:
    """Launchers, completions, units, documentation."""
    for path, module in LAUNCHERS.items():
        launcher = root / path
        launcher.parent.mkdir(parents=True, exist_ok=True)
        launcher.write_text(f'#!/bin/sh\nexec /{HOME}/bin/python -P -m {module} "$@"\n')
        launcher.chmod(0o755)
    for shell, path in COMPLETIONS.items():
        script = root / path
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(said(sys.executable, "-m", "reconciler", "completion", shell) + "\n")
    documents = root / "usr/share/doc/reconciler"
    copy(ROOT / "LICENSE", documents / "copyright")
    copy(ROOT / "README.md", documents / "README.md")
    copy(ROOT / "CHANGELOG.md", documents / "CHANGELOG.md")
    copy(ROOT / "examples/site.yaml", documents / "examples/site.yaml")
    copy(HERE / "debian/default", root / "etc/default/reconciler", 0o600)
    copy(HERE / "debian/default-engine", root / "etc/default/reconciler-engine")
    for unit in (HERE / "systemd").iterdir():
        copy(unit, root / "lib/systemd/system" / unit.name)


def describe(root: Path, wheel: Path) -> dict[str, str]:
    """The package's control files; gives back what is filled in there."""
    major, minor = said(PYTHON, "-c", "import sys; print(*sys.version_info[:2])").split()
    version = re.fullmatch(r"reconciler-([^-]+)-.*", wheel.name)
    assert version is not None
    fields = {
        "version": version[1],
        "architecture": said("dpkg", "--print-architecture"),
        "size": said("du", "-sk", "--exclude=DEBIAN", root).split()[0],
        "python": f"{major}.{minor}",
        "next_python": f"{major}.{int(minor) + 1}",
    }
    control = root / "DEBIAN"
    control.mkdir(mode=0o755)
    (control / "control").write_text(Template((HERE / "debian/control.in").read_text()).substitute(fields))
    (control / "conffiles").write_text("/etc/default/reconciler\n/etc/default/reconciler-engine\n")
    for script in ("postinst", "prerm", "postrm"):
        copy(HERE / "debian" / script, control / script, 0o755)
    return fields


def copy(source: Path, target: Path, mode: int = 0o644) -> None:
    """A file to its place, which is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def run(*words: str | Path, quiet: bool = False) -> None:
    """A command that must succeed; a quiet one is heard when it does not."""
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE if quiet else None, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout or ''}failed: {' '.join(map(str, words))}")


def said(*words: str | Path) -> str:
    """What a command that must succeed printed."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main()
