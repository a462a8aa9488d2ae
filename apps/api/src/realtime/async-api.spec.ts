import { SERVER_EVENTS } from '#libs/contracts/sockets.js';
import { createAsyncApi, socketContract } from './async-api.js';
import { eventsPage } from './events-page.js';

describe('the AsyncAPI document', () => {
  const document = createAsyncApi();

  it('has every event of every namespace, each with a sentence', () => {
    const { channels } = socketContract();
    expect(
      Object.fromEntries(channels.map(({ namespace, received }) => [namespace, received.map(({ name }) => name)])),
    ).toEqual(
      Object.fromEntries(Object.entries(SERVER_EVENTS).map(([namespace, table]) => [namespace, Object.keys(table)])),
    );
    for (const { received, sent } of channels)
      for (const { summary } of [...received, ...sent]) expect(summary).not.toBe('');
  });

  it('leads nowhere into the void', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, reference]) => reference ?? '',
    );
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) {
      let at: unknown = document;
      for (const part of reference.replace('#/', '').split('/')) at = Reflect.get(at as object, part);
      expect({ reference, there: at !== undefined }).toEqual({ reference, there: true });
    }
  });

  it('makes a page that needs nothing from elsewhere, whose links lead somewhere', () => {
    const page = eventsPage(socketContract());
    expect(page).not.toMatch(/<script|<link|@import|src=/);
    const targets = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) expect(targets).toContain(id);
  });
});
