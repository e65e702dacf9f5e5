"""The rules of car parks, as plain functions over frozen values: no I/O, no clock, no asyncio."""
