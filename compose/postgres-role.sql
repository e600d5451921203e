-- Run once, when the database is made: the API and its migrations are the owner of one database, and nothing in the server beside it.
\getenv password NCHAT_POSTGRES_PASSWORD
CREATE ROLE nchat LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE nchat OWNER nchat;
REVOKE ALL ON DATABASE nchat FROM PUBLIC;
