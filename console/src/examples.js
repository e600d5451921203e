// The tabs a newcomer finds: each runs as it stands for a demo user.

const BOB = '00000000-0000-4000-8000-000000000002';

export const EXAMPLES = [
  {
    query: `# Welcome. Press ▶ (or Ctrl-Enter).
# Then ask as somebody else, at the top:
# rows and schema follow the caller.
query MyChannels {
  nchat_channels {
    id
    name
    channel_members(order_by: { user: { username: asc } }) {
      role
      user { id username display_name }
    }
  }
}
`,
  },
  {
    query: `# The call history of the caller, newest first.
query CallHistory {
  nchat_calls(order_by: { created_at: desc }, limit: 20) {
    id
    type
    status
    end_reason
    duration
    created_at
    initiator { display_name }
    call_participants { status role user { display_name } }
  }
  nchat_calls_aggregate { aggregate { count } }
}
`,
  },
  {
    query: `# Alice rings Bob. Open "IncomingCalls"
# as bob in a second window first.
mutation CallBob($input: InitiateCallInput!) {
  initiateCall(input: $input) {
    callId
    roomName
    serverUrl
    expiresAt
    call { status call_participants { status user { username } } }
  }
}
`,
    variables: JSON.stringify({ input: { targetUserIds: [BOB], type: 'audio' } }, null, 2),
  },
  {
    query: `# What rings for the caller, now and from now on.
subscription IncomingCalls {
  incomingCalls { kind callId type caller { displayName } ringExpiresAt }
}
`,
  },
  {
    query: `# Everything that happens in one call,
# from its first event; put its id below.
subscription CallEvents($callId: uuid!) {
  callEvents(callId: $callId, after: 0) { seq kind actor { displayName } participantId payload createdAt }
}
`,
    variables: JSON.stringify({ callId: '' }, null, 2),
  },
  {
    query: `# A live query: the answer comes again
# whenever it changes.
subscription LiveCalls {
  nchat_calls(order_by: { created_at: desc }, limit: 5) { id status type initiator { username } }
}
`,
  },
];
