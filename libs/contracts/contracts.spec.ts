import type { z } from 'zod';
import { goldenFixtures } from '#libs/testing/golden-fixtures.js';
import { CaptureCommand, CaptureJob, CaptureSeen, RuleSet, SessionMemory } from './captures.js';
import { ChatFigures, ChatLine, ChatMessage, ChatPush, ChatStatus } from './chat.js';
import { FactEnvelope, Watermark } from './facts.js';
import { InspectionAnswer, InspectionPicture, InspectionRequest } from './inspections.js';
import { MonitorHeartbeat } from './monitors.js';
import { CHANNELS, QUEUES, REDIS, captureJobId } from './names.js';
import { MESSAGE_CLIENT_EVENTS, MESSAGE_EVENTS, NOTIFICATION_EVENTS, ROOT_EVENTS } from './sockets.js';

const schemas: Record<Parameters<typeof goldenFixtures>[0], Record<string, z.ZodType>> = {
  facts: { FactEnvelope, Watermark },
  captures: { CaptureJob, CaptureCommand, CaptureSeen, SessionMemory, RuleSet },
  monitors: { MonitorHeartbeat },
  inspections: { InspectionRequest, InspectionPicture, InspectionAnswer },
  chat: { ChatMessage, ChatLine, ChatPush, ChatStatus, ChatFigures },
  sockets: { ...ROOT_EVENTS, ...NOTIFICATION_EVENTS },
  messages: MESSAGE_EVENTS,
  'client-messages': MESSAGE_CLIENT_EVENTS,
};

describe.each(Object.entries(schemas))('the golden %s', (name, table) => {
  const fixtures = goldenFixtures(name as keyof typeof schemas);

  it('cover every schema', () => {
    expect(Object.keys(fixtures).sort()).toEqual(Object.keys(table).sort());
  });

  it.each(Object.entries(table))('of %s fit and lose nothing, the bad ones do not', (schemaName, schema) => {
    const { valid = [], invalid = [] } = fixtures[schemaName] ?? {};
    for (const message of valid) expect(schema.parse(message)).toEqual(message);
    for (const message of invalid) expect(schema.safeParse(message).success).toBe(false);
  });
});

describe('the names on the wire', () => {
  it('are the agreed ones: a change strands what is under way', () => {
    expect({ QUEUES, REDIS, CHANNELS }).toMatchObject({
      QUEUES: { captures: 'captures' },
      REDIS: { facts: 'vigil:facts', factsGroup: 'api', watermarks: 'vigil:watermarks', deadFacts: 'vigil:facts:dead' },
      CHANNELS: { watermark: 'vigil:hint:watermark' },
    });
  });

  it('give job ids that BullMQ takes', () => {
    expect(captureJobId('4be0643f-1d98-473b-97cd-ca98a65347dd')).toMatch(/^[^:]*[a-z][^:]*$/);
  });
});
