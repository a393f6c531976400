-- Wrong guesses at secrets (passwords, links, codes) by the network they came from; forgotten after a day.
CREATE TABLE account.wrong_try (
    id      bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    network text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX wrong_try_network ON account.wrong_try (network, at);
CREATE INDEX wrong_try_at ON account.wrong_try (at);
