// Written by `make golden`. docs/events.md says when each comes.

export type TrackKind = 'audio' | 'screen' | 'video';
export type CallEndReason = 'completed' | 'declined' | 'busy' | 'timeout' | 'cancelled' | 'failed' | 'no_answer' | 'network_error' | 'host_ended' | 'kicked';
export type CallStatus = 'initiated' | 'ringing' | 'connecting' | 'connected' | 'reconnecting' | 'ended';
export type ConnectionQuality = 'excellent' | 'good' | 'poor' | 'lost';
export type ParticipantRole = 'host' | 'co_host' | 'participant' | 'viewer';

/** What `callEvents` tells in `payload`, by `kind`. New kinds come with new features: ignore what you don't know. */
export interface CallEventPayloads {
  call_initiate: Record<string, never>;
  call_incoming: { participantId: string };
  call_accept: { participantId: string };
  call_decline: { reason: string; participantId: string };
  call_cancelled: Record<string, never>;
  call_end: { reason: CallEndReason };
  call_state_changed: { from: CallStatus; to: CallStatus; reason: CallEndReason | null };
  call_participant_joined: { participantId: string };
  call_participant_disconnected: { reason: string; participantId: string };
  call_participant_left: { reason: string; participantId: string };
  call_mute_changed: { trackType: TrackKind; muted: boolean; participantId: string };
  call_video_changed: { enabled: boolean; participantId: string };
  call_screen_share_started: { participantId: string };
  call_screen_share_stopped: { participantId: string };
  connection_quality_changed: { quality: ConnectionQuality | null; stats: unknown; participantId: string };
  hand_raised: { participantId: string };
  hand_lowered: { participantId: string };
  unmute_asked: { participantId: string };
  lobby_waiting: { participantId: string };
  lobby_admitted: { participantId: string };
  lobby_denied: { participantId: string };
  role_changed: { from: ParticipantRole; to: ParticipantRole; participantId: string };
  kicked: { reason: string | null; participantId: string };
  readmitted: { participantId: string };
  recording_started: { recordingId: string };
  recording_consent_asked: { recordingId: string; until: string };
  recording_consented: { participantId: string };
  recording_paused: { recordingId: string };
  recording_resumed: { recordingId: string };
  recording_stopped: { recordingId: string; reason: string };
  recording_ready: { recordingId: string };
  recording_failed: { recordingId: string; reason: string };
  stream_started: { streamId: string };
  stream_ended: { streamId: string; reason: string };
}

export type CallEventKind = keyof CallEventPayloads;

/** The `kind` and `payload` of an event that was known when this was written. */
export type KnownCallEvent = { [Kind in CallEventKind]: { kind: Kind; payload: CallEventPayloads[Kind] } }[CallEventKind];

export const callEventKinds: ReadonlySet<string> = new Set<CallEventKind>([
  'call_initiate',
  'call_incoming',
  'call_accept',
  'call_decline',
  'call_cancelled',
  'call_end',
  'call_state_changed',
  'call_participant_joined',
  'call_participant_disconnected',
  'call_participant_left',
  'call_mute_changed',
  'call_video_changed',
  'call_screen_share_started',
  'call_screen_share_stopped',
  'connection_quality_changed',
  'hand_raised',
  'hand_lowered',
  'unmute_asked',
  'lobby_waiting',
  'lobby_admitted',
  'lobby_denied',
  'role_changed',
  'kicked',
  'readmitted',
  'recording_started',
  'recording_consent_asked',
  'recording_consented',
  'recording_paused',
  'recording_resumed',
  'recording_stopped',
  'recording_ready',
  'recording_failed',
  'stream_started',
  'stream_ended',
]);

/** Whether an event is one of those, with the payload of its kind. */
export const isKnownCallEvent = (event: { kind: string; payload: unknown }): event is KnownCallEvent => callEventKinds.has(event.kind);
