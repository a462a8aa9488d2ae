import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { BOT_NAME, TelegramServer, type ShownMessage, type TelegramCall } from '#libs/testing/telegram-server.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { TestApi } from '../test-api.fixture.js';
import { TelegramBot } from './telegram-bot.js';

/** Asks until it is so; a bound for what never comes, not a measure. */
async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>, what: string): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

describe('the Telegram bot', () => {
  let telegram: TelegramServer;
  let api: TestApi;
  let other: TestApi;
  let chief: string;
  let chats = 500;

  beforeAll(async () => {
    telegram = await TelegramServer.start();
    api = await TestApi.start(
      {
        TELEGRAM_API_URL: telegram.url,
        TELEGRAM_BOT_TOKEN: telegram.token,
        NOTIFY_ADMINS_FROM: 'critical',
        NOTIFY_GROUP_WAIT_MS: '0',
        ESCALATION_CHECK_MS: '100',
        DELIVERY_EDIT_MS: '0',
        DELIVERY_RETRY_SCALE: '0.0001',
        DELIVERY_SEND_TIMEOUT_MS: '1500',
      },
      13,
    );
    // Two processes: only one may ask for updates.
    other = await api.beside();
    chief = await api.token(await api.user('chief', 'admin'));
    await until(() => telegram.polls > 0, 'the bot asks for updates');
  }, 60_000);

  afterAll(async () => {
    await other.close();
    await api.close();
    await telegram.stop();
  });

  const sql = <T>(text: string, values: unknown[] = []): Promise<T> =>
    api.app.get(DataSource, { strict: false }).query<T>(text, values);

  async function stream(name: string, agentId?: string): Promise<string> {
    const made = await api.call('POST', '/api/streams', chief, { name, url: 'https://example.com/a' });
    const streamId = String(made.body['id']);
    if (agentId !== undefined) await api.call('POST', '/api/assignments', chief, { streamId, agentId });
    return streamId;
  }

  /** What the bot answers to what somebody writes. */
  async function ask(chat: number, text: string): Promise<ShownMessage> {
    const before = telegram.chat(chat).length;
    telegram.write(chat, text);
    return until(() => telegram.chat(chat)[before], `the bot answers ${text}`);
  }

  /** What the bot says beside a button that somebody presses. */
  async function press(chat: number, data: string): Promise<string> {
    const answers = (): TelegramCall[] => telegram.calls.filter(({ method }) => method === 'answerCallbackQuery');
    const before = answers().length;
    telegram.press(chat, data);
    const { parameters } = await until(() => answers()[before], 'the bot answers a button');
    return String(parameters['text']);
  }

  async function linked(role: 'agent' | 'admin' = 'agent'): Promise<{ id: string; token: string; chat: number }> {
    const id = await api.user(`user-${randomUUID().slice(0, 8)}`, role);
    const token = await api.token(id);
    const chat = (chats += 1);
    const { body } = await api.call('PUT', '/api/me/telegram', token);
    expect((await ask(chat, String(body['command']))).text).toMatch(/^Linked\. You are user-/);
    return { id, token, chat };
  }

  it('links a chat by a code that is good once, and for one chat alone', async () => {
    const id = await api.user('walter', 'agent');
    const token = await api.token(id);
    const free = { available: true, linked: false, linkedAt: null, bot: BOT_NAME, url: `https://t.me/${BOT_NAME}` };
    expect((await api.call('GET', '/api/me/telegram', token)).body).toEqual(free);
    const { body: first } = await api.call('PUT', '/api/me/telegram', token);
    const { body: second } = await api.call('PUT', '/api/me/telegram', token);
    const code = String(second['code']);
    expect(second).toMatchObject({ command: `/start ${code}`, url: `https://t.me/${BOT_NAME}?start=${code}` });
    expect(JSON.stringify(await sql('SELECT * FROM telegram_codes'))).not.toContain(code);
    const stranger = await ask(90, String(first['command']));
    expect(stranger.text).toMatch(/^To link this chat/);
    expect((await ask(91, `/start ${code}`)).text).toContain('You are walter.');
    expect((await api.call('GET', '/api/me/telegram', token)).body).toMatchObject({ linked: true });
    expect((await ask(92, `/start ${code}`)).text).toBe(stranger.text);
    const late = String((await api.call('PUT', '/api/me/telegram', token)).body['command']);
    await sql(`UPDATE telegram_codes SET expires_at = now() - interval '1 second'`);
    expect((await ask(92, late)).text).toBe(stranger.text);
    // A chat that changes hands is told of one user alone.
    const next = await api.token(await api.user('next', 'agent'));
    await ask(91, String((await api.call('PUT', '/api/me/telegram', next)).body['command']));
    expect((await api.call('GET', '/api/me/telegram', token)).body).toMatchObject({ linked: false });
    expect((await api.call('DELETE', '/api/me/telegram', next)).status).toBe(204);
    expect((await ask(91, '/streams')).text).toBe(stranger.text);
    const trail = await sql<{ action: string; actor_name: string }[]>(
      `SELECT action, actor_name FROM audit_entries WHERE action LIKE 'user.telegram%' ORDER BY seq`,
    );
    expect(trail.map(({ action, actor_name: name }) => `${action} ${name}`)).toEqual([
      ...Array<string>(2).fill('user.telegram_code_made walter'),
      ...['user.telegram_linked walter', 'user.telegram_code_made walter', 'user.telegram_code_made next'],
      ...['user.telegram_linked next', 'user.telegram_unlinked next'],
    ]);
  }, 60_000);

  it('tells strangers one sentence, and groups nothing', async () => {
    const said = new Set<string>();
    for (const text of ['hello', '/streams', '/help', '/unlink', '/start', '/start_monitoring x']) {
      said.add((await ask(70, text)).text);
    }
    expect(said.size).toBe(1);
    expect(await press(70, `a:${randomUUID()}`)).toBe([...said][0]);
    const { chat } = await linked();
    const shown = telegram.chat(-7).length;
    telegram.write(chat, '/streams', -7);
    expect((await ask(chat, '/help')).text).toContain('/unlink');
    expect(telegram.chat(-7)).toHaveLength(shown);
  }, 60_000);

  it('lets an agent do what it may on streams assigned to it, and writes down who did it', async () => {
    const { id, chat } = await linked();
    const [own, foreign] = [`Own <b>${randomUUID().slice(0, 8)}`, `Foreign ${randomUUID().slice(0, 8)}`];
    const [ownId, foreignId] = [await stream(own, id), await stream(foreign)];
    expect((await ask(chat, '/streams')).text).toBe(`${own}: not watched, stopped`);
    expect((await ask(chat, `/start_monitoring ${own.toUpperCase()}`)).text).toBe(`${own} is to be watched.`);
    expect((await ask(chat, `/status ${own}`)).text).toContain(`${own}: watched`);
    expect((await ask(chat, '/status')).text).toMatch(/^down: 0 of 1 streams watched/);
    const choice = await ask(chat, '/stop_monitoring');
    expect(choice.buttons.map(({ text }) => text)).toEqual([own]);
    expect(await press(chat, String(choice.buttons[0]?.data))).toBe(`${own} is watched no longer.`);
    const trail = await sql<object[]>(
      `SELECT action, actor_id, request_id LIKE 'telegram-%' AS by FROM audit_entries
       WHERE target_id = $1 AND action IN ('stream.started', 'stream.stopped') ORDER BY seq`,
      [ownId],
    );
    expect(trail).toEqual([
      { action: 'stream.started', actor_id: id, by: true },
      { action: 'stream.stopped', actor_id: id, by: true },
    ]);

    expect((await ask(chat, `/start_monitoring ${foreign}`)).text).toContain('no such stream');
    expect((await ask(chat, `/status ${foreign}`)).text).toContain('no such stream');
    expect(await press(chat, `m:start:${foreignId}`)).toContain('no such stream');
    for (const data of ['', 'x', 'm:start:1', `m:burn:${ownId}`, `a:${ownId}:x`, 'v:true', `${'v'.repeat(64)}`]) {
      expect(await press(chat, data)).toBe('This button is not known any more.');
    }
    const [row] = await sql<object[]>('SELECT desired FROM streams WHERE id = $1', [foreignId]);
    expect(row).toEqual({ desired: false });
    // What is in texts is never taken for markup.
    for (const { parameters } of telegram.calls) expect(parameters).not.toHaveProperty('parse_mode');
  }, 60_000);

  it('goes by what the user is at that moment', async () => {
    const { id, chat } = await linked();
    const foreign = `Everywhere ${randomUUID().slice(0, 8)}`;
    await stream(foreign);
    expect((await ask(chat, `/streams ${foreign}`)).text).toContain('no such stream');
    await sql(`UPDATE users SET role = 'admin' WHERE id = $1`, [id]);
    expect((await ask(chat, `/streams ${foreign}`)).text).toContain(foreign);
    await sql(`UPDATE users SET role = 'agent' WHERE id = $1`, [id]);
    expect((await ask(chat, `/streams ${foreign}`)).text).toContain('no such stream');
    await sql('UPDATE users SET must_change_password = true WHERE id = $1', [id]);
    expect((await ask(chat, '/streams')).text).toContain('change-password');
    await api.disable(id);
    expect((await ask(chat, '/streams')).text).toMatch(/^To link this chat/);
  }, 60_000);

  it('answers a chat so often and no more, others all the same', async () => {
    const { chat } = await linked();
    const [shown, refused] = [telegram.chat(chat).length, limited()];
    for (let n = 0; n < 60; n += 1) telegram.write(chat, '/help');
    expect((await ask(chats + 1_000, 'hello')).text).toMatch(/^To link/);
    const answered = telegram.chat(chat).length - shown;
    expect(answered).toBeGreaterThan(5);
    expect(answered).toBeLessThan(40);
    expect(limited() - refused).toBe(60 - answered);
  }, 60_000);

  /** Updates that were over the limit, in whichever process takes them. */
  function limited(): number {
    const bots = [api, other].map((process) => process.app.get(TelegramBot, { strict: false }));
    return bots.reduce((sum, { dropped }) => sum + dropped.limited, 0);
  }

  it('counts hits in the message that is there, and says in it who has taken them on, from anywhere', async () => {
    const [ann, ben] = [await linked(), await linked()];
    const streamId = await stream(`Edited ${randomUUID().slice(0, 8)}`, ann.id);
    await api.call('POST', '/api/assignments', chief, { streamId, agentId: ben.id });
    const shownTo = (chat: number, wanted: RegExp): Promise<ShownMessage> =>
      until(
        () => telegram.chat(chat).find(({ photo, text }) => photo && wanted.test(text)),
        `${String(chat)} shows it`,
      );
    const hits = { ruleId: randomUUID() };
    await api.detect(streamId, hits);
    const first = await shownTo(ann.chat, /^\[medium\] person on/);
    expect(first.buttons.map(({ text }) => text)).toEqual(['Acknowledge', 'Right', 'Wrong', 'Unsure']);
    await api.detect(streamId, hits);
    const { id: latest } = await api.detect(streamId, hits);
    const counted = await shownTo(ann.chat, /\(3 times\)/);
    expect(counted.id).toBe(first.id);
    await shownTo(ben.chat, /\(3 times\)/);
    expect(telegram.chat(ann.chat).filter(({ photo }) => photo)).toHaveLength(1);

    // Over REST by one, told to both.
    const { body } = await api.call('GET', '/api/notifications?limit=1', ben.token);
    const [notification] = body['items'] as { id: string }[];
    await other.call('POST', `/api/notifications/${String(notification?.id)}/acknowledge`, ben.token);
    const [{ username: name } = { username: '' }] = await sql<{ username: string }[]>(
      'SELECT username FROM users WHERE id = $1',
      [ben.id],
    );
    const taken = await shownTo(ann.chat, new RegExp(`Acknowledged by ${name}`));
    expect(taken.buttons.map(({ text }) => text)).toEqual(['Right', 'Wrong', 'Unsure']);
    await shownTo(ben.chat, /Acknowledged by/);

    // A button of another's message is good for nothing.
    const stolen = String(first.buttons[0]?.data);
    expect(await press(ben.chat, stolen)).toContain('no such notification');
    expect(await press(ann.chat, String(first.buttons[2]?.data))).toBe('Your verdict: wrong.');
    const verdicts = await sql<object[]>('SELECT verdict, user_id FROM verdicts ORDER BY created_at DESC LIMIT 1');
    expect(verdicts).toEqual([{ verdict: 'false', user_id: ann.id }]);
    const stranger = await linked();
    expect(await press(stranger.chat, `v:true:${latest}`)).toContain('no such detection');
  }, 60_000);

  it('takes on by a button, and shows it', async () => {
    const { id, chat } = await linked();
    const streamId = await stream(`Pressed ${randomUUID().slice(0, 8)}`, id);
    await api.detect(streamId);
    const alert = await until(() => telegram.chat(chat).find(({ photo }) => photo), 'the alert is there');
    const listed = await ask(chat, '/notifications');
    expect(listed.text).toMatch(/^1\. \[medium\] person on Pressed/);
    expect(listed.buttons[0]?.data).toBe(alert.buttons[0]?.data);
    expect(await press(chat, String(alert.buttons[0]?.data))).toBe('You have taken it on.');
    await until(() => telegram.chat(chat).find(({ text }) => text.includes('Acknowledged by user-')), 'it is edited');
    const [row] = await sql<object[]>('SELECT acknowledged_by FROM alerts WHERE stream_id = $1', [streamId]);
    expect(row).toEqual({ acknowledged_by: id });
  }, 60_000);

  it('never sends, edits or answers before the pause is over that Telegram asked for', async () => {
    const { id, chat } = await linked();
    const streamId = await stream(`Paused ${randomUUID().slice(0, 8)}`, id);
    const hits = { ruleId: randomUUID() };
    telegram.script.push({ code: 500, description: 'Internal Server Error' }, { drop: true });
    await api.detect(streamId, hits);
    await until(() => telegram.chat(chat).find(({ photo }) => photo), 'the alert is there, after all');
    // An edit is refused; more to edit, to send and to answer comes while it waits.
    telegram.script.push({ code: 429, description: 'Too Many Requests', retryAfter: 2 });
    await api.detect(streamId, hits);
    await until(() => telegram.script.length === 0, 'the pause is asked for');
    await Promise.all([api.detect(streamId, hits), api.detect(streamId)]);
    telegram.write(chat, '/help');
    await until(() => telegram.chat(chat).find(({ text }) => text.includes('(3 times)')), 'the count is there');
    await until(() => telegram.chat(chat).filter(({ photo }) => photo).length === 2, 'the other alert is there');
    expect(telegram.early).toEqual([]);
  }, 60_000);

  it('unlinks whoever has blocked it, and says so in the app', async () => {
    const { id, token, chat } = await linked();
    const streamId = await stream(`Blocked ${randomUUID().slice(0, 8)}`, id);
    telegram.blocked.add(String(chat));
    const { id: detectionId } = await api.detect(streamId);
    await until(async () => {
      const rows = await sql<{ state: string }[]>(
        `SELECT d.state FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.detection_id = $1`,
        [detectionId],
      );
      return rows[0]?.state === 'dead';
    }, 'the delivery is a dead letter');
    expect((await api.call('GET', '/api/me/telegram', token)).body).toMatchObject({ linked: false });
    const { body } = await api.call('GET', '/api/notifications?limit=1', token);
    expect(body['items']).toMatchObject([{ kind: 'notice', title: 'Telegram was unlinked' }]);
  }, 60_000);

  it('is asked for updates by one process, and by another when that has lost its turn', async () => {
    const { chat } = await linked();
    const lockers = await sql<{ pid: number }[]>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted`,
      [ADVISORY_LOCKS.telegramUpdates],
    );
    expect(lockers).toHaveLength(1);
    await sql('SELECT pg_terminate_backend($1)', [lockers[0]?.pid]);
    expect((await ask(chat, '/help')).text).toContain('/streams');
    expect(telegram.conflicts).toBe(0);
  }, 60_000);

  it('survives whatever comes as an update, and a Telegram that is away', async () => {
    const { chat } = await linked();
    for (const update of [{}, { message: 1 }, { message: { chat: { id: 'x' } } }, { callback_query: { id: '1' } }]) {
      telegram.update(update);
    }
    telegram.update({ message: { chat: { id: chat, type: 'private' }, from: { id: chat }, text: 'x'.repeat(5_000) } });
    telegram.script.push({ drop: true });
    telegram.write(chat, '/help');
    await until(() => telegram.script.length === 0, 'an answer is lost');
    expect((await ask(chat, '/help')).text).toContain('/streams');
  }, 60_000);
});
