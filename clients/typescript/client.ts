import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './generated/rest.js';

export type { components, paths } from './generated/rest.js';
export { NAMESPACES, type NotificationEvents, type RootEvents } from './generated/sockets.js';

/** The REST api of Vigil; every path, parameter and answer is typed. */
export type VigilClient = Client<paths>;

/**
 * A client of a Vigil server.
 *
 * @param baseUrl where the server is, e.g. `http://127.0.0.1:3000`.
 * @param accessToken gives the current access token before each request; null for none.
 * @example
 * let token: string | null = null;
 * const vigil = createVigilClient('http://127.0.0.1:3000', () => token);
 * const { data } = await vigil.POST('/api/auth/login', { body: { username, password } });
 * token = data?.accessToken ?? null;
 */
export function createVigilClient(baseUrl: string, accessToken: () => string | null = () => null): VigilClient {
  const client = createClient<paths>({ baseUrl, bodySerializer });
  client.use({
    onRequest({ request }) {
      const token = accessToken();
      if (token !== null) request.headers.set('Authorization', `Bearer ${token}`);
      return request;
    },
  });
  return client;
}

/**
 * What is sent for a body: a form when a file is in it, a text (such as CSV, with its `Content-Type`) as it is, else JSON.
 */
function bodySerializer(body: unknown): FormData | string {
  if (body instanceof FormData || typeof body === 'string') return body;
  const fields = typeof body === 'object' && body !== null ? Object.entries(body as Record<string, unknown>) : [];
  if (!fields.some(([, value]) => value instanceof Blob)) return JSON.stringify(body);
  const form = new FormData();
  for (const [name, value] of fields) {
    if (value instanceof Blob) form.append(name, value);
    else if (value !== undefined) form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return form;
}
