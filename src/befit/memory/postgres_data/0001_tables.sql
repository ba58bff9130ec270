-- Version 1. Every row names its tenant and its person; every table of people's rows is spread over
-- 16 parts by a hash of both, so that indexes stay small and the traces of a deletion are cleared
-- part by part. Two roles without a login read and write: befit_app sees one person of one tenant,
-- the one that the transaction names; befit_reader may read all people of one tenant, for learning
-- and copying. Neither owns anything, and row-level security is forced upon the owner too.

DO $$
BEGIN
    CREATE ROLE befit_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    CREATE ROLE befit_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT befit_app, befit_reader TO CURRENT_USER;

CREATE SEQUENCE befit.numbers;
CREATE SEQUENCE befit.keys;

CREATE TABLE befit.people (
    tenant text NOT NULL CHECK (tenant <> ''),
    person text NOT NULL CHECK (person <> ''),
    number bigint NOT NULL DEFAULT nextval('befit.numbers'),
    revision bigint NOT NULL DEFAULT 0,
    erased bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, person)
) PARTITION BY HASH (tenant, person);

CREATE TABLE befit.evidence (
    tenant text NOT NULL,
    person text NOT NULL,
    key bigint NOT NULL DEFAULT nextval('befit.keys'),
    id text NOT NULL,
    kind text NOT NULL,
    at bigint NOT NULL,
    text text NOT NULL,
    vals text NOT NULL,
    noise double precision NOT NULL,
    pair text NOT NULL,
    scope text NOT NULL,
    source text NOT NULL,
    reacted text NOT NULL,
    learned bigint,
    graded text NOT NULL,
    origin text NOT NULL,
    vector bytea,
    encoder text NOT NULL,
    latent bytea,
    taste text NOT NULL,
    PRIMARY KEY (tenant, person, key),
    UNIQUE (tenant, person, id)
) PARTITION BY HASH (tenant, person);

CREATE TABLE befit.turns (
    tenant text NOT NULL,
    person text NOT NULL,
    key bigint NOT NULL DEFAULT nextval('befit.keys'),
    response text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, person, key),
    UNIQUE (tenant, person, response)
) PARTITION BY HASH (tenant, person);

CREATE TABLE befit.reactions (
    tenant text NOT NULL,
    person text NOT NULL,
    turn bigint NOT NULL,
    key bigint NOT NULL DEFAULT nextval('befit.keys'),
    body text NOT NULL,
    PRIMARY KEY (tenant, person, turn, key)
) PARTITION BY HASH (tenant, person);

CREATE TABLE befit.artifacts (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text NOT NULL,
    kind text NOT NULL,
    owner text,
    base text NOT NULL,
    at bigint NOT NULL,
    metrics text NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE befit.promotions (
    tenant text NOT NULL,
    number bigint NOT NULL DEFAULT nextval('befit.keys'),
    owner text,
    kind text NOT NULL,
    artifact text NOT NULL,
    PRIMARY KEY (tenant, number)
);

DO $$
DECLARE
    name text;
    part text;
BEGIN
    FOREACH name IN ARRAY ARRAY['people', 'evidence', 'turns', 'reactions'] LOOP
        FOR n IN 0..15 LOOP
            part := format('%s_%s', name, lpad(n::text, 2, '0'));
            EXECUTE format(
                'CREATE TABLE befit.%I PARTITION OF befit.%I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                part, name, n);
            -- No policy and no grant: a part is reached through its table alone.
            EXECUTE format('ALTER TABLE befit.%I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE befit.%I FORCE ROW LEVEL SECURITY', part);
        END LOOP;
        EXECUTE format('ALTER TABLE befit.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE befit.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_person ON befit.%I TO befit_app'
            ' USING (tenant = current_setting(''befit.tenant'', true)'
            ' AND person = current_setting(''befit.person'', true))', name);
        EXECUTE format(
            'CREATE POLICY one_tenant ON befit.%I FOR SELECT TO befit_reader'
            ' USING (tenant = current_setting(''befit.tenant'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON befit.%I TO befit_app', name);
        EXECUTE format('GRANT SELECT ON befit.%I TO befit_reader', name);
    END LOOP;
    -- What was learned names an owner and holds no words of theirs: the tenant is the border.
    FOREACH name IN ARRAY ARRAY['artifacts', 'promotions'] LOOP
        EXECUTE format('ALTER TABLE befit.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE befit.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_tenant ON befit.%I TO befit_app'
            ' USING (tenant = current_setting(''befit.tenant'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON befit.%I TO befit_app', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA befit TO befit_app, befit_reader;
GRANT USAGE ON SEQUENCE befit.numbers, befit.keys TO befit_app;
