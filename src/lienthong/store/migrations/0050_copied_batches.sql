-- A sealed batch that somebody writes a second time is found by its seal.
create index if not exists ledger_batches_seal on ledger_batches using hash (seal);
