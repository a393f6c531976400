-- What model calls cost, one row a call, folded from the log like all of this schema: for views over many sessions.
CREATE TABLE view.cost (
    session        uuid    NOT NULL,
    seq            bigint  NOT NULL,
    idx            integer NOT NULL,
    team           uuid    NOT NULL,
    person         uuid,
    workspace      uuid    NOT NULL,
    model          text    NOT NULL,
    at             bigint  NOT NULL,
    input          bigint  NOT NULL,
    output         bigint  NOT NULL,
    cache_write    bigint  NOT NULL,
    cache_write_1h bigint  NOT NULL,
    cache_read     bigint  NOT NULL,
    pico           bigint,
    PRIMARY KEY (session, seq, idx)
);

-- A team's spending over some time, read from the index alone.
CREATE INDEX cost_team ON view.cost (team, at) INCLUDE (pico);

-- `payer` says on whose behalf the session's model is called: what the fold of its costs needs beside its state.
ALTER TABLE view.session
    ADD COLUMN mode   text NOT NULL DEFAULT 'auto',
    ADD COLUMN budget bigint,
    ADD COLUMN payer  text NOT NULL DEFAULT '{}';

-- What a team may spend in a calendar month, in picodollars; none for no limit.
ALTER TABLE account.team ADD COLUMN budget bigint CHECK (budget >= 0);
