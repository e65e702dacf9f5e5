-- One row with the fence and the set-up's revision, or none while another holder's lease lives.
SELECT fence, revision FROM gate.acquire_lease_v1($1, $2, $3)
