SELECT CASE WHEN (pg_column_size("0_answer".answer) > 4194308) THEN to_json(CAST('answer too large:' || CAST(pg_column_size("0_answer".answer) AS TEXT) AS INTEGER)) ELSE "0_answer".answer END AS anon_1
FROM (SELECT json_build_object('data', json_build_object('book', (SELECT coalesce(json_agg(CASE WHEN ("10_rows_sum".size > 4194304) THEN to_json(CAST('answer too large:' || CAST("10_rows_sum".size AS TEXT) AS INTEGER)) ELSE "10_rows_sum".row END), CAST('[]' AS json)) FROM (SELECT "10_rows_each".row AS row, sum(pg_column_size("10_rows_each".row) - 2) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS size FROM (SELECT to_json("9_row") AS row FROM (SELECT "2_visible".id AS id, (SELECT CASE WHEN (pg_column_size("7_list".list) > 4194308) THEN to_json(CAST('answer too large:' || CAST(pg_column_size("7_list".list) AS TEXT) AS INTEGER)) ELSE "7_list".list END FROM (SELECT coalesce(json_agg("6_row"), CAST('[]' AS json)) AS list FROM (SELECT "3_review".stars AS stars, (SELECT row_to_json("5_row") FROM (SELECT "4_member".name AS name
FROM public.member AS "4_member"
WHERE "4_member".id = "3_review".member_id AND ("4_member".id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1))) AS "5_row") AS member
FROM public.review AS "3_review"
WHERE "3_review".book_id = "2_visible".id AND ("3_review".approved = CAST('true' AS "bool") OR "3_review".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1)) AND "3_review".stars >= CAST(CAST($2 AS TEXT) AS "int4")
 LIMIT 2) AS "6_row") AS "7_list") AS reviews
FROM (SELECT "1_book".id AS id, "1_book".title AS title, "1_book".isbn AS isbn, "1_book".author_id AS author_id, "1_book".pages AS pages, "1_book".price AS price, "1_book".is_public AS is_public, "1_book".tags AS tags, "1_book".published_on AS published_on, "1_book".stock AS stock
FROM public.book AS "1_book"
WHERE ("1_book".is_public = CAST('true' AS "bool") OR (EXISTS (SELECT 1
FROM public.loan AS "0_rule_1"
WHERE "0_rule_1".book_id = "1_book".id AND "0_rule_1".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1)))) AND "1_book".id = ANY (CAST((SELECT CAST(CAST($3 AS TEXT) AS "int4"[]) AS anon_2) AS "int4"[]))
 LIMIT ALL OFFSET 0) AS "2_visible"
WHERE "2_visible".title LIKE CAST((SELECT CAST(CAST($4 AS TEXT) AS "text") AS anon_3) AS "text") ORDER BY (SELECT "8_author".name
FROM public.author AS "8_author"
WHERE "8_author".id = "2_visible".author_id) ASC, "2_visible".id DESC
 LIMIT 10 OFFSET CAST(CAST($5 AS TEXT) AS "int8")) AS "9_row" OFFSET 0) AS "10_rows_each") AS "10_rows_sum"))) AS answer
WHERE num_nulls(CAST(CAST($3 AS TEXT) AS "int4"[]), regexp_replace(CAST($4 AS TEXT), '\\(.)', '\1', 'g') LIKE CAST($4 AS TEXT), CAST(CAST($2 AS TEXT) AS "int4")) >= 0
 LIMIT ALL OFFSET 0) AS "0_answer"
-- ['2', '3', '{"1","2"}', '%e%', '5']
