import { EgressError } from './egress-error.js';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Fields that concern one connection only (RFC 9110, 7.6.1) and are not passed on. */
const HOP_BY_HOP = new Set([
  ...['connection', 'proxy-connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

/** Headers without those of the connection they came by. */
export function endToEndHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = new Set(
    (headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((token) => token.trim()),
  );
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== undefined && !HOP_BY_HOP.has(name) && !named.has(name)),
  );
}

/** Port of an http or https url. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** The user-info of a url as the header that carries it. */
export function basicAuth(url: URL): { authorization?: string } {
  if (url.username === '' && url.password === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/**
 * Holds a server to `accept-encoding: identity`: players inflate without a limit.
 * @throws EgressError `not_a_stream`
 */
export function assertNotCompressed(response: IncomingMessage): void {
  const coding = response.headers['content-encoding'] ?? 'identity';
  if (coding === 'identity' || coding === '') return;
  response.destroy();
  throw new EgressError('not_a_stream', `The server sent ${coding.slice(0, 20)} data that was not asked for.`);
}

/**
 * A redirect may lead to http or https only; where exactly is checked when the player comes back for it.
 * @throws EgressError `refused_address`
 */
export function assertWebRedirect(response: IncomingMessage, base: URL): void {
  const { location } = response.headers;
  if (location === undefined || (response.statusCode ?? 0) < 300 || (response.statusCode ?? 0) > 399) return;
  if (URL.canParse(location, base.href) && /^https?:$/.test(new URL(location, base).protocol)) return;
  response.destroy();
  throw new EgressError('refused_address', 'It redirects to an address that is not on the web, which is not allowed.');
}
