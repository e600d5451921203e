"""Authors, articles and scores with functions over them, as Hasura's own tests have them, and who may do what."""

from typing import Any

SQL = """
CREATE TABLE author (id serial PRIMARY KEY, first_name text NOT NULL, last_name text, born int);
CREATE TABLE article (
  id serial PRIMARY KEY, title text NOT NULL, content text, author_id int NOT NULL REFERENCES author, is_public boolean NOT NULL
);
CREATE TABLE score (id serial PRIMARY KEY, name text NOT NULL, points int, role_echo text DEFAULT '');
CREATE TABLE calls (n int);
CREATE TABLE text_result (result text);
CREATE TABLE number_result (result int);
INSERT INTO author (first_name, last_name, born) VALUES ('Roger', 'Chris', 1950), ('Daniel', NULL, 1980);
INSERT INTO article (title, content, author_id, is_public) VALUES
  ('Article 1', 'Content for Article 1', 1, true), ('Article 2', 'Content for Article 2', 2, true), ('Article 3', 'secret', 2, false);
INSERT INTO score (name, points) VALUES ('Starke Blake', 0), ('Bellamy Blake', 10), ('Dora Black', 50);

CREATE FUNCTION full_name(author) RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT $1.first_name || coalesce(' ' || $1.last_name, '') $$;
CREATE FUNCTION age(author_row author, in_year int DEFAULT 2000) RETURNS int LANGUAGE sql STABLE AS $$ SELECT in_year - author_row.born $$;
CREATE FUNCTION years(author_row author) RETURNS int LANGUAGE sql STABLE AS $$ SELECT 2000 - author_row.born $$;
CREATE FUNCTION is_me(a author, hasura_session jsonb) RETURNS boolean LANGUAGE sql STABLE
  AS $$ SELECT a.id::text = hasura_session ->> 'x-hasura-user-id' $$;
CREATE FUNCTION fetch_articles(search text, author_row author) RETURNS SETOF article LANGUAGE sql STABLE
  AS $$ SELECT * FROM article WHERE title ILIKE ('%' || search || '%') AND author_id = author_row.id $$;
CREATE FUNCTION fetch_articles_plain(author_row author) RETURNS SETOF article LANGUAGE sql STABLE
  AS $$ SELECT * FROM article WHERE author_id = author_row.id $$;
COMMENT ON FUNCTION fetch_articles_plain IS 'What was written by the author.';
CREATE FUNCTION shouted(article) RETURNS text LANGUAGE sql STABLE AS $$ SELECT upper($1.title) $$;

CREATE FUNCTION search_articles(search text) RETURNS SETOF article LANGUAGE sql STABLE
  AS $$ SELECT * FROM article WHERE title ILIKE ('%' || search || '%') ORDER BY id $$;
CREATE FUNCTION article_at(place int) RETURNS article LANGUAGE sql STABLE AS $$ SELECT * FROM article WHERE id = place $$;
CREATE FUNCTION of_author(a author) RETURNS SETOF article LANGUAGE sql STABLE AS $$ SELECT * FROM article WHERE author_id = a.id $$;
CREATE FUNCTION my_add(first int, second int DEFAULT 10) RETURNS SETOF number_result LANGUAGE sql STABLE AS $$ SELECT first + second $$;
CREATE FUNCTION three(int, b int DEFAULT 2, int DEFAULT 3) RETURNS SETOF number_result LANGUAGE sql STABLE AS $$ SELECT $1 + $2 + $3 $$;
CREATE FUNCTION get_session_var(hasura_session json, session_var text) RETURNS SETOF text_result LANGUAGE sql STABLE
  AS $$ SELECT hasura_session ->> session_var $$;
CREATE FUNCTION all_articles() RETURNS SETOF article LANGUAGE sql STABLE AS $$ SELECT * FROM article ORDER BY id $$;
CREATE FUNCTION counted() RETURNS SETOF article LANGUAGE plpgsql VOLATILE
  AS $$ BEGIN INSERT INTO calls VALUES (1); RETURN QUERY SELECT * FROM article ORDER BY id; END $$;
CREATE FUNCTION add_to_score(hasura_session json, search text, increment int DEFAULT 1) RETURNS SETOF score LANGUAGE sql VOLATILE
  AS $$ UPDATE score SET points = points + increment WHERE name ILIKE ('%' || search || '%')
        RETURNING id, name, points, hasura_session ->> 'x-hasura-role' $$;
CREATE FUNCTION add_to_score_by_id(id int) RETURNS score LANGUAGE sql VOLATILE
  AS $$ UPDATE score s SET points = points + 1 WHERE s.id = $1 RETURNING s.* $$;
CREATE FUNCTION refuse() RETURNS SETOF score LANGUAGE plpgsql VOLATILE
  AS $$ BEGIN UPDATE score SET points = 0; RAISE check_violation USING MESSAGE = 'not like this'; END $$;
"""


