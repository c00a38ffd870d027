-- A judgement is looked up by its left record while it holds, and a steward's by its act too: what the model says needs no more, a steward's
-- word has an index of its own.
drop index match_judgements_left;
create index match_judgements_left on match_judgements (left_source, left_key) where to_at is null and kind <> 'steward';
drop index match_judgements_act;
create index match_judgements_act on match_judgements (act) where kind = 'steward';
