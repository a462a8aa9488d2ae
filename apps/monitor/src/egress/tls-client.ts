import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/**
 * TLS over a connection that exists already. The certificate is verified for the host's name, whichever address or
 * proxy the connection goes to.
 * @param host a name or a numeric address, IPv6 with or without brackets
 * @param ca further certificate authorities, PEM
 */
export function secured(socket: Socket, host: string, ca?: string): TLSSocket {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  return connectTls({
    socket,
    host: name,
    ALPNProtocols: ['http/1.1'],
    // Said outright: an environment variable can turn the default off.
    rejectUnauthorized: true,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}
