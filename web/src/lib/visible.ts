/** Spaces, controls, zero-width characters, marks that stand on nothing, and letters that are drawn as nothing. */
const UNSEEN = /^[\s\p{Z}\p{Cc}\p{Cf}\p{M}\u115F\u1160\u3164\uFFA0\u2800]*$/u;

/** Whether at least one character of a text can be seen. */
export function isVisible(text: string): boolean {
  return !UNSEEN.test(text);
}
