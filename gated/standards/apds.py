"""Rate tables of APDS (ISO/TS 5206-1, DATEX II facilities) as tariffs, and tariffs as these."""

from gated.standards.apds_reading import imported
from gated.standards.apds_writing import exported

__all__ = ["exported", "imported"]
