"""The user-data of this host: of the installed system in /oem, of the installer on its medium."""
import glob
import sys

import yaml

# In this order; what comes later wins where a value can only be one.
PLACES = ("/run/initramfs/live/config.yaml", "/oem/*.yaml", "/usr/local/cloud-config/*.yaml")


def documents():
    """Each configuration file as (path, tree); one that cannot be read is told and left out."""
    for pattern in PLACES:
        for path in sorted(glob.glob(pattern)):
            try:
                with open(path, encoding="utf-8") as file:
                    tree = yaml.safe_load(file)
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
                print(f"edge: {path}: {error}", file=sys.stderr)
                continue
            if isinstance(tree, dict):
                yield path, tree


def value(dotted, default=None):
    """What stands under a.b.c in the last document that has it."""
    found = default
    for _, tree in documents():
        for key in dotted.split("."):
            tree = tree.get(key) if isinstance(tree, dict) else None
        if tree is not None:
            found = tree
    return found
