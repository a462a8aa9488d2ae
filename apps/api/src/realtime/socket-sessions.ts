import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { z } from 'zod';
import { ROOMS } from '#libs/contracts/names.js';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import { AssignmentsService } from '../assignments/assignments.service.js';
import { passwordChangeDue, unauthorized } from '../auth/auth.errors.js';
import { Authenticator } from '../auth/authenticator.js';
import { Cookies } from '../auth/browser/cookies.js';
import { Gathering } from '../auth/gathering.js';
import { AppEvents } from '../events/app-events.js';
import { LOGGER } from '../runtime.module.js';
import { SocketCounters } from './socket-counters.js';
import type { AnyNamespace, ClientSocket, GuardedNamespace, RootNamespace } from './socket-types.js';
import { TokenBucket } from './token-bucket.js';

/** All sockets are looked at so often, in ms: what a lost hint would have told is known then. */
const SWEEP_MS = 4_000;
/** Sockets of one user in one namespace of one process at most. */
const MOST_SOCKETS = 50;
/** Packets of one client; clients have little to send. */
const PACKET_RATE = { capacity: 20, perSecond: 4 };

const Handshake = z.object({ token: z.string().min(1).max(8_192) });

/**
 * Who is connected: checks the token of every connection in every namespace, joins the rooms that the database says,
 * and parts with clients whose token, sign-in or role has ended.
 */
