"""Metadata with every section and key that is served, over tables of its own: what the product's metadata does not need."""

from pathlib import Path
from typing import Final

SQL: Final = """
CREATE TABLE color (value text PRIMARY KEY, comment text);
INSERT INTO color VALUES ('red', 'as blood'), ('blue', NULL);
CREATE TABLE author (id int PRIMARY KEY, username text NOT NULL, mentor_id int REFERENCES author);
CREATE TABLE article (
  id int PRIMARY KEY, title text, author_id int NOT NULL REFERENCES author, color text REFERENCES color, details jsonb, words int
);
CREATE VIEW recent AS SELECT id, author_id, title FROM article;
CREATE FUNCTION search_articles(search text, caller json) RETURNS SETOF article LANGUAGE sql STABLE AS 'SELECT * FROM article';
CREATE FUNCTION add_author(username text) RETURNS SETOF author LANGUAGE sql VOLATILE AS 'SELECT * FROM author';
CREATE FUNCTION article_summary(caller json, article_row article) RETURNS text LANGUAGE sql STABLE AS 'SELECT article_row.title';
CREATE FUNCTION author_articles(author) RETURNS SETOF article LANGUAGE sql STABLE AS 'SELECT * FROM article WHERE author_id = $1.id';
"""
FILES: Final = {
    "version.yaml": "version: 3\n",
    "databases/databases.yaml": """
- name: default
  kind: postgres
  configuration: {connection_info: {database_url: {from_env: DATABASE}}}
  customization:
    naming_convention: hasura-default
    root_fields:
      prefix: app_
      suffix: _now
    type_names:
      prefix: app_
      suffix: _now
  tables: "!include default/tables/tables.yaml"
  functions: "!include default/functions/functions.yaml"
""",
    "databases/default/tables/tables.yaml": """
- "!include public_author.yaml"
- "!include public_article.yaml"
- "!include public_color.yaml"
- "!include public_recent.yaml"
""",
    "databases/default/tables/public_color.yaml": """
table:
  name: color
  schema: public
is_enum: true
select_permissions:
  - role: reader
    permission:
      columns: '*'
      filter: {}
""",
    "databases/default/tables/public_recent.yaml": """
table: recent
object_relationships:
  - name: written_by
    using:
      manual_configuration:
        remote_table:
          schema: public
          name: author
        insertion_order: before_parent
        column_mapping:
          author_id: id
select_permissions:
  - role: reader
    permission:
      columns:
        - author_id
      filter:
        written_by:
          username:
            _ilike: a%
""",
    "databases/default/tables/public_author.yaml": """
table:
  schema: public
  name: author
configuration:
  comment: Who writes
  custom_column_names:
    username: login
  custom_root_fields:
    insert_one: add_one_author
object_relationships:
  - name: mentor
    comment: who taught them
    using:
      foreign_key_constraint_on: mentor_id
array_relationships:
  - name: articles
    using:
      foreign_key_constraint_on:
        table:
          schema: public
          name: article
        column: author_id
computed_fields:
  - name: written
    definition:
      function:
        schema: public
        name: author_articles
    comment: all of them
select_permissions:
  - role: reader
    permission:
      columns:
        - username
        - mentor_id
      computed_fields:
        - written
      filter:
        written:
          title:
            _is_null: false
      query_root_fields:
        - select_aggregate
        - select_by_pk
      subscription_root_fields:
        - select_stream
      allow_aggregations: true
      limit: 50
  - role: writer
    permission:
      columns: [username]
      filter:
        _exists:
          _table:
            schema: public
            name: article
          _where:
            author_id:
              _eq: X-Hasura-User-Id
insert_permissions:
  - role: writer
    permission:
      columns:
        - username
      check:
        mentor:
          username:
            _in: [a, b]
      set:
        mentor_id: X-Hasura-User-Id
      backend_only: true
""",
    "databases/default/tables/public_article.yaml": """
table:
  schema: public
  name: article
configuration:
  custom_name: posts
  column_config:
    title:
      custom_name: headline
      comment: above all
  custom_root_fields:
    select_by_pk:
      name: one_post
      comment: of an id
    select_stream: posts_as_they_come
object_relationships:
  - name: author
    using:
      foreign_key_constraint_on: author_id
computed_fields:
  - name: summary
    definition:
      function: article_summary
      table_argument: article_row
      session_argument: caller
select_permissions:
  - role: reader
    comment: everybody
    permission:
      columns:
        - title
        - color
        - details
      computed_fields: [summary]
      filter:
        _and:
          - _or:
              - words:
                  _cgte: author_id
              - details:
                  _cast:
                    text:
                      _like: '%a%'
          - _not:
              author:
                mentor_id:
                  _ceq: ['$', author_id]
          - color:
              _eq: blue
update_permissions:
  - role: writer
    permission:
      columns:
        - title
      filter:
        author_id:
          _eq: X-Hasura-User-Id
      check:
        title:
          _is_null: false
      set:
        words: 0
delete_permissions:
  - role: writer
    permission:
      filter:
        author_id:
          _eq: X-Hasura-User-Id
      backend_only: true
""",
    "databases/default/functions/functions.yaml": """
- function:
    schema: public
    name: search_articles
  configuration:
    custom_name: find_posts
    custom_root_fields:
      function: find
      function_aggregate: count_found
    session_argument: caller
  comment: by their words
- function: add_author
  configuration:
    exposed_as: mutation
  permissions:
    - role: writer
""",
    "inherited_roles.yaml": """
- role_name: both
  role_set:
    - reader
    - writer
""",
    "graphql_schema_introspection.yaml": """
disabled_for_roles:
  - reader
""",
    "api_limits.yaml": """
disabled: false
depth_limit:
  global: 9
  state: enabled
  per_role:
    reader: 5
node_limit:
  global: 90
time_limit:
  global: 3
batch_limit:
  global: 9
rate_limit:
  global:
    max_reqs_per_min: 900
    unique_params:
      - x-hasura-user-id
  per_role:
    writer:
      max_reqs_per_min: 9
""",
    "query_collections.yaml": """
- name: mobile
  comment: of the application
  definition:
    queries:
      - name: posts
        query: query Posts { posts { headline } }
""",
    "allow_list.yaml": """
- collection: mobile
  scope:
    global: false
    roles:
      - reader
""",
}


def write(folder: Path) -> Path:
    """The files below `folder`."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip("\n"))
    return folder
