import { expect, it } from 'vitest';
import { t } from '../i18n/index.svelte';
import { outbox } from '../testing/samples';
import { FakeServer, settled } from '../testing/server';
import { Trial, trialWords } from './trial.svelte';

const PLACE = { zone: 'Asia/Kuala_Lumpur', locale: 'en-GB', today: 'Today', yesterday: 'Yesterday' };
const NOBODY = { state: 'failed', cause: 'not_on_whatsapp', reason: 'the number is not on WhatsApp' } as const;

function told(trial: Trial): string {
  return trialWords(trial.row!, new Date(), PLACE);
}

function trialOf(): { server: FakeServer; trial: Trial; change: (row: Parameters<typeof outbox>[0]) => void } {
  const server = new FakeServer();
  let row = outbox({ id: '5' });
  server.on('POST /campaigns/3/test', () => outbox({ id: '5' }));
  server.on('GET /outbox/5', () => row);
  const trial = new Trial(server.live);
  return { server, trial, change: (next) => (row = outbox(next)) };
}

it('a test says that it is on its way, and then that it was not sent, and why', async () => {
  const { server, trial, change } = trialOf();
  const end = trial.follow();
  await trial.send('3', '012-345 6789');
  expect(told(trial)).toContain('on its way');
  change({ id: '5', ...NOBODY });
  server.frame('MESSAGE_STATUS', outbox({ id: '6', ...NOBODY }));
  await settled();
  expect(told(trial)).toContain('on its way');
  server.frame('MESSAGE_STATUS', outbox({ id: '5', ...NOBODY }));
  await settled();
  expect(told(trial)).toMatch(/was not sent to .*The number is not on WhatsApp/u);
  end();
});

it('what became of a test before its id was known is said', async () => {
  const { trial, change } = trialOf();
  change({ id: '5', state: 'sent' });
  await trial.send('3', '012-345 6789');
  expect(told(trial)).toBe(t('campaigns.test_sent', { to: '+60 12-000 0001' }));
});

it('a test that waits says what it waits for', async () => {
  const { trial, change } = trialOf();
  change({ id: '5', held_by: { rule: 'device_offline', text: 'Its device is not online.', until: null } });
  await trial.send('3', '012-345 6789');
  expect(told(trial)).toMatch(/on its way .* Its device is not online\./u);
});
