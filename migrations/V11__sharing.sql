-- A link that lets who has it into one session. Only the hash of its secret is here.
CREATE TABLE account.share_link (
    id         uuid        PRIMARY KEY,
    hash       bytea       NOT NULL UNIQUE,
    team       uuid        NOT NULL REFERENCES account.team (id),
    session    uuid        NOT NULL,
    role       text        NOT NULL,
    -- The frames that may be read, first and last; none: the session as it goes on.
    first_seq  bigint,
    last_seq   bigint,
    note       text        NOT NULL,
    made_by    uuid        NOT NULL REFERENCES account.person (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    most_uses  integer     CHECK (most_uses > 0),
    uses       integer     NOT NULL DEFAULT 0,
    revoked_at timestamptz,
    CHECK ((first_seq IS NULL) = (last_seq IS NULL)),
    CHECK (first_seq IS NULL OR (role = 'viewer' AND first_seq <= last_seq))
);
CREATE INDEX share_link_session ON account.share_link (session);

-- Somebody who came by a link and is nobody of the team. Only the hash of their browser's token is here.
CREATE TABLE account.visitor (
    id         uuid        PRIMARY KEY,
    link       uuid        NOT NULL REFERENCES account.share_link (id) ON DELETE CASCADE,
    team       uuid        NOT NULL REFERENCES account.team (id),
    name       text        NOT NULL,
    hash       bytea       UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Whether their membership in the session, if they had one, has been ended.
    gone       boolean     NOT NULL DEFAULT false
);
CREATE INDEX visitor_link ON account.visitor (link);
CREATE INDEX visitor_here ON account.visitor (id) WHERE NOT gone;
