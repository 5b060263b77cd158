/** Editing the text of a field: WhatsApp's marks around a selection, words put in. Places are UTF-16 units, as fields count. */
import Bold from '@lucide/svelte/icons/bold';
import Code from '@lucide/svelte/icons/code';
import Italic from '@lucide/svelte/icons/italic';
import Strikethrough from '@lucide/svelte/icons/strikethrough';

export interface Edited {
  text: string;
  /** the selection afterwards */
  start: number;
  end: number;
}

/** WhatsApp's marks; Ctrl (Cmd on a Mac) and a letter, as most editors have them. */
export const MARKS = [
  { name: 'bold', sign: '*', keys: 'Control+B', icon: Bold },
  { name: 'italic', sign: '_', keys: 'Control+I', icon: Italic },
  { name: 'strike', sign: '~', keys: 'Control+Shift+S', icon: Strikethrough },
  { name: 'mono', sign: '```', keys: 'Control+Shift+M', icon: Code },
] as const;

/** The mark a key stands for: bold, italic, struck through and code (the last two with Shift), or null. */
export function shortcut(event: KeyboardEvent): string | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (event.shiftKey !== (key === 's' || key === 'm')) return null;
  return MARKS.find((one) => one.keys.endsWith(`+${key.toUpperCase()}`))?.sign ?? null;
}

/** The selection between two marks, or without those that are there. */
export function markedUp(text: string, start: number, end: number, mark: string): Edited {
  const [before, inside, after] = [text.slice(0, start), text.slice(start, end), text.slice(end)];
  if (before.endsWith(mark) && after.startsWith(mark)) {
    const kept = before.slice(0, -mark.length);
    return { text: kept + inside + after.slice(mark.length), start: kept.length, end: kept.length + inside.length };
  }
  return { text: before + mark + inside + mark + after, start: start + mark.length, end: end + mark.length };
}

/** Words in the place of the selection. */
export function replaced(text: string, start: number, end: number, words: string): Edited {
  const at = start + words.length;
  return { text: text.slice(0, start) + words + text.slice(end), start: at, end: at };
}
