-- Who did what, folded from the audit log; wiped and built anew like every view.

-- How far the audit log is contained in the views.
CREATE TABLE view.audit_checkpoint (
    only_one       boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    seq            bigint  NOT NULL,
    stream_created bigint  NOT NULL,
    message_id     text
);

-- One record. `record` is the whole of it as it was written, but for NUL, which a column cannot hold. What happened
-- before there was a team belongs to the team of zeros.
CREATE TABLE view.audit (
    team    uuid   NOT NULL,
    n       bigint NOT NULL,
    at      bigint NOT NULL,
    person  uuid,
    what    text   NOT NULL,
    outcome text   NOT NULL,
    plain   text   NOT NULL,
    record  text   NOT NULL,
    PRIMARY KEY (team, n)
);

CREATE INDEX audit_at ON view.audit (team, at, n);
CREATE INDEX audit_person ON view.audit (team, person, n);
CREATE INDEX audit_what ON view.audit (team, what, n);
CREATE INDEX audit_outcome ON view.audit (team, outcome, n);
