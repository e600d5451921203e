SELECT CASE WHEN (pg_column_size("0_answer".answer) > 4194308) THEN to_json(CAST('answer too large:' || CAST(pg_column_size("0_answer".answer) AS TEXT) AS INTEGER)) ELSE "0_answer".answer END AS anon_1
FROM (SELECT json_build_object('data', json_build_object('book_by_pk', (SELECT row_to_json("4_row") FROM (SELECT CAST('book' AS TEXT) AS __typename, "1_book".title AS title, (SELECT row_to_json("3_row") FROM (SELECT "2_author".name AS name
FROM public.author AS "2_author"
WHERE "2_author".id = "1_book".author_id) AS "3_row") AS author
FROM public.book AS "1_book"
WHERE ("1_book".is_public = CAST('true' AS "bool") OR (EXISTS (SELECT 1
FROM public.loan AS "0_rule_1"
WHERE "0_rule_1".book_id = "1_book".id AND "0_rule_1".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1)))) AND "1_book".id = CAST(CAST($2 AS TEXT) AS "int4")) AS "4_row"))) AS answer
WHERE num_nulls(CAST(CAST($2 AS TEXT) AS "int4")) >= 0
 LIMIT ALL OFFSET 0) AS "0_answer"
-- ['2', '1']