@Injectable()
export class SocketSessions implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly namespaces: AnyNamespace[] = [];
  private readonly unsubscribe: (() => void)[] = [];
  private readonly streamsOf: Gathering<string, Set<string>>;
  /** Sockets that are looked at some hundred at a time, so that thousands hold nobody up. */
  private readonly rechecks: Gathering<ClientSocket, never>;
  /** Number of the last look at any socket, and of the one that put a socket into its rooms. */
  private looks = 0;
  private readonly settledBy = new WeakMap<ClientSocket, number>();
  private timer: NodeJS.Timeout | undefined;
  private lastFault = '';

  constructor(
    private readonly authenticator: Authenticator,
    private readonly cookies: Cookies,
    private readonly assignments: AssignmentsService,
    private readonly events: AppEvents,
    private readonly counters: SocketCounters,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.streamsOf = new Gathering((userIds) => this.assignments.streamsOf(userIds));
    this.rechecks = new Gathering(async (sockets) => {
      await this.recheck(sockets);
      return new Map<ClientSocket, never>();
    });
  }

  onApplicationBootstrap(): void {
    this.unsubscribe.push(
      this.events.on('user.revoked', ({ userId }) => this.changed(userId)),
      this.events.on('assignment.changed', ({ agentId }) => this.changed(agentId)),
    );
    this.timer = setInterval(() => {
      for (const socket of this.sockets()) void this.rechecks.ask(socket);
    }, SWEEP_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const off of this.unsubscribe) off();
  }

  /** Takes charge of a namespace: nobody gets in without a valid token. */
  guard(namespace: AnyNamespace): void {
    this.namespaces.push(namespace);
    const nsp = namespace as unknown as GuardedNamespace;
    nsp.use((socket, next) => {
      this.admit(socket).then(
        () => {
          next();
        },
        (error: unknown) => {
          if (error instanceof AppError) {
            next(Object.assign(new Error(error.message), { data: { code: error.code } }));
            return;
          }
          // No judgement of the client, who would take a refusal for one and stay away: cut off, it tries again.
          this.tell(error, 'sockets could not be admitted; clients try again');
          socket.conn.close();
        },
      );
    });
    nsp.on('connection', (socket) => {
      this.welcome(socket);
    });
    nsp.on('recheck', (userId) => {
      if (typeof userId === 'string') void this.recheck(this.sockets(userId));
    });
  }

  /** Users with at least one socket in this process: closing one of two tabs changes nothing. */
  connectedUsers(): string[] {
    return [...new Set(this.sockets().map(({ data }) => data.user.id))];
  }

  private async admit(socket: ClientSocket): Promise<void> {
    const handshake = Handshake.safeParse(socket.handshake.auth);
    const token = handshake.success ? handshake.data.token : this.cookies.socketToken(socket.handshake);
    if (token === undefined) throw unauthorized();
    const { user, sessionId, expiresAt, mustChangePassword } = await this.authenticator.authenticate(token);
    if (mustChangePassword) throw passwordChangeDue();
    if ((socket.nsp.adapter.rooms.get(ROOMS.user(user.id))?.size ?? 0) >= MOST_SOCKETS) {
      throw new AppError('sockets.too_many', 'user', 'Too many connections of one user: close some.');
    }
    const streamIds = (await this.streamsOf.ask(user.id)) ?? new Set<string>();
    socket.data = { user, sessionId, expiresAt, streamIds };
  }

  private welcome(socket: ClientSocket): void {
    const { user, expiresAt, streamIds } = socket.data;
    // All of them before the client hears that it is connected: what is committed after that, it is told of.
    void socket.join([ROOMS.user(user.id), ROOMS.role(user.role), ...[...streamIds].map(ROOMS.stream)]);
    const expiry = setTimeout(() => socket.disconnect(true), Math.max(0, expiresAt.getTime() - Date.now()));
    const packets = new TokenBucket(PACKET_RATE);
    // In front of every listener: what comes too fast is not looked at.
    socket.use((_packet, next) => {
      if (packets.take()) {
        next();
        return;
      }
      this.counters.add('flooded');
      socket.disconnect(true);
    });
    socket.on('disconnect', () => {
      clearTimeout(expiry);
      this.events.emit('presence.changed', {});
    });
    this.events.emit('presence.changed', {});
    // Catches what changed while the handshake was under way.
    void this.rechecks.ask(socket);
  }

  private changed(userId: string): void {
    void this.recheck(this.sockets(userId));
    for (const namespace of this.namespaces) (namespace as RootNamespace).serverSideEmit('recheck', userId);
  }

  private sockets(userId?: string): ClientSocket[] {
    return this.namespaces.flatMap((namespace) => {
      const all = namespace.sockets as unknown as ReadonlyMap<string, ClientSocket>;
      if (userId === undefined) return [...all.values()];
      const ids = namespace.adapter.rooms.get(ROOMS.user(userId)) ?? [];
      return [...ids].flatMap((id) => all.get(id) ?? []);
    });
  }

  /** Parts with sockets whose sign-in has ended, and puts the others into the rooms of their streams. */
  private async recheck(sockets: readonly ClientSocket[]): Promise<void> {
    if (sockets.length === 0) return;
    this.looks += 1;
    const look = this.looks;
    try {
      const [live, streams] = await Promise.all([
        this.authenticator.live([...new Set(sockets.map(({ data }) => data.sessionId))]),
        this.assignments.streamsOf([...new Set(sockets.map(({ data }) => data.user.id))]),
      ]);
      for (const socket of sockets) {
        const session = live.get(socket.data.sessionId);
        if (session?.role !== socket.data.user.role) socket.disconnect(true);
        else if (look > (this.settledBy.get(socket) ?? 0)) {
          this.settledBy.set(socket, look);
          settle(socket, streams.get(socket.data.user.id) ?? new Set());
        }
      }
      this.lastFault = '';
    } catch (error) {
      this.tell(error, 'sockets could not be checked; trying again');
    }
  }

  /** One line for each new kind of fault, not one for each socket. */
  private tell(error: unknown, what: string): void {
    const fault = messageOf(error);
    if (fault !== this.lastFault) this.logger.warn({ fault }, what);
    this.lastFault = fault;
  }
}

/** Puts a socket into the rooms of its streams, and out of those of others. */
function settle(socket: ClientSocket, streamIds: ReadonlySet<string>): void {
  if (!socket.connected) return;
  const due = new Set([...streamIds].map(ROOMS.stream));
  for (const room of socket.rooms) {
    if (room.startsWith(ROOMS.stream('')) && !due.has(room)) void socket.leave(room);
  }
  const missing = [...due].filter((room) => !socket.rooms.has(room));
  if (missing.length > 0) void socket.join(missing);
}
