-- Deliveries of changes: what became different, in order, ends of records among it.

set search_path to lienthong;

alter table runs drop constraint runs_delivery_known;
alter table runs add constraint runs_delivery_known check (delivery in ('snapshot', 'incremental', 'changes'));
