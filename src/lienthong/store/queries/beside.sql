-- name: next_link
select nextval('direct_link_numbers');

-- name: lock_name
-- One at a time until the end of the transaction: who reports links of one pair.
select pg_advisory_xact_lock(hashtextextended('direct links ' || %(name)s, 0));

-- name: add_link
insert into direct_links (link, provider, consumer, dataset_id, content, since, could, agreement_id, reported_at)
values (%(link)s, %(provider)s, %(consumer)s, %(dataset)s, %(content)s, %(since)s, %(could)s, %(agreement)s, %(at)s);

-- name: lock_link
select link from direct_links where link = %(link)s for update;

-- name: end_link_step
update direct_link_steps set ended_at = %(at)s where link = %(link)s and ended_at is null;

-- name: add_link_step
insert into direct_link_steps (link, act, state, ground, reason, document_no, dated_on, due_on, legal_basis, by_whom, by_agency, by_subsystem, at)
values (%(link)s, %(act)s, %(state)s, %(ground)s, %(reason)s, %(document_no)s, %(dated_on)s, %(due_on)s, %(basis)s, %(by)s, %(agency)s,
    %(subsystem)s, %(at)s)
returning step;

-- name: links
-- Links as they stand, what is due first; of one agency's part where it is named.
select l.link, l.provider, l.consumer, l.dataset_id, l.content, l.since, l.could, l.agreement_id, s.state, s.ground, s.due_on, s.step, s.at
from direct_links as l join direct_link_steps as s on s.link = l.link and s.ended_at is null
where (%(link)s::text is null or l.link = %(link)s)
    and (%(agency)s::text is null or %(agency)s in (l.provider, l.consumer))
    and (%(states)s::text[] is null or s.state = any(%(states)s))
order by s.state = 'ended', s.due_on nulls last, l.link
limit %(limit)s;

-- name: link_steps
select step, act, state, ground, reason, document_no, dated_on, due_on, legal_basis, by_whom, by_agency, by_subsystem, at
from direct_link_steps where link = %(link)s order by step;

-- name: add_paper
-- Nothing when this letter is recorded already.
insert into paper_requests
    (asker, asked, dataset_id, content, document_no, sent_on, records, could, agreement_id, legal_basis, by_whom, by_agency, at)
values
    (%(asker)s, %(asked)s, %(dataset)s, %(content)s, %(document_no)s, %(sent_on)s, %(records)s, %(could)s, %(agreement)s, %(basis)s, %(by)s,
    %(agency)s, %(at)s)
on conflict (asker, asked, document_no, sent_on) where ended_at is null do nothing
returning request;

-- name: withdraw_paper
update paper_requests set ended_at = %(at)s, ended_by = %(by)s, ended_reason = %(reason)s
where request = %(request)s and ended_at is null and (%(agency)s::text is null or by_agency = %(agency)s)
returning request;

-- name: papers
-- Requests on paper on [begins, ends], the newest first; of one agency's part where it is named.
select request, asker, asked, dataset_id, content, document_no, sent_on, records, could, agreement_id, legal_basis, by_whom, by_agency, at
from paper_requests
where ended_at is null and sent_on between %(begins)s and %(ends)s
    and (%(agency)s::text is null or %(agency)s in (asker, asked))
    and (%(before)s::bigint is null or request < %(before)s)
order by request desc
limit %(limit)s;

-- name: count_papers
-- Letters and records asked for on [begins, ends], by asker, asked and data: all, and those the platform could have given.
select asker, asked, dataset_id, count(*), sum(records), count(*) filter (where could = any(%(avoidable)s)),
    coalesce(sum(records) filter (where could = any(%(avoidable)s)), 0)
from paper_requests
where ended_at is null and sent_on between %(begins)s and %(ends)s
    and (%(agency)s::text is null or %(agency)s in (asker, asked))
group by asker, asked, dataset_id
order by asker, asked, dataset_id;
