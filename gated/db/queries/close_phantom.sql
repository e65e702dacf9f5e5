-- What became of a stay that the policy of its facility has closed.
SELECT gate.close_phantom_v1(p_facility => $1, p_stay => $2, p_at => $3)
