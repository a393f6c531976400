-- How far each person has read in a session: they have seen everything up to frame `seq`.
CREATE TABLE account.read_position (
    team    uuid        NOT NULL REFERENCES account.team (id) ON DELETE CASCADE,
    person  uuid        NOT NULL REFERENCES account.person (id) ON DELETE CASCADE,
    session uuid        NOT NULL,
    seq     bigint      NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, session)
);
CREATE INDEX read_position_team ON account.read_position (team);

-- What ended before people's positions were kept is nothing new to them.
INSERT INTO account.read_position (team, person, session, seq)
SELECT p.team, p.id, s.id, s.seq
FROM view.session s CROSS JOIN LATERAL unnest(s.members) AS m(person) JOIN account.person p ON p.id = m.person;
