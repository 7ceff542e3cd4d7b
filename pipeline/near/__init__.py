"""Near: signatures of looks -> groups of near-duplicates, without comparing all with all."""
