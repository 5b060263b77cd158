/** What became of a group, in the language of the page: the server's own text of it is English. */
import type { Notice } from '../api/types';
import { enNotices, type NoticeKey } from '../i18n/en_notices';
import { wordsOf } from '../i18n/index.svelte';
import { msNotices } from '../i18n/ms_notices';

const words = wordsOf<NoticeKey>({ en: enNotices, ms: msNotices });

/** Things that are done to people: where none are told, it was somebody. Of all others it was who did it. */
const TO_OTHERS = new Set(['added', 'removed', 'asked_to_add']);

/**
 * A line for each thing that happened.
 *
 * @param doer what who did it is called; empty: by the notice's own JID, or nobody knows
 * @param call what somebody is called
 * @returns null where there is something this page has no words for
 */
export function noticeWords(notice: Notice, doer: string, call: (jid: string) => string): string | null {
  const who = doer || (notice.who === null ? words('whoever') : call(notice.who));
  const lines: string[] = [];
  for (const { did, people, words: said } of notice.happened) {
    if (!Object.hasOwn(enNotices, did)) return null;
    const nobody = TO_OTHERS.has(did) ? words('whom_nobody_says') : who;
    const names = people.map(call).join(', ') || nobody;
    lines.push(words(did as NoticeKey, { who, people: names, words: said ?? '' }));
  }
  return lines.join('\n');
}
