"""The language of tariffs, on its way in: docs/tariffs.md as models, rules, rows and a JSON schema.

What a stay costs is none of its business: `gate.price_stay_v1` prices for everyone.
"""
