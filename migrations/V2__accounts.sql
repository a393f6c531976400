-- Who may sign in. This schema is the truth itself; nothing else holds it.
CREATE SCHEMA account;

CREATE TABLE account.team (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account.person (
    id         uuid        PRIMARY KEY,
    team       uuid        NOT NULL REFERENCES account.team (id),
    role       text        NOT NULL CHECK (role IN ('owner', 'member', 'guest')),
    name       text        NOT NULL,
    email      text        NOT NULL UNIQUE CHECK (email = lower(email)),
    password   text        NOT NULL,
    disabled   boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A signed-in browser. Only the hash of its token is here.
CREATE TABLE account.web_session (
    hash       bytea       PRIMARY KEY,
    person     uuid        NOT NULL REFERENCES account.person (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX web_session_person ON account.web_session (person);

-- A program's token. Only its hash is here.
CREATE TABLE account.api_token (
    hash       bytea       PRIMARY KEY,
    person     uuid        NOT NULL REFERENCES account.person (id) ON DELETE CASCADE,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The one secret that makes the first owner; at most one row.
CREATE TABLE account.setup (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    hash       bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Sign-ins that did not succeed (yet). The key is a hash of the e-mail address, known or not.
CREATE TABLE account.login_attempt (
    id  bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    key bytea       NOT NULL,
    at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempt_key ON account.login_attempt (key, at);
CREATE INDEX login_attempt_at ON account.login_attempt (at);