def _computed(name: str, function: str, **more: Any) -> dict[str, Any]:
    definition = {key: value for key, value in more.items() if key != "comment"}
    return {
        "name": name,
        "definition": {"function": function, **definition},
        **({"comment": more["comment"]} if "comment" in more else {}),
    }


def _select(role: str, columns: Any, filter_: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "permission": {"columns": columns, "filter": filter_, **more}}


TABLES: list[dict[str, Any]] = [
    {
        "table": "author",
        "array_relationships": [{"name": "articles", "using": {"foreign_key_constraint_on": {"table": "article", "column": "author_id"}}}],
        "computed_fields": [
            _computed("full_name", "full_name", comment=""),
            _computed("age", "age", table_argument="author_row"),
            _computed("years", "years"),
            _computed("is_me", "is_me", session_argument="hasura_session"),
            _computed("get_articles", "fetch_articles", table_argument="author_row"),
            _computed("get_articles_plain", "fetch_articles_plain"),
        ],
        "select_permissions": [
            _select("user", ["id", "first_name"], {"is_me": True}, computed_fields=["full_name", "years"], allow_aggregations=True),
            _select("reader", ["id"], {}, computed_fields=["full_name", "years", "age"], allow_aggregations=True),
            _select("old", ["id"], {"years": {"_gt": 30}}),
            _select("writing", ["id"], {"get_articles_plain": {"shouted": {"_like": "%3"}}}),
            _select("named", ["id"], {"articles": {"author": {"full_name": {"_in": "X-Hasura-Names"}}}}),
        ],
        "update_permissions": [
            {"role": "user", "permission": {"columns": ["first_name"], "filter": {"is_me": True}, "check": {"full_name": {"_like": "R%"}}}}
        ],
        "insert_permissions": [
            {"role": "user", "permission": {"columns": ["first_name"], "check": {"full_name": {"_neq": "Nobody"}}}},
        ],
        "delete_permissions": [{"role": "user", "permission": {"filter": {"years": {"_is_null": True}}}}],
    },
    {
        "table": "article",
        "object_relationships": [{"name": "author", "using": {"foreign_key_constraint_on": "author_id"}}],
        "computed_fields": [_computed("shouted", "shouted")],
        "select_permissions": [
            _select("user", ["id", "title"], {"is_public": True}, allow_aggregations=True, computed_fields=["shouted"]),
            _select("reader", ["id", "title", "content"], {"is_public": True}, limit=1),
        ],
    },
    {
        "table": "score",
        "select_permissions": [
            _select("user", ["name", "points"], {}),
            _select("anonymous", ["name", "points"], {"points": {"_lt": 50}}),
        ],
    },
    {"table": "number_result", "select_permissions": [_select("user", ["result"], {})]},
    {"table": "text_result", "select_permissions": [_select("user", ["result"], {})]},
]
FUNCTIONS: list[dict[str, Any]] = [
    {"function": "search_articles"},
    {"function": "article_at"},
    {"function": {"schema": "public", "name": "of_author"}, "configuration": {"custom_name": "written"}},
    {"function": "my_add", "comment": "adds"},
    {"function": "three", "configuration": {"custom_root_fields": {"function": "sumOfThree", "function_aggregate": "sumsOfThree"}}},
    {"function": "get_session_var", "configuration": {"session_argument": "hasura_session"}},
    {"function": "all_articles"},
    {"function": "counted", "configuration": {"exposed_as": "query"}, "permissions": [{"role": "user"}]},
    {
        "function": "add_to_score",
        "configuration": {"exposed_as": "mutation", "session_argument": "hasura_session"},
        "permissions": [{"role": "user"}, {"role": "anonymous"}, {"role": "reader"}],
    },
    {"function": "add_to_score_by_id", "permissions": [{"role": "user"}]},
    {"function": "refuse", "permissions": [{"role": "user"}]},
]


def metadata() -> dict[str, Any]:
    return {"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": TABLES, "functions": FUNCTIONS}]}
