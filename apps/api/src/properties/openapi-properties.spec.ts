import { TestApi } from '../test-api.fixture.js';
import { Loopback } from './loopback.fixture.js';
import { OperationCases, type OperationCase } from './operation-cases.fixture.js';
import { ApiDocument, operationsOf, type ApiOperation } from './operations.fixture.js';
import { ResponseContract } from './response-contract.fixture.js';
import { World, type Actor } from './world.fixture.js';

const SEED = 20_261_122;
const GENERATED = 200;
/** Requests under way at once. */
const LANES = 6;
/** Who asks, in turn: most of what can go wrong lies behind the check of the role. */
const TURNS: readonly Actor[] = ['admin', 'admin', 'agent', 'admin', 'anonymous'];
const MOST_FAULTS = 5;

/** Tried last and in this order, because what they begin may hold one of the few places for jobs for a minute. */
const LAST = ['refreshStream', 'startStreamJob', 'refreshStreams'];

/** Operations that need more than a fitting request to succeed, and why. */
const NEVER_SUCCESSFUL: Readonly<Record<string, string>> = {
  login: 'no generated name and password are those of a user',
  changePassword: 'no generated password is the one in force',
  register: 'a user name and an address that are free are hardly generated before the throttle',
  startStreamJob: 'jobs before it may hold all places for a minute; the same body succeeds as createStream',
  refreshStream: 'jobs that start streams may hold all places for a minute',
  refreshStreams: 'jobs that start streams may hold all places for a minute',
  checkEmail: 'checks of user names have used up what an address may ask',
  pushChat: 'the stream has to be watched with its chat, and has its own test',
  resetPassword: 'needs a code that was sent by e-mail',
  receiveKickWebhook: 'needs a signature of Kick',
  followStreamJob: 'the job has to be there, and its events have their own test',
  getStreamJob: 'the job has to be there, and its states have their own test',
  forwardNotification: 'needs somebody else who may see the stream, and has its own test',
  retryDelivery: 'needs a delivery that has failed, and has its own test',
  getMyWebhook: 'a user sees webhooks of its own alone, and has none',
  updateMyWebhook: 'a user sees webhooks of its own alone, and has none',
  deleteMyWebhook: 'a user sees webhooks of its own alone, and has none',
  sendMessage: 'needs a recipient by name and a new client id each time, and has its own test',
  forwardSocketEvent: 'needs a token of another program, and a payload that fits its event',
  uploadAttachment: 'no generated form is a file that is recognised by its content',
  getAttachment: 'the file has to be there, and has its own test',
  linkMyTelegram: 'there is no bot; with one it has its own test',
  endSession: 'nobody but its owner sees a sign-in, and each has but one',
};

/** Examples of theirs are codes that nobody was sent. */
const UNKNOWN_CODES = ['resetPassword'];

/** Files are what no example in JSON can show. */
const FORM = 'multipart/form-data';

describe('what the OpenAPI document promises', () => {
  let api: TestApi;
  let loopback: Loopback;
  let document: ApiDocument;
  let contract: ResponseContract;
  let maker: string;
  let reading: World | undefined;

  beforeAll(async () => {
    api = await TestApi.start({ REGISTRATION: 'open' }, 8);
    loopback = new Loopback(api.url);
    const answer = await api.call('GET', '/openapi.json');
    document = ApiDocument.parse(answer.body);
    contract = new ResponseContract(document);
    maker = await api.token(await api.user('maker', 'admin'));
  }, 60_000);

  afterAll(async () => {
    loopback.close();
    await api.close();
  });

  it('begins with examples of bodies that run as they stand', async () => {
    const refused: string[] = [];
    const operations = operationsOf(document).filter(({ requestBody }) => requestBody !== undefined);
    for (const operation of operations) {
      const world = await World.make(api, maker);
      const ids = await world.idsFor(document, operation);
      const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => ids.get(name)?.[0] ?? '');
      for (const [type, { schema, example = schema?.['example'] }] of Object.entries(
        operation.requestBody?.content ?? {},
      )) {
        const token = world.tokenFor(operation, 'admin');
        const headers = { 'content-type': type, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
        const body = typeof example === 'string' ? example : JSON.stringify(example);
        const { status } = await loopback.send(operation.method, path, headers, body);
        const known = UNKNOWN_CODES.includes(operation.operationId) || type === FORM;
        if (status >= 500 || (status === 400 && !known))
          refused.push(`${operation.operationId} ${type} ${String(status)}`);
      }
    }
    expect(operations.length).toBeGreaterThan(30);
    expect(refused).toEqual([]);
  }, 60_000);

  it('is kept by every operation, whatever it is sent and whoever sends it', async () => {
    const operations = operationsOf(document).sort((a, b) => LAST.indexOf(a.operationId) - LAST.indexOf(b.operationId));
    expect(operations.length).toBeGreaterThan(80);
    const faults: string[] = [];
    const unsuccessful: string[] = [];
    let requests = 0;
    for (const operation of operations) {
      const outcome = await tried(operation);
      requests += outcome.requests;
      faults.push(...outcome.faults);
      if (outcome.successes === 0) unsuccessful.push(operation.operationId);
    }
    process.stdout.write(
      `openapi properties: ${String(operations.length)} operations, ${String(requests)} requests, seed ${String(SEED)}\n`,
    );
    expect(faults).toEqual([]);
    expect(unsuccessful.filter((id) => NEVER_SUCCESSFUL[id] === undefined)).toEqual([]);
  }, 300_000);

  async function tried(operation: ApiOperation): Promise<{ requests: number; successes: number; faults: string[] }> {
    // What only reads leaves a world as it was.
    const world =
      operation.method === 'GET' ? (reading ??= await World.make(api, maker)) : await World.make(api, maker);
    const cases = new OperationCases(document, operation, world.ids, await world.idsFor(document, operation));
    const waiting = [...cases.generated(GENERATED, SEED), ...cases.hostile(SEED)].entries();
    const faults = new Map<string, string>();
    let requests = 0;
    let successes = 0;
    const lane = async (): Promise<void> => {
      for (const [index, one] of waiting) {
        const actor = TURNS[index % TURNS.length] ?? 'anonymous';
        const { status, fault } = await answered(operation, world, actor, one);
        requests += 1;
        if (status < 400) successes += 1;
        if (status === 401) await world.renew(actor);
        if (fault === null) continue;
        const kind = `${operation.operationId} ${fault.slice(0, 60)}`;
        if (faults.size < MOST_FAULTS) faults.set(kind, `${operation.operationId} as ${actor} ${shown(one)} ${fault}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return { requests, successes, faults: [...faults.values()] };
  }

  async function answered(operation: ApiOperation, world: World, actor: Actor, one: OperationCase) {
    const token = world.tokenFor(operation, actor);
    const headers = { ...one.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
    const reply = await loopback.send(operation.method, one.path, headers, one.body);
    return { status: reply.status, fault: contract.fault(operation, reply) };
  }
});

function shown({ path, headers, body = '' }: OperationCase): string {
  return `${path.slice(0, 200)} ${JSON.stringify(headers)} ${body.slice(0, 300)}`;
}
