SELECT CASE WHEN (pg_column_size("0_answer".answer) > 4194308) THEN to_json(CAST('answer too large:' || CAST(pg_column_size("0_answer".answer) AS TEXT) AS INTEGER)) ELSE "0_answer".answer END AS anon_1
FROM (SELECT json_build_object('data', json_build_object('book_aggregate', json_build_object('aggregate', (SELECT json_build_object('count', "4_values"."0", 'max', json_build_object('pages', "4_values"."1", 'price', "4_values"."2")) AS json_build_object_1
FROM (SELECT count(DISTINCT "3_page".pages) AS "0", max("3_page".pages) AS "1", max("3_page".price) AS "2"
FROM (SELECT DISTINCT ON ("2_visible".author_id) "2_visible".id AS id, "2_visible".title AS title, "2_visible".isbn AS isbn, "2_visible".author_id AS author_id, "2_visible".pages AS pages, "2_visible".price AS price, "2_visible".is_public AS is_public, "2_visible".tags AS tags, "2_visible".published_on AS published_on, "2_visible".stock AS stock
FROM (SELECT "1_book".id AS id, "1_book".title AS title, "1_book".isbn AS isbn, "1_book".author_id AS author_id, "1_book".pages AS pages, "1_book".price AS price, "1_book".is_public AS is_public, "1_book".tags AS tags, "1_book".published_on AS published_on, "1_book".stock AS stock
FROM public.book AS "1_book"
WHERE ("1_book".is_public = CAST('true' AS "bool") OR (EXISTS (SELECT 1
FROM public.loan AS "0_rule_1"
WHERE "0_rule_1".book_id = "1_book".id AND "0_rule_1".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1))))
 LIMIT ALL OFFSET 0) AS "2_visible"
 LIMIT 3) AS "3_page") AS "4_values"), 'nodes', (SELECT CASE WHEN (pg_column_size("7_list".list) > 4194308) THEN to_json(CAST('answer too large:' || CAST(pg_column_size("7_list".list) AS TEXT) AS INTEGER)) ELSE "7_list".list END FROM (SELECT coalesce(json_agg("6_row"), CAST('[]' AS json)) AS list FROM (SELECT DISTINCT ON ("5_book".author_id) "5_book".id AS id
FROM public.book AS "5_book"
WHERE ("5_book".is_public = CAST('true' AS "bool") OR (EXISTS (SELECT 1
FROM public.loan AS "0_rule_1"
WHERE "0_rule_1".book_id = "5_book".id AND "0_rule_1".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1))))
 LIMIT 3) AS "6_row") AS "7_list")))) AS answer
 LIMIT ALL OFFSET 0) AS "0_answer"
-- ['2']
