"""What lanes do, told as stories: one file per behaviour, on a whole facility in virtual time.

The words of the stories are in story.py. Here is which file tells which behaviour, and where the
rest of it is proven, which takes the real database, the command line or a whole day.

1. The passage of a vehicle, phase by phase: test_passage.py. Every event in every phase:
   tests/core/test_every_pair.py; any events in any order: tests/core/test_properties.py.
2. Presence, closing loop, long vehicles, how a passage is known: test_passage.py.
3. Back-out: test_back_out.py; what the database gives back: tests/db/test_back_outs.py.
4. Tailgating: test_tailgating.py; who owes in the end: tests/db/test_passages.py.
5. Anti-passback, hard: test_passback.py; soft, and its reset: tests/db/test_passback.py.
6. Reads: test_reads.py; nobody can read it: test_nobody_can_read_it.py; a ticket instead:
   test_ticket_by_button.py.
7. Matching at the exit, by itself and by an operator: test_misread_at_the_exit.py.
8. Pay on exit: test_paying_at_the_exit.py; pay on foot, its grace, on account: test_pay_on_foot.py.
   What a pay machine is answered: test_bad_input.py, tests/actors/test_payments.py,
   tests/db/test_told_payments.py, tests/e2e/test_payment.py.
9. Reasons to refuse: test_refusals.py; when they end: test_refused_until_it_may.py,
   tests/e2e/test_refused.py.
10. Zones within zones, their limits and signs: test_nested_zones.py.
11. Operators at a lane: test_by_hand.py; their other acts, and who may:
    tests/actors/test_operators.py, tests/e2e/test_operators.py; from the command line:
    tests/test_cli_lane.py.
12. Evacuation and fire: test_evacuation.py; settling afterwards: tests/db/test_evacuation.py.
13. Faults: test_faults.py.
14. Violations: tailgating in test_tailgating.py, a forced barrier in test_forced_barrier.py, an
    exit without payment in test_paying_at_the_exit.py; overstaying in tests/db/test_violations.py,
    passback in tests/db/test_passback.py, wrong zones and misused spots in
    tests/db/test_offences.py.
15. Occupancy that heals: tests/db/test_healing.py, tests/db/test_recount.py,
    tests/db/test_phantoms.py, tests/db/test_sensors.py, tests/actors/test_occupancy.py.
16. `gated why`: tests/db/test_cli_why.py, tests/why/test_assemble.py, tests/why/test_show.py.
17. Simulated drivers: for a demo in tests/demo/test_demo.py, for a day whose auditor counts to the
    cent in tests/sim/test_day.py.

Bad input: test_bad_input.py.
"""
