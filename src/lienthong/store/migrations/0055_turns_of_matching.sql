-- Counts who took the lock of matching, so that what was asked before a lock is taken can be told to be still true.
create sequence match_turns;

-- What waits is cleared by the records that were linked anew, not by the component it was found in.
drop index match_queue_component;
alter table match_queue drop column component;
