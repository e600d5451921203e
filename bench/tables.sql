-- A chat's calls and streams, as far as the workloads ask for them.
CREATE TABLE nchat_users (
  id uuid PRIMARY KEY, username text NOT NULL UNIQUE, display_name text NOT NULL, avatar_url text
);
CREATE TABLE nchat_channels (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE nchat_channel_members (
  channel_id uuid NOT NULL REFERENCES nchat_channels, user_id uuid NOT NULL REFERENCES nchat_users,
  role text NOT NULL DEFAULT 'member', PRIMARY KEY (channel_id, user_id)
);
CREATE TABLE nchat_calls (
  id uuid PRIMARY KEY, room_name text NOT NULL UNIQUE, room_sid text, channel_id uuid REFERENCES nchat_channels,
  initiator_id uuid NOT NULL REFERENCES nchat_users, type text NOT NULL, status text NOT NULL, scheduled_at timestamptz,
  started_at timestamptz, connected_at timestamptz, ended_at timestamptz, end_reason text, max_participants int,
  metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE TABLE nchat_call_participants (
  id uuid PRIMARY KEY, call_id uuid NOT NULL REFERENCES nchat_calls, user_id uuid NOT NULL REFERENCES nchat_users,
  role text NOT NULL, status text NOT NULL, joined_at timestamptz, left_at timestamptz,
  is_muted bool NOT NULL, is_video_enabled bool NOT NULL, is_screen_sharing bool NOT NULL, UNIQUE (call_id, user_id)
);
CREATE TABLE nchat_streams (
  id uuid PRIMARY KEY, channel_id uuid REFERENCES nchat_channels, host_id uuid NOT NULL REFERENCES nchat_users, title text NOT NULL,
  visibility text NOT NULL, status text NOT NULL, viewer_count int NOT NULL, created_at timestamptz NOT NULL
);
CREATE TABLE nchat_stream_chat (
  id uuid PRIMARY KEY, stream_id uuid NOT NULL REFERENCES nchat_streams, user_id uuid NOT NULL REFERENCES nchat_users,
  content text NOT NULL, is_deleted boolean NOT NULL, created_at timestamptz NOT NULL
);

CREATE INDEX ON nchat_streams (channel_id);
CREATE INDEX ON nchat_streams (host_id);
CREATE INDEX ON nchat_stream_chat (stream_id, created_at);
CREATE INDEX ON nchat_stream_chat (user_id);
CREATE INDEX ON nchat_calls (created_at DESC);
-- As the product has them.
CREATE INDEX ON nchat_calls (channel_id, created_at DESC) INCLUDE (id);
CREATE INDEX ON nchat_calls (initiator_id, created_at DESC) INCLUDE (id);
CREATE INDEX ON nchat_call_participants (user_id, status) INCLUDE (call_id);
CREATE INDEX ON nchat_channel_members (user_id, channel_id);
