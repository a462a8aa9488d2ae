import { connect } from 'node:net';

/**
 * Whether a Redis at a url answers a PING after AUTH. Speaks the protocol itself: two commands need no client.
 * @throws Error when nothing listens there, the password is refused, or it takes longer than `timeoutMs`.
 */
export async function pingRedis(url: string, timeoutMs = 2_000): Promise<boolean> {
  const { hostname, port, username, password } = new URL(url);
  const login = password === '' ? [] : [['AUTH', ...(username === '' ? [] : [username]), decodeURIComponent(password)]];
  const commands = [...login, ['PING']];
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) });
  try {
    return await new Promise<boolean>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
      socket.once('error', reject).once('close', () => reject(new Error('closed the connection')));
      socket.once('connect', () => socket.write(commands.map(encode).join('')));
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer = (answer + chunk).slice(0, 4_096);
        const fault = /^-(.*)\r\n/m.exec(answer);
        if (fault !== null) reject(new Error(fault[1]));
        else if (answer.split('\r\n').length > commands.length) resolve(answer.endsWith('+PONG\r\n'));
      });
    });
  } finally {
    socket.destroy();
  }
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
