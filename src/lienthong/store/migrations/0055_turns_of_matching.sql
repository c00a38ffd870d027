-- Counts who took the lock of matching, so that what was asked before a lock is taken can be told to be still true.
create sequence match_turns;
