import { z } from 'zod';
import { TestApi } from '../test-api.fixture.js';

const Operation = z.object({
  parameters: z
    .array(z.object({ in: z.string(), name: z.string(), required: z.boolean().optional(), schema: z.unknown() }))
    .default([]),
  tags: z.array(z.string()).default([]),
});
const Document = z.object({
  tags: z.array(z.object({ name: z.string(), description: z.string().min(1) })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

describe('the document that Swagger UI shows', () => {
  let api: TestApi;
  let document: z.infer<typeof Document>;

  beforeAll(async () => {
    api = await TestApi.start();
    document = Document.parse(await (await fetch(`${api.url}/openapi.json`)).json());
  }, 60_000);

  afterAll(() => api.close());

  it('begins with signing in', () => {
    expect(document.tags.slice(0, 6).map(({ name }) => name)).toEqual([
      ...['auth', 'objects', 'keywords', 'streams', 'monitoring', 'detections'],
    ]);
  });

  it('asks for nothing that the page fills in itself, and sends no filter that nobody chose', () => {
    const parameters = Object.values(document.paths)
      .flatMap((item) => Object.values(item))
      .flatMap((operation) => operation.parameters);
    expect(parameters.filter(({ name }) => name.toLowerCase() === 'authorization')).toEqual([]);
    const filters = parameters.filter(({ in: place, required }) => place === 'query' && required !== true);
    expect(filters.length).toBeGreaterThan(20);
    expect(
      filters.filter(
        ({ schema }) => z.object({ example: z.unknown() }).loose().safeParse(schema).data?.example !== undefined,
      ),
    ).toEqual([]);
  });

  it('has samples of answers that can be read', () => {
    const answers = JSON.stringify(document.components.schemas['Stream']);
    expect(answers).toContain('"format":"uuid"');
    expect(answers).not.toMatch(/"pattern"|9007199254740991/);
  });

  it('lets the page show pictures and sound that it fetched', async () => {
    const policy = (await fetch(`${api.url}/docs`)).headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/img-src 'self' data: blob:;/);
    expect(policy).toContain("media-src 'self' blob:");
    const script = await (await fetch(`${api.url}/docs/swagger-ui-init.js`)).text();
    expect(script).toContain('authorizeWithPersistOption');
  });
});
