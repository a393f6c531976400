-- Prompt tokens that the provider keeps for an hour cost more than those it keeps for five minutes.
ALTER TABLE view.session ADD COLUMN cache_write_1h bigint NOT NULL DEFAULT 0;
