"""`python -m gated.tariff` prints what docs/tariff.schema.json has to be."""

import sys

from gated.tariff.json_schema import tariff_json_schema

if __name__ == "__main__":
    sys.stdout.write(tariff_json_schema())
