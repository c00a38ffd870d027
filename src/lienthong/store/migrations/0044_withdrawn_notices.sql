-- A breaking change that was announced can be taken back before its day.
alter table contract_notices add column withdrawn_by text;
alter table contract_notices add column withdrawal_reason text;
alter table contract_notices add column leaves text[] not null default '{}';
alter table contract_notices
    add constraint contract_notices_withdrawn check ((state = 'withdrawn') = (withdrawn_by is not null and withdrawal_reason is not null));
