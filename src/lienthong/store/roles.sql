-- The role the HTTP server works under: reads what it shares, writes only what sharing leaves behind, and can only
-- append to the ledger through ledger_append. Where the connecting user may not create roles, the server works without it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'lienthong_web') then
        create role lienthong_web nologin;
    end if;
    execute format('grant lienthong_web to %I', current_user);
exception when insufficient_privilege or duplicate_object or unique_violation then
    raise notice 'role lienthong_web was not made';
end
$$;
do $$
declare
    unread regclass;
begin
    if exists (select from pg_roles where rolname = 'lienthong_web') then
        grant usage on schema lienthong, data to lienthong_web;
        -- Only what is not granted yet: a right written anew would make a load fail that changes the same table now.
        for unread in select oid from pg_class
            where relnamespace = 'data'::regnamespace and relkind in ('r', 'p', 'v', 'm') and not has_table_privilege('lienthong_web', oid, 'select')
        loop
            execute format('grant select on %s to lienthong_web', unread);
        end loop;
        alter default privileges in schema data grant select on tables to lienthong_web;
        grant select on lienthong.datasets, lienthong.versions, lienthong.runs, lienthong.ledger_edge, lienthong.ledger_checkpoints, lienthong.ledger_tiles,
            lienthong.used_assertions, lienthong.revoked_tokens to lienthong_web;
        -- What pages count of rows that wait: which rules they break, never what they say.
        grant select (dataset_id, run_id, row_no, state) on lienthong.quarantine to lienthong_web;
        grant select (dataset_id, run_id, row_no, rule, column_name, code, severity) on lienthong.issues to lienthong_web;
        grant select (expected_vi, expected_en) on lienthong.issues to lienthong_web;
        grant insert on lienthong.used_assertions to lienthong_web;
        -- How much of a quota is used may be read; it is taken through the function alone.
        revoke insert, update on lienthong.quota_days from lienthong_web;
        grant select on lienthong.quota_days to lienthong_web;
        grant execute on function lienthong.quota_lease to lienthong_web;
        grant delete on lienthong.used_assertions to lienthong_web;
        grant select on lienthong.persons, lienthong.person_roles, lienthong.sessions to lienthong_web;
        grant select on lienthong.agencies, lienthong.subsystems, lienthong.subsystem_keys, lienthong.unit_changes,
            lienthong.unit_change_units to lienthong_web;
        grant insert on lienthong.sessions to lienthong_web;
        grant update (seen_at, ended_at) on lienthong.sessions to lienthong_web;
        grant select on lienthong.services, lienthong.service_stops to lienthong_web;
        grant execute on function lienthong.ledger_append, lienthong.ledger_waiting, lienthong.ledger_found, lienthong.ledger_indexed to lienthong_web;
        grant select on lienthong.ledger_cosignatures, lienthong.ledger_witnesses to lienthong_web;
        grant insert on lienthong.ledger_cosignatures to lienthong_web;
        grant select on lienthong.events, lienthong.match_events to lienthong_web;
        grant execute on function lienthong.events_put_in_order to lienthong_web;
        grant select on lienthong.register_edge, lienthong.agreements, lienthong.agreement_versions, lienthong.agreement_steps,
            lienthong.planned_stops to lienthong_web;
        grant select on lienthong.security_levels, lienthong.default_reviews to lienthong_web;
        grant select on lienthong.direct_links, lienthong.direct_link_steps, lienthong.paper_requests to lienthong_web;
        grant select, insert on lienthong.exchange_batches to lienthong_web;
        grant select on lienthong.contract_history to lienthong_web;
        grant select on lienthong.release_checks, lienthong.release_decisions to lienthong_web;
        grant select on lienthong.share_profiles to lienthong_web;
        grant select, insert on lienthong.share_grants, lienthong.share_reads to lienthong_web;
        grant select (dataset_id, applied_at) on lienthong.contract_history to lienthong_web; -- since when an entry is in the catalogue
        grant select on lienthong.inventory_items, lienthong.open_entries, lienthong.lineage_events to lienthong_web;
        grant select on lienthong.indicator_definitions, lienthong.indicator_figures, lienthong.indicator_parts, lienthong.figure_questions,
            lienthong.report_filings to lienthong_web;
        grant select on lienthong.exchange_counts, lienthong.alerts, lienthong.alert_steps, lienthong.duty_beats to lienthong_web;
    end if;
end
$$;
-- The role a formula of an indicator is reckoned under: it can enter the schema of published data, and sees a table there only
-- within the transaction that grants it and is rolled back.
do $$
begin
    if not exists (select from pg_roles where rolname = 'lienthong_figures') then
        create role lienthong_figures nologin;
    end if;
    execute format('grant lienthong_figures to %I', current_user);
    grant usage on schema data to lienthong_figures;
exception when insufficient_privilege or duplicate_object or unique_violation then
    raise notice 'role lienthong_figures was not made';
end
$$;
