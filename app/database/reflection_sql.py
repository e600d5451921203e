"""The catalog queries of reflection: TYPES precedes each of the others, which return one JSON value."""

# Every type under its element's (of an array) and its base type's name (of a domain), as Hasura names scalars.
TYPES = """
WITH RECURSIVE base (oid, base) AS (
  SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, b.base FROM pg_type d JOIN base b ON b.oid = d.typbasetype WHERE d.typtype = 'd'
), functions (name, argument) AS (
  SELECT p.proname, p.proargtypes[0] FROM pg_proc p
  WHERE p.prokind = 'a' AND p.pronargs = 1 AND pg_function_is_visible(p.oid) AND p.proname IN (
    'avg', 'max', 'min', 'stddev', 'stddev_pop', 'stddev_samp', 'sum', 'var_pop', 'var_samp', 'variance'
  )
), aggregated (oid, name) AS (
  SELECT argument, name FROM functions
  UNION ALL
  SELECT c.castsource, f.name FROM functions f JOIN pg_cast c ON c.casttarget = f.argument WHERE c.castcontext = 'i'
  UNION ALL
  SELECT t.oid, f.name FROM functions f JOIN pg_type t ON t.typtype = 'e' WHERE f.argument = 'anyenum'::regtype
  UNION ALL
  -- Arrays of what can be sorted.
  SELECT t.oid, f.name
  FROM functions f JOIN pg_type t ON t.typcategory = 'A' JOIN base item ON item.oid = t.typelem JOIN pg_type e ON e.oid = item.base
  WHERE f.argument = 'anyarray'::regtype AND (e.typtype IN ('e', 'r', 'm') OR e.oid = 'varchar'::regtype OR EXISTS (
    SELECT FROM pg_opclass k JOIN pg_am m ON m.oid = k.opcmethod WHERE m.amname = 'btree' AND k.opcdefault AND k.opcintype = e.oid
  ))
), types AS (
  SELECT b.oid, t.typtype = 'c' AS is_row, json_build_object(
    'name', e.typname, 'schema', n.nspname, 'is_array', t.typcategory = 'A',
    'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = e.oid),
    -- Of enums, ranges and arrays PostgreSQL has functions for any of them, which domains are not.
    'declared_otherwise', t.typcategory = 'A' AND item.oid <> item.base OR b.oid <> b.base AND t.typtype IN ('e', 'r', 'm'),
    'is_domain', b.oid <> b.base,
    'aggregates', a.names
  ) AS type
  FROM base b
  JOIN pg_type t ON t.oid = b.base
  LEFT JOIN base item ON t.typcategory = 'A' AND item.oid = t.typelem
  JOIN pg_type e ON e.oid = coalesce(item.base, t.oid)
  JOIN pg_namespace n ON n.oid = e.typnamespace
  LEFT JOIN (SELECT oid, json_agg(DISTINCT name) AS names FROM aggregated GROUP BY oid) a ON a.oid = t.oid
)
"""

