SELECT json_build_object('data', json_build_object('book', (SELECT coalesce(json_agg("7_row"), CAST('[]' AS json)) AS coalesce_1
FROM (SELECT "1_book".id AS id, (SELECT coalesce(json_agg("5_row"), CAST('[]' AS json)) AS coalesce_2
FROM (SELECT "2_review".stars AS stars, (SELECT row_to_json("4_row") AS row_to_json_1
FROM (SELECT "3_member".name AS name
FROM public.member AS "3_member"
WHERE "3_member".id = "2_review".member_id AND "3_member".id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_1)) AS "4_row") AS member
FROM public.review AS "2_review"
WHERE "2_review".book_id = "1_book".id AND ("2_review".approved = CAST('true' AS "bool") OR "2_review".member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_2)) AND "2_review".stars >= CAST(CAST($2 AS TEXT) AS "int4")
 LIMIT 2) AS "5_row") AS reviews
FROM public.book AS "1_book"
WHERE ("1_book".is_public = CAST('true' AS "bool") OR (EXISTS (SELECT 1
FROM public.loan AS loan_1
WHERE loan_1.book_id = "1_book".id AND loan_1.member_id = (SELECT CAST(CAST($1 AS TEXT) AS "int4") AS anon_3)))) AND "1_book".title LIKE CAST(CAST($3 AS TEXT) AS "text") AND "1_book".id = ANY (CAST(CAST($4 AS TEXT) AS "int4"[])) ORDER BY (SELECT "6_author".name
FROM public.author AS "6_author"
WHERE "6_author".id = "1_book".author_id) ASC, "1_book".id DESC
 LIMIT 10 OFFSET CAST(CAST($5 AS TEXT) AS "int8")) AS "7_row"))) AS json_build_object_1
WHERE num_nulls(regexp_replace(CAST($3 AS TEXT), '\\(.)', '\1', 'g') LIKE CAST($3 AS TEXT), CAST(CAST($4 AS TEXT) AS "int4"[]), CAST(CAST($2 AS TEXT) AS "int4")) >= 0
-- ['2', '3', '%e%', '{"1","2"}', '5']
