-- Version 2. What people decided about their own memory, and what waits for their word: apart by
-- tenant and person as their evidence is, under the same forced row-level security.

CREATE TABLE befit.decisions (
    tenant text NOT NULL CHECK (tenant <> ''),
    person text NOT NULL CHECK (person <> ''),
    number bigint NOT NULL DEFAULT nextval('befit.keys'),
    at bigint NOT NULL,
    verb text NOT NULL,
    subject text NOT NULL,
    scope text NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (tenant, person, number)
) PARTITION BY HASH (tenant, person);

CREATE TABLE befit.held (
    tenant text NOT NULL CHECK (tenant <> ''),
    person text NOT NULL CHECK (person <> ''),
    number bigint NOT NULL DEFAULT nextval('befit.keys'),
    id text NOT NULL,
    reason text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (tenant, person, number),
    UNIQUE (tenant, person, id)
) PARTITION BY HASH (tenant, person);

DO $$
DECLARE
    name text;
    part text;
BEGIN
    FOREACH name IN ARRAY ARRAY['decisions', 'held'] LOOP
        FOR n IN 0..15 LOOP
            part := format('%s_%s', name, lpad(n::text, 2, '0'));
            EXECUTE format(
                'CREATE TABLE befit.%I PARTITION OF befit.%I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                part, name, n);
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
END $$;