TABLES = r"""
SELECT coalesce(json_agg(json_build_object(
  'schema', n.nspname, 'name', c.relname, 'comment', obj_description(c.oid, 'pg_class'),
  'partitioned', c.relkind = 'p',
  -- What can be done by PostgreSQL itself or by a view's triggers.
  'writes', (
    SELECT coalesce(json_agg(w.action), '[]') FROM (VALUES ('insert', 8), ('update', 4), ('delete', 16)) w (action, bit)
    WHERE pg_relation_is_updatable(c.oid, true) & w.bit <> 0
  ),
  'indexed', (
    SELECT coalesce(json_agg(DISTINCT a.attname), '[]')
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash')
  ),
  'ordered', (
    SELECT coalesce(json_agg(DISTINCT jsonb_build_array(a.attname, b.attname)), '[]')
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    JOIN pg_attribute b ON b.attrelid = c.oid AND b.attnum = i.indkey[1]
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' AND i.indnkeyatts > 1
  ),
  'columns', (
    SELECT coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', t.type, 'type_id', a.atttypid::text, 'nullable', NOT a.attnotnull,
      'comment', col_description(c.oid, a.attnum),
      'length', CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod - 4 END,
      'identity_always', a.attidentity = 'a', 'generated', (
        SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated <> ''
      )
    ) ORDER BY a.attnum), '[]')
    FROM pg_attribute a JOIN types t ON t.oid = a.atttypid
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  ),
  'keys', (
    SELECT coalesce(json_agg(json_build_object(
      'name', k.conname, 'primary', k.contype = 'p', 'columns', (
        SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
      )
    ) ORDER BY k.contype, k.conname), '[]')
    FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')
  ),
  'foreign_keys', (
    SELECT coalesce(json_agg(json_build_object(
      'name', k.conname, 'trusted', k.convalidated AND NOT k.condeferrable,
      'target_schema', fn.nspname, 'target_table', f.relname,
      'columns', (
        SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
      ),
      'target_columns', (
        SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.confkey) WITH ORDINALITY u (attnum, place) JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = u.attnum
      )
    ) ORDER BY k.conname), '[]')
    FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
  )
) ORDER BY n.nspname, c.relname), '[]')::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""

FUNCTIONS = r"""
SELECT coalesce(json_agg(json_build_object(
  'schema', n.nspname, 'name', p.proname, 'returns', t.type, 'returns_set', p.proretset, 'returns_row', t.is_row,
  'volatile', p.provolatile = 'v', 'variadic', p.provariadic <> 0, 'comment', obj_description(p.oid, 'pg_proc'),
  'defaults', p.pronargdefaults,
  'argument_types', (
    SELECT json_agg(json_build_object(
      'named', json_build_object('schema', an.nspname, 'name', a.typname), 'value', v.type, 'takes_row', v.is_row
    ) ORDER BY u.place)
    FROM unnest(p.proargtypes) WITH ORDINALITY u (oid, place)
    JOIN pg_type a ON a.oid = u.oid JOIN pg_namespace an ON an.oid = a.typnamespace JOIN types v ON v.oid = u.oid
  ),
  'argument_names', (
    SELECT json_agg(u.name ORDER BY u.place)
    FROM unnest(p.proargnames) WITH ORDINALITY u (name, place)
    WHERE p.proargmodes IS NULL OR p.proargmodes[u.place] IN ('i', 'b', 'v')
  )
) ORDER BY n.nspname, p.proname), '[]')::text
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN types t ON t.oid = p.prorettype
WHERE p.prokind = 'f' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  -- Functions of extensions take no rows of this database's tables.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
"""

# By the type of a column: the operators that PostgreSQL takes for it and whose functions are leakproof, with the types on their right
# side, and whether the functions that sort it are.
LEAKPROOF = r"""
, spoken AS (
  SELECT o.oprname AS name, o.oprleft AS left_type, o.oprright AS right_type, p.proleakproof AS leakproof
  FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
  WHERE o.oprkind = 'b' AND pg_operator_is_visible(o.oid)
), texts (oid) AS (
  VALUES ('text'::regtype::oid), ('varchar'::regtype::oid)
), understood AS (
  SELECT * FROM spoken
  UNION ALL
  -- varchar has no operators of its own, and those of text take it as it is.
  SELECT s.name, l.oid, r.oid, s.leakproof
  FROM spoken s, texts l, texts r
  WHERE s.left_type = 'text'::regtype AND s.right_type = 'text'::regtype AND 'varchar'::regtype IN (l.oid, r.oid)
    AND NOT EXISTS (SELECT FROM spoken own WHERE own.name = s.name AND 'varchar'::regtype IN (own.left_type, own.right_type))
), sorting AS (
  SELECT k.opcintype AS oid, bool_and(p.proleakproof) AS leakproof
  FROM pg_opclass k JOIN pg_am m ON m.oid = k.opcmethod AND m.amname = 'btree'
  CROSS JOIN LATERAL (
    SELECT s.amproc::oid FROM pg_amproc s
    WHERE s.amprocfamily = k.opcfamily AND (s.amproclefttype, s.amprocrighttype, s.amprocnum) = (k.opcintype, k.opcintype, 1)
    UNION ALL
    SELECT o.oprcode FROM pg_amop a JOIN pg_operator o ON o.oid = a.amopopr
    WHERE a.amopfamily = k.opcfamily AND (a.amoplefttype, a.amoprighttype, a.amoppurpose) = (k.opcintype, k.opcintype, 's')
  ) used (oid)
  JOIN pg_proc p ON p.oid = used.oid
  WHERE k.opcdefault GROUP BY k.opcintype
), of_columns AS (
  SELECT DISTINCT b.oid, b.base
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN base b ON b.oid = a.atttypid
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
)
SELECT coalesce(json_object_agg(c.oid, json_build_object(
  'operators', (
    SELECT coalesce(json_agg(json_build_object('name', u.name, 'right', t.type)), '[]')
    FROM understood u JOIN types t ON t.oid = u.right_type JOIN pg_type r ON r.oid = u.right_type
    WHERE u.leakproof AND r.typtype <> 'd' AND (u.left_type = c.oid OR u.left_type = c.base AND NOT EXISTS (
      SELECT FROM spoken own WHERE own.name = u.name AND own.left_type = c.oid AND own.right_type = u.right_type
    ))
  ),
  'sorting', coalesce(
    (SELECT s.leakproof FROM sorting s WHERE s.oid = CASE c.base WHEN 'varchar'::regtype THEN 'text'::regtype ELSE c.base END), false
  )
)), '{}')::text
FROM of_columns c
"""
