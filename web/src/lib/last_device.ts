/** The device whose inbox was open last in this browser, so that "Inbox" leads back to it. */
const STORED = 'wafast.device';

export function rememberDevice(id: string): void {
  localStorage.setItem(STORED, id);
}

export function lastDevice(): string | null {
  return localStorage.getItem(STORED);
}
