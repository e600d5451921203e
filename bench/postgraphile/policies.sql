-- The rules of bench/metadata as row security, in the form that PostgreSQL plans best: what the session says is read once.
CREATE ROLE pgl LOGIN PASSWORD 'pgl';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO pgl;
ALTER TABLE nchat_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE nchat_streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE nchat_stream_chat ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON nchat_calls FOR SELECT TO pgl USING (
  initiator_id = (SELECT current_setting('jwt.user_id', true)::uuid)
  OR id IN (SELECT p.call_id FROM nchat_call_participants p WHERE p.user_id = (SELECT current_setting('jwt.user_id', true)::uuid))
  OR channel_id IN (SELECT m.channel_id FROM nchat_channel_members m WHERE m.user_id = (SELECT current_setting('jwt.user_id', true)::uuid))
);
CREATE POLICY seen ON nchat_streams FOR SELECT TO pgl USING (
  visibility = 'public' OR host_id = (SELECT current_setting('jwt.user_id', true)::uuid)
  OR visibility = 'channel_members'
    AND channel_id IN (SELECT m.channel_id FROM nchat_channel_members m WHERE m.user_id = (SELECT current_setting('jwt.user_id', true)::uuid))
);
CREATE POLICY seen ON nchat_stream_chat FOR SELECT TO pgl USING (EXISTS (SELECT FROM nchat_streams s WHERE s.id = stream_id));
