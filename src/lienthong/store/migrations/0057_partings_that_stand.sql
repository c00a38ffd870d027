-- Whether a parting holds, beside each record it speaks of: records are asked about at each arrival, and whatever was ever said and undone of
-- them need not be read for it.
alter table match_parted add column stands boolean not null default true;
update match_parted set stands = false from match_partings as p where p.parting = match_parted.parting and p.to_at is not null;
create index match_parted_stand on match_parted (source, key) where stands;
