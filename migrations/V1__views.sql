-- What people read, folded from the log. Everything in this schema can be wiped and is then built anew.
CREATE SCHEMA view;

-- How far each stream of the log is contained in the views; moved in the transaction that writes the rows.
CREATE TABLE view.checkpoint (
    shard          smallint PRIMARY KEY,
    seq            bigint   NOT NULL,
    stream_created bigint   NOT NULL,
    message_id     text,
    version        integer  NOT NULL
);

-- `snapshot` is the whole state; the other columns are for finding and listing.
-- Text that comes from people may hold NUL, which a column cannot: `snapshot` escapes it, the others drop it.
CREATE TABLE view.session (
    id          uuid    PRIMARY KEY,
    shard       smallint NOT NULL,
    seq         bigint  NOT NULL,
    team        uuid    NOT NULL,
    workspace   uuid    NOT NULL,
    path        text    NOT NULL,
    title       text    NOT NULL,
    state       text    NOT NULL,
    working     text    NOT NULL,
    agent       text    NOT NULL,
    model       text    NOT NULL,
    input       bigint  NOT NULL,
    output      bigint  NOT NULL,
    cache_write bigint  NOT NULL,
    cache_read  bigint  NOT NULL,
    pico        bigint  NOT NULL,
    unpriced    bigint  NOT NULL,
    opened_at   bigint  NOT NULL,
    active_at   bigint  NOT NULL,
    ended_at    bigint,
    members     uuid[]  NOT NULL,
    snapshot    text    NOT NULL,
    ended       boolean NOT NULL GENERATED ALWAYS AS (state = 'ended') STORED
) WITH (fillfactor = 60);

CREATE INDEX session_members ON view.session USING gin (members) WITH (fastupdate = off);
CREATE INDEX session_order ON view.session (ended, id DESC);
CREATE INDEX session_shard ON view.session (shard, id);

-- One row of a transcript. `part` tells apart the items that one event began.
CREATE TABLE view.item (
    session uuid    NOT NULL,
    seq     bigint  NOT NULL,
    idx     integer NOT NULL,
    part    integer NOT NULL,
    turn    uuid,
    kind    text    NOT NULL,
    open    boolean NOT NULL,
    body    text    NOT NULL,
    plain   text    NOT NULL,
    PRIMARY KEY (session, seq, idx, part)
) WITH (fillfactor = 80);

CREATE INDEX item_open ON view.item (session, seq) WHERE open;

-- A terminal: its newest saved screen, and how far its output goes beyond it.
CREATE TABLE view.terminal (
    session        uuid   NOT NULL,
    terminal       uuid   NOT NULL,
    size           text   NOT NULL,
    state          text   NOT NULL,
    screen         bytea  NOT NULL,
    screen_offset  bigint NOT NULL,
    screen_seq     bigint NOT NULL,
    printed_offset bigint NOT NULL,
    printed_seq    bigint NOT NULL,
    PRIMARY KEY (session, terminal)
);
