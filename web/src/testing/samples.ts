/** Rows as the API gives them, for tests: only what a test is about needs to be said. */
import type { Chat, Device, Message, Outbox, Pacing, Pairing } from '../api/types';

export function message(change: Partial<Message> & { id: string }): Message {
  return {
    chat_id: '7',
    device_id: 'd1',
    chat_jid: '60120000001@s.whatsapp.net',
    message_id: `WA${change.id}`,
    sender_jid: '60120000001@s.whatsapp.net',
    sender_name: 'Farid',
    from_me: false,
    message_type: 'text',
    message_text: 'Hello',
    mentions: [],
    notice: null,
    media_url: null,
    thumbnail_url: null,
    media: null,
    place: null,
    contacts: [],
    link_preview: null,
    quoted_message_id: null,
    quoted: null,
    status: change.from_me ? 'sent' : 'received',
    is_ephemeral: false,
    is_view_once: false,
    is_forwarded: false,
    is_pinned: false,
    pinned_until: null,
    reactions: [],
    poll_options: [],
    poll_choices: null,
    poll_votes: [],
    poll_counts: null,
    timestamp: 1_790_000_000,
    edited_at: null,
    deleted_at: null,
    created_at: '2026-09-21T12:53:20Z',
    outbox_id: null,
    ...change,
  };
}

export function outbox(change: Partial<Outbox> & { id: string }): Outbox {
  return {
    device_id: 'd1',
    to_jid: '60120000001@s.whatsapp.net',
    chat_id: '7',
    type: 'text',
    text: 'On its way',
    media_url: null,
    file_name: null,
    quoted_message_id: null,
    target_message_id: null,
    is_forwarded: false,
    priority: 'reply',
    state: 'queued',
    reason: null,
    cause: null,
    held_by: null,
    message_id: null,
    attempts: 0,
    is_counted: false,
    created_at: '2026-09-21T12:53:20Z',
    not_before: '2026-09-21T12:53:20Z',
    expires_at: null,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    ...change,
  };
}

export function chat(change: Partial<Chat> & { id: string }): Chat {
  return {
    device_id: 'd1',
    chat_jid: `${change.id}@s.whatsapp.net`,
    chat_name: null,
    phone: null,
    is_group: false,
    last_message_text: 'Hello',
    last_message_mentions: [],
    last_message_notice: null,
    last_message_type: 'text',
    last_message_time: '2026-09-21T12:00:00Z',
    last_message_from_me: false,
    last_message_status: 'received',
    last_message_sender: null,
    unread_count: 0,
    typing: null,
    typing_name: null,
    typing_state: null,
    pinned: false,
    muted: false,
    archived: false,
    assignee_id: null,
    assignee_name: null,
    is_open: true,
    label_ids: [],
    is_opted_out: false,
    viewers: [],
    ...change,
  };
}

export function device(change: Partial<Device> & { id: string }): Device {
  return {
    name: 'Sales',
    network: 'loopback',
    state: 'online',
    state_reason: null,
    state_at: '2026-09-21T12:00:00Z',
    desired_state: 'connected',
    phone: '+60123456789',
    jid: '60123456789@s.whatsapp.net',
    push_name: null,
    tags: [],
    proxy: null,
    paired_at: '2026-09-21T12:00:00Z',
    online_at: '2026-09-21T12:00:00Z',
    created_at: '2026-09-21T12:00:00Z',
    unread_count: 0,
    pacing: pace(),
    clock: null,
    paused_until: null,
    pause_reason: null,
    pause_cause: null,
    ...change,
  };
}

export function pairing(change: Partial<Pairing> = {}): Pairing {
  return {
    id: 'p1',
    device_id: 'd1',
    method: 'qr',
    state: 'waiting',
    reason: null,
    qr: null,
    code: null,
    expires_at: '2026-09-21T12:03:00Z',
    created_at: '2026-09-21T12:00:00Z',
    ...change,
  };
}

export function pace(change: Partial<Pacing> = {}): Pacing {
  return {
    min_seconds: 5,
    max_seconds: 15,
    per_hour: 80,
    per_day: 800,
    typing: true,
    ramp: true,
    quiet_from: null,
    quiet_until: null,
    ...change,
  };
}
