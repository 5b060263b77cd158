/** Which chats a list shows: kept in the address, so that a list can be bookmarked and told to somebody. */
import type { Chat } from '../api/types';

export interface ChatFilters {
  unread: boolean;
  groups: boolean;
  /** `me`, `none` or a user's id; null: whoever answers. */
  assignee: string | null;
  label: string | null;
  /** null: open and closed ones. */
  open: boolean | null;
  archived: boolean;
}

export const NO_FILTERS: ChatFilters = {
  unread: false,
  groups: false,
  assignee: null,
  label: null,
  open: null,
  archived: false,
};

const DAY = 86_400_000;

type Search = Record<string, string | number | boolean>;

function flag(value: Search[string] | undefined): boolean | null {
  return value === undefined ? null : String(value) === 'true';
}

function text(value: Search[string] | undefined): string | null {
  return value === undefined || value === '' ? null : String(value);
}

/** The filters of an address; what it does not name is not filtered. */
export function readFilters(search: Search): ChatFilters {
  return {
    unread: flag(search['unread']) === true,
    groups: flag(search['groups']) === true,
    assignee: text(search['assignee']),
    label: text(search['label']),
    open: flag(search['open']),
    archived: flag(search['archived']) === true,
  };
}

/** The address's part after `?`; empty without filters. */
export function writeFilters(filters: ChatFilters): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value !== null && value !== NO_FILTERS[name as keyof ChatFilters]) words.set(name, String(value));
  }
  return words.toString();
}

export function isFiltered(filters: ChatFilters): boolean {
  return writeFilters(filters) !== '';
}

/** The same for `GET /chats`. */
export function filterQuery(filters: ChatFilters): {
  unread?: true;
  is_group?: true;
  assignee?: string;
  label_id?: string;
  is_open?: boolean;
  archived: boolean;
} {
  return {
    ...(filters.unread && { unread: true }),
    ...(filters.groups && { is_group: true }),
    ...(filters.assignee !== null && { assignee: filters.assignee }),
    ...(filters.label !== null && { label_id: filters.label }),
    ...(filters.open !== null && { is_open: filters.open }),
    archived: filters.archived,
  };
}

/** Whether a chat has had a message in so many days: others are in no list, and nothing of them counts as unread. */
export function isRecent(chat: Chat, days: number): boolean {
  return chat.last_message_time !== null && Date.now() - Date.parse(chat.last_message_time) < days * DAY;
}

/**
 * Whether a chat that changed belongs into the list.
 *
 * @param me the id of who is signed in
 * @param days without a message after which a chat is in no list
 */
export function passes(chat: Chat, filters: ChatFilters, me: string, days: number): boolean {
  const assignee = filters.assignee === 'me' ? me : filters.assignee === 'none' ? null : filters.assignee;
  return (
    isRecent(chat, days) &&
    chat.archived === filters.archived &&
    (!filters.unread || chat.unread_count > 0) &&
    (!filters.groups || chat.is_group) &&
    (filters.assignee === null || chat.assignee_id === assignee) &&
    (filters.label === null || chat.label_ids.includes(filters.label)) &&
    (filters.open === null || chat.is_open === filters.open)
  );
}
