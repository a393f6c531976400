-- Which rows a process sees. Processes sign in as the tables' owner, who brings the tables up to date, and then work in a
-- role of their own that owns nothing. A role sees the rows of the team, or of the one session, that its connection has in
-- hand; with nothing in hand it sees none.

DO $$
DECLARE
    role text;
    mighty boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
    FOREACH role IN ARRAY ARRAY['duplex_edge', 'duplex_projector'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
        EXCEPTION
            -- Roles belong to the whole server: another database's migration was quicker.
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'this user may make no roles; let one who may run: CREATE ROLE % NOLOGIN; GRANT % TO %',
                    role, role, current_user;
        END;
        BEGIN
            IF NOT mighty AND NOT pg_has_role(current_user, role, 'USAGE') THEN
                EXECUTE format('GRANT %I TO %I', role, current_user);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'this user may not work as the processes do; let one who may run: GRANT % TO %',
                    role, current_user;
        END;
    END LOOP;
END $$;

CREATE FUNCTION account.team_in_hand() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('duplex.team', true), '')::uuid;
CREATE FUNCTION account.session_in_hand() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('duplex.session', true), '')::uuid;
-- At the door nobody is known yet: who comes in is looked up by a secret or an address, whatever their team.
CREATE FUNCTION account.at_the_door() RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(current_setting('duplex.door', true) = 'yes', false);

ALTER TABLE view.item ADD COLUMN team uuid;
ALTER TABLE view.terminal ADD COLUMN team uuid;
UPDATE view.item i SET team = s.team FROM view.session s WHERE s.id = i.session;
UPDATE view.terminal t SET team = s.team FROM view.session s WHERE s.id = t.session;
ALTER TABLE view.item ALTER COLUMN team SET NOT NULL;
ALTER TABLE view.terminal ALTER COLUMN team SET NOT NULL;
-- Behind row security an array cannot be looked into by an index: its operator is not leakproof.
DROP INDEX view.session_members;
DROP INDEX view.session_order;
CREATE INDEX session_order ON view.session (team, ended, id DESC);

GRANT USAGE ON SCHEMA account, view TO duplex_edge;
GRANT USAGE ON SCHEMA account, view TO duplex_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA account TO duplex_edge;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA account TO duplex_edge;
GRANT SELECT ON ALL TABLES IN SCHEMA view TO duplex_edge;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA view TO duplex_projector;
ALTER DEFAULT PRIVILEGES IN SCHEMA account GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO duplex_edge;
ALTER DEFAULT PRIVILEGES IN SCHEMA account GRANT USAGE ON SEQUENCES TO duplex_edge;
ALTER DEFAULT PRIVILEGES IN SCHEMA view GRANT SELECT ON TABLES TO duplex_edge;
ALTER DEFAULT PRIVILEGES IN SCHEMA view GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO duplex_projector;

DO $$
DECLARE
    known regclass;
BEGIN
    FOR known IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('account'::regnamespace, 'view'::regnamespace) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', known);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', known);
    END LOOP;
    -- The projector folds the log of all teams, and writes nothing but views.
    FOR known IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'view'::regnamespace LOOP
        EXECUTE format('CREATE POLICY projector ON %s TO duplex_projector USING (true)', known);
    END LOOP;
    FOREACH known IN ARRAY ARRAY['view.session', 'view.item', 'view.terminal', 'view.cost', 'view.audit']::regclass[] LOOP
        EXECUTE format('CREATE POLICY team ON %s TO duplex_edge USING (team = (SELECT account.team_in_hand()))', known);
    END LOOP;
    FOREACH known IN ARRAY ARRAY['account.person', 'account.invitation', 'account.share_link', 'account.visitor', 'account.read_position']::regclass[] LOOP
        EXECUTE format('CREATE POLICY team ON %s TO duplex_edge USING (team = (SELECT account.team_in_hand()))', known);
    END LOOP;
    -- Whose person is out of sight is out of sight.
    FOREACH known IN ARRAY ARRAY['account.web_session', 'account.api_token', 'account.password_reset']::regclass[] LOOP
        EXECUTE format('CREATE POLICY team ON %s TO duplex_edge USING (EXISTS (SELECT FROM account.person p WHERE p.id = person))', known);
    END LOOP;
    FOREACH known IN ARRAY ARRAY['account.team', 'account.person', 'account.invitation', 'account.share_link', 'account.visitor', 'account.web_session',
            'account.api_token', 'account.password_reset', 'account.setup']::regclass[] LOOP
        EXECUTE format('CREATE POLICY door ON %s TO duplex_edge USING ((SELECT account.at_the_door()))', known);
    END LOOP;
    -- What is counted against guessing belongs to no team.
    FOREACH known IN ARRAY ARRAY['account.login_attempt', 'account.wrong_try']::regclass[] LOOP
        EXECUTE format('CREATE POLICY everybody ON %s TO duplex_edge USING (true)', known);
    END LOOP;
END $$;

CREATE POLICY team ON account.team TO duplex_edge USING (id = (SELECT account.team_in_hand()));
-- The fold of a session is read by its id alone.
CREATE POLICY session ON view.session FOR SELECT TO duplex_edge USING (id = (SELECT account.session_in_hand()));
CREATE POLICY session ON view.item FOR SELECT TO duplex_edge USING (session = (SELECT account.session_in_hand()));
CREATE POLICY session ON view.terminal FOR SELECT TO duplex_edge USING (session = (SELECT account.session_in_hand()));
