-- A link that lets one more person into a team. Only the hash of its secret is here; a link that was used is deleted.
CREATE TABLE account.invitation (
    id         uuid        PRIMARY KEY,
    team       uuid        NOT NULL REFERENCES account.team (id) ON DELETE CASCADE,
    hash       bytea       NOT NULL UNIQUE,
    role       text        NOT NULL CHECK (role IN ('owner', 'member', 'guest')),
    note       text        NOT NULL,
    made_by    uuid        NOT NULL REFERENCES account.person (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX invitation_team ON account.invitation (team);
CREATE INDEX invitation_made_by ON account.invitation (made_by);

-- A link that lets a person choose a new password; at most one a person, deleted once used.
CREATE TABLE account.password_reset (
    person     uuid        PRIMARY KEY REFERENCES account.person (id) ON DELETE CASCADE,
    hash       bytea       NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE INDEX person_team ON account.person (team);
-- Who left stays as a name, shut out for good, since others' rows point at them; their address is free again.
ALTER TABLE account.person
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN left_at timestamptz;

-- `id` stays when the token is renewed; `browser` and `address` are for people to recognise it by.
ALTER TABLE account.web_session
    ADD COLUMN id      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    ADD COLUMN browser text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '';

-- Until now no token could be made, so there is none to be kept. Without `expires_at` a token never ends by itself.
DELETE FROM account.api_token;
ALTER TABLE account.api_token
    ADD COLUMN id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    ADD COLUMN scopes     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN used_at    timestamptz;
CREATE INDEX api_token_person ON account.api_token (person);
