"""The tariff desk: what an operator sees of a tariff before it goes live.

What stays cost is asked of the database, which prices for everyone; nothing here knows a price.
Here it is decided what to ask, and shown what the answers say.
"""
