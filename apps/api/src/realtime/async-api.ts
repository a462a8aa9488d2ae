import { z } from 'zod';
import { NAMESPACES } from '#libs/contracts/names.js';
import { MESSAGE_CLIENT_EVENTS, SERVER_EVENTS, SocketAnswer } from '#libs/contracts/sockets.js';
import { convertSchema } from '../http/openapi.js';

type JsonObject = Record<string, unknown>;
type EventTable = Readonly<Record<string, z.ZodType>>;

/** What a namespace is for, and how a client that was away catches up. */
const CHANNELS: readonly {
  namespace: keyof typeof SERVER_EVENTS;
  id: string;
  description: string;
  sent: EventTable;
}[] = [
  {
    namespace: NAMESPACES.root,
    id: 'root',
    description:
      'Detections, transcripts, streams, assignments, monitors, presence. Admins hear all, agents what is on streams ' +
      'assigned to them. Replay by `GET /api/detections?after=<seq>` ' +
      'and `GET /api/streams/<streamId>/transcripts?after=<seq>`.',
    sent: {},
  },
  {
    namespace: NAMESPACES.notifications,
    id: 'notifications',
    description: 'What one user is told. Replay by `GET /api/notifications?after=<seq>`.',
    sent: {},
  },
  {
    namespace: NAMESPACES.messages,
    id: 'messages',
    description:
      'What two users write to each other; nobody else hears it, admins neither. Replay by `GET /api/conversations` ' +
      'and `GET /api/messages/<userId>?after=<seq>` of each that moved on.',
    sent: MESSAGE_CLIENT_EVENTS,
  },
];

/** When each event comes, for people. */
const SUMMARIES: Readonly<Record<string, string>> = {
  detection: 'Something was detected.',
  transcript: 'Something was said.',
  stream_status: 'The status of a stream changed.',
  stream_update: 'A stream was made, edited or removed: fetch it again.',
  assignment_update: 'An assignment came or went; to admins and the agent.',
  monitor_status: 'A monitor came or went; to admins.',
  canary: 'A part of a canary run of a monitor was stored; to admins.',
  user_status: 'A user came online or went offline; to admins and those who share a conversation.',
  notification: 'A new notification.',
  notification_update: 'Notifications were read, on this or another device.',
  message: 'A message; to both of the conversation.',
  typing: 'The other one writes, or stopped. Not kept.',
  message_read: 'Messages were read; to both of the conversation.',
  unread: 'The number that is unread changed; at most once a second.',
  'sent message': 'Sends a message, as POST /api/messages/<userId> does.',
  'sent typing': 'Says that you write, or stopped. At most one a second in the long run; more are dropped.',
  'sent message_read': 'Marks messages to you as read, as PUT /api/messages/read does.',
};

/** One event of a channel, as the page shows it. */
export interface DocumentedEvent {
  name: string;
  summary: string;
  /** Id of the payload's schema among those of the document. */
  schema: string;
}

/** One namespace, as the page shows it. */
export interface DocumentedChannel {
  id: string;
  namespace: string;
  description: string;
  received: DocumentedEvent[];
  sent: DocumentedEvent[];
}

/** What is said over Socket.IO. */
export interface SocketContract {
  channels: DocumentedChannel[];
  /** JSON Schemas by id; references go to `#/components/schemas/<id>`. */
  schemas: Record<string, JsonObject>;
}

/** Collects what the contracts say of sockets. */
export function socketContract(): SocketContract {
  const schemas: Record<string, JsonObject> = {};
  const eventsOf = (table: EventTable, sent: boolean): DocumentedEvent[] =>
    Object.entries(table).map(([name, schema]) => ({
      name,
      summary: SUMMARIES[sent ? `sent ${name}` : name] ?? '',
      schema: add(schemas, schema, sent),
    }));
  const channels = CHANNELS.map(({ namespace, id, description, sent }) => ({
    ...{ id, namespace, description },
    received: eventsOf(SERVER_EVENTS[namespace], false),
    sent: eventsOf(sent, true),
  }));
  add(schemas, SocketAnswer, false);
  return { channels, schemas };
}

/** The AsyncAPI 3.0 document of all that is said over Socket.IO (https://www.asyncapi.com/docs/reference/specification/v3.0.0). */
export function createAsyncApi(): JsonObject {
  const { channels, schemas } = socketContract();
  const messages: JsonObject = {};
  const operations: JsonObject = {};
  const documented: JsonObject = {};
  for (const { id, namespace, description, received, sent } of channels) {
    const own: JsonObject = {};
    const add = (events: readonly DocumentedEvent[], action: 'send' | 'receive'): void => {
      for (const { name, summary, schema } of events) {
        const key = action === 'send' ? `${id}_${name}` : `${id}_client_${name}`;
        const payload = { $ref: `#/components/schemas/${schema}` };
        messages[key] = { name, title: name, summary, contentType: 'application/json', payload };
        own[key] = { $ref: `#/components/messages/${key}` };
        operations[action === 'send' ? `send_${key}` : `receive_${key}`] = {
          ...{ action, summary, channel: { $ref: `#/channels/${id}` } },
          messages: [{ $ref: `#/channels/${id}/messages/${key}` }],
        };
      }
    };
    add(received, 'send');
    add(sent, 'receive');
    documented[id] = { address: namespace, title: `Namespace ${namespace}`, description, messages: own };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Vigil over Socket.IO',
      version: '0.1.0',
      description:
        'Actions are those of the server: it sends, clients receive. Connect with the access token as `auth.token` in ' +
        'every namespace; the server alone joins rooms. Whatever tells of a row carries `seq`: after a lost connection ' +
        'fetch what came since over REST. What clients send may ask for an acknowledgement, which is a `SocketAnswer`.',
    },
    defaultContentType: 'application/json',
    channels: documented,
    operations,
    components: { messages, schemas },
  };
}

function add(schemas: Record<string, JsonObject>, schema: z.ZodType, input: boolean): string {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('The schema of a payload has no id: give it one.');
  const components = convertSchema(schema, { schemaType: input ? 'input' : 'output' })?.components ?? {};
  const text = JSON.stringify(components).replaceAll('#/$defs/', '#/components/schemas/');
  Object.assign(schemas, JSON.parse(text));
  return id;
}
