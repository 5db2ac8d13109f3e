"""Extracts members of a wheel: WHEEL OUT PATTERN=FOLDER (flat) or PATTERN=FOLDER:PREFIX (paths kept, less PREFIX)."""
import fnmatch
import os
import shutil
import sys
import zipfile

wheel, out, *rules = sys.argv[1:]
count = 0
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        for rule in rules:
            pattern, target = rule.split("=")
            folder, _, prefix = target.partition(":")
            if name.endswith("/") or not fnmatch.fnmatchcase(name, pattern):
                continue
            kept = name[len(prefix):] if prefix else os.path.basename(name)
            path = os.path.join(out, folder, kept)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(name) as source, open(path, "wb") as target_file:
                shutil.copyfileobj(source, target_file, 1 << 20)
            count += 1
            break
print(count)
