-- How many facilities had something uncounted that is counted now.
SELECT gate.count_all_changes_v1()
