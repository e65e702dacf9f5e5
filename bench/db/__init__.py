"""The benchmark of the database: a synthetic platform of a chosen size, and its statements on it.

Scale 1 is what the overview states: 500 facilities, 10 million bookings. What is measured stands
beside floors of the same run, because machines differ.
"""
