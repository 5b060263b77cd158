/** Phone numbers as people type them, checked just far enough to explain a mistake; the server has the last word. */

export type PhoneMistake = 'phone.empty' | 'phone.letters' | 'phone.short' | 'phone.long';

/** What is wrong with a typed number, as a catalogue key, or null. E.164 allows 15 digits; the shortest real ones have 8. */
export function phoneMistake(typed: string): PhoneMistake | null {
  const text = typed.trim();
  if (text === '') return 'phone.empty';
  if (!/^\+?[\d\s().-]+$/u.test(text)) return 'phone.letters';
  const digits = text.replace(/\D/gu, '');
  if (digits.length < 8) return 'phone.short';
  return digits.length > 15 ? 'phone.long' : null;
}

/** `+60 12-345 6789` for Malaysian numbers, groups of three and four elsewhere: easy to read out. */
export function showPhone(phone: string): string {
  const digits = phone.replace(/\D/gu, '');
  const malaysian = /^60(1\d)(\d{3,4})(\d{4})$/u.exec(digits);
  if (malaysian) return `+60 ${malaysian[1]}-${malaysian[2]} ${malaysian[3]}`;
  return digits.length > 7 ? `+${digits.slice(0, -7)} ${digits.slice(-7, -4)} ${digits.slice(-4)}` : `+${digits}`;
}
