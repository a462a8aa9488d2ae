import { createHash, randomUUID } from 'node:crypto';
import {
  applyDecorators,
  Inject,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Response } from 'express';
import { catchError, from, map, mergeMap, of, throwError, type Observable } from 'rxjs';
import { z } from 'zod';
import { AppError, messageOf } from '#libs/errors/app-error.js';
import type { Logger } from '#libs/observability/logger.js';
import type { AuthenticatedRequest } from '../auth/authenticated-user.js';
import { SIGNING_SECRET } from '../auth/signing-secret.js';
import { LOGGER } from '../runtime.module.js';
import { ApiErrors } from './api-errors.js';
import { IdempotencyRepository, type RequestKey } from './idempotency.repository.js';
import { seal, unseal } from './sealed-box.js';

/** Characters of an answer that is kept at most; a longer one is not, and its key may be used again. */
const MOST_CHARACTERS = 262_144;
/** Headers that belong to the answer. */
const KEPT_HEADERS = ['Location', 'ETag'] as const;
/** Says that an answer was given before. */
const REPLAYED_HEADER = 'Idempotency-Replayed';

const Answer = z.object({ headers: z.record(z.string(), z.string()), body: z.unknown() });

/**
 * Lets clients repeat a creation safely: with an `Idempotency-Key`, the same request of the same user gets the answer
 * that it got the first time, for 24 h. While the first is under way a repetition gets 409, and the key with another
 * body 422. What failed is not kept. For routes of signed-in users that take and give JSON.
 */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'An unguessable text of your own, such as a UUID: a repetition gets the first answer, for 24 h.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
    ApiErrors(409, 422),
  );
}

/** Stands before the handlers that are marked by {@link Idempotent}. */
@Injectable()
class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly keys: IdempotencyRepository,
    @Inject(SIGNING_SECRET) private readonly secret: string,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const response = http.getResponse<Response>();
    const given = request.headers['idempotency-key'];
    if (given === undefined || request.user === undefined) return next.handle();
    // The key seals the answer, so the database keeps only its hash: answers may hold one-time passwords.
    const secrets = [this.secret, keyIn(given)];
    const { id: userId } = request.user;
    const key = { userId, route: `${request.method} ${request.path}`, keyHash: digest(secrets[1] ?? '') };
    const fingerprint = digest(JSON.stringify([request.query, request.body ?? null]));
    const claim = randomUUID();
    if (!(await this.keys.claim(key, fingerprint, claim))) return this.replay(key, fingerprint, secrets, response);
    return next.handle().pipe(
      mergeMap((body: unknown) => from(this.keep(key, claim, secrets, response, body)).pipe(map(() => body))),
      catchError((error: unknown) => from(this.release(key, claim)).pipe(mergeMap(() => throwError(() => error)))),
    );
  }

  private async replay(
    key: RequestKey,
    fingerprint: string,
    secrets: readonly string[],
    response: Response,
  ): Promise<Observable<unknown>> {
    const known = await this.keys.find(key);
    if (known !== null && known.fingerprint !== fingerprint) {
      throw new AppError(
        'request.idempotency.unprocessable',
        'user',
        'This Idempotency-Key came with another request before: use a new one.',
      );
    }
    const answer = opened(known?.answer ?? null, secrets);
    const status = known?.status ?? null;
    if (status === null || answer === null) {
      throw new AppError(
        'request.idempotency.conflict',
        'user',
        'The same request is under way: ask again in some seconds.',
        { retryAfterSeconds: 2 },
      );
    }
    response.status(status).setHeader(REPLAYED_HEADER, 'true');
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
    return of(answer.body);
  }

  private async keep(
    key: RequestKey,
    claim: string,
    secrets: readonly string[],
    response: Response,
    body: unknown,
  ): Promise<void> {
    const headers = KEPT_HEADERS.flatMap((name) => {
      const value = response.getHeader(name);
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    const text = JSON.stringify({ headers: Object.fromEntries(headers), body });
    if (text.length > MOST_CHARACTERS) await this.release(key, claim);
    else {
      // What was made is made: that its answer could not be kept must not make it look like a failure.
      await this.keys.answer(key, claim, response.statusCode, seal(text, secrets)).catch((error: unknown) => {
        this.logger.warn({ route: key.route, fault: messageOf(error) }, 'an answer could not be kept');
      });
    }
  }

  private async release(key: RequestKey, claim: string): Promise<void> {
    await this.keys.release(key, claim).catch((error: unknown) => {
      this.logger.warn({ route: key.route, fault: messageOf(error) }, 'an idempotency key could not be released');
    });
  }
}

/** Null when there is none yet, or the secret has changed since. */
function opened(box: Buffer | null, secrets: readonly string[]): z.infer<typeof Answer> | null {
  if (box === null) return null;
  try {
    return Answer.parse(JSON.parse(unseal(box, secrets)));
  } catch {
    return null;
  }
}

function keyIn(header: string | string[]): string {
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new AppError(
    'request.idempotency.invalid',
    'user',
    'Idempotency-Key must be 1 to 255 printable characters without spaces.',
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
