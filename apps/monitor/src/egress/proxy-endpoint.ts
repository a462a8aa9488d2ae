import { z } from 'zod';

/** How an upstream proxy is spoken to. `socks5h` is `socks5` here: names are resolved by us in any case. */
export type ProxyScheme = 'http' | 'https' | 'socks5';

/** User and password of a proxy, decoded. */
export interface ProxyCredentials {
  user: string;
  password: string;
}

/**
 * An upstream proxy. What is secret lies in private fields, which neither JSON nor an inspected object shows: whatever
 * logs an endpoint writes its name alone.
 */
export class ProxyEndpoint {
  readonly #credentials: ProxyCredentials | null;

  constructor(
    readonly scheme: ProxyScheme,
    /** A name or a numeric address, IPv6 without brackets. */
    readonly host: string,
    readonly port: number,
    credentials: ProxyCredentials | null,
  ) {
    this.#credentials = credentials;
  }

  credentials(): ProxyCredentials | null {
    return this.#credentials;
  }

  /** `host:port`: all that is ever shown of it. */
  get name(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  /** What tells it from all others, user included: providers sell many exits under one address. Never shown. */
  identity(): string {
    const { user, password } = this.#credentials ?? { user: '', password: '' };
    return [this.scheme, this.name, user, password].join('\n');
  }

  toJSON(): string {
    return this.name;
  }
}

const FORM =
  /^(?:([a-z0-9+.-]{1,20}):\/\/)?(?:(\S{0,1024})@)?(\[[0-9a-f:.]{2,45}\]|[^\s/:@?#[\]]{1,253}):(\d{1,5})\/?$/i;
const SCHEMES: ReadonlyMap<string, ProxyScheme> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['socks5', 'socks5'],
  ['socks5h', 'socks5'],
]);

/**
 * One proxy in writing: `http://user:password@host:port`, `https://…`, `socks5://…`, `socks5h://…`, or `host:port`,
 * which means http. User and password are percent-encoded where needed. The messages repeat nothing of the text.
 */
export const ProxyLine = z
  .string()
  .max(2_000, 'it is too long')
  .transform((text, context): ProxyEndpoint => {
    const fault = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const [, schemeName = 'http', userInfo, hostText = '', portText = ''] = FORM.exec(text) ?? [];
    if (hostText === '') return fault('it is not of the form scheme://user:password@host:port or host:port');
    const scheme = SCHEMES.get(schemeName.toLowerCase());
    if (scheme === undefined) return fault('its scheme is none of http, https, socks5, socks5h');
    const port = Number(portText);
    if (port < 1 || port > 65_535) return fault('its port is not between 1 and 65535');
    if (!URL.canParse(`http://${hostText}/`)) return fault('its host is not valid');
    const host = new URL(`http://${hostText}/`).hostname.replace(/^\[(.*)\]$/, '$1');
    if (userInfo === undefined || userInfo === '') return new ProxyEndpoint(scheme, host, port, null);
    const credentials = credentialsOf(userInfo);
    if (credentials === null) return fault('its user or password is too long, or not percent-encoded as it should be');
    return new ProxyEndpoint(scheme, host, port, credentials);
  });

/** Lengths after RFC 1929; a user with a colon cannot be told from its password by RFC 7617. */
function credentialsOf(userInfo: string): ProxyCredentials | null {
  const colon = userInfo.indexOf(':');
  const [userText, passwordText] =
    colon === -1 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  try {
    const [user, password] = [decodeURIComponent(userText), decodeURIComponent(passwordText)];
    const good = (part: string): boolean => Buffer.byteLength(part) <= 255 && !/\p{Cc}/u.test(part);
    return good(user) && good(password) && !user.includes(':') ? { user, password } : null;
  } catch {
    return null;
  }
}
