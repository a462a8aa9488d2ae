import { NotFoundException } from '@nestjs/common';
import { z } from 'zod';
import { AppError, type ErrorKind } from '#libs/errors/app-error.js';
import { decodeCursor, encodeCursor, PageQuery, toPage } from './pagination.js';
import { faultOf } from './problem.filter.js';

describe('errors as answers', () => {
  it.each([
    ['stream.not_found', 'user', 404],
    ['auth.forbidden', 'user', 403],
    ['stream.name.conflict', 'user', 409],
    ['auth.unauthorized', 'user', 401],
    ['auth.too_many', 'user', 429],
    ['request.invalid', 'user', 400],
    ['redis.unavailable', 'operational', 503],
    ['some.defect', 'unexpected', 500],
  ] as [string, ErrorKind, number][])('%s of kind %s is %i', (code, kind, status) => {
    expect(faultOf(new AppError(code, kind, 'what to do next')).status).toBe(status);
  });

  it('tell nothing of a defect', () => {
    for (const error of [new Error('secret'), new AppError('x.y', 'unexpected', 'secret'), 'secret', null]) {
      expect(JSON.stringify(faultOf(error))).not.toContain('secret');
    }
  });

  it('name what is wrong field by field', () => {
    const errors = [{ path: 'name', message: 'is missing' }];
    expect(faultOf(new AppError('request.invalid', 'user', 'bad', { errors })).errors).toEqual(errors);
  });

  it('take over what the HTTP layer says', () => {
    expect(faultOf(new NotFoundException())).toMatchObject({ status: 404, code: 'request.not_found' });
    const tooLarge = Object.assign(new Error('request entity too large'), { status: 413 });
    expect(faultOf(tooLarge)).toMatchObject({ status: 413, code: 'request.too_large' });
  });
});

describe('pages', () => {
  const Position = z.tuple([z.string(), z.uuid()]);

  it('go on where the last one ended', () => {
    const rows = ['a', 'b', 'c'];
    const page = toPage(
      rows,
      2,
      (row) => [row],
      (row) => row.toUpperCase(),
    );
    expect(page.items).toEqual(['A', 'B']);
    expect(decodeCursor(page.nextCursor ?? undefined, z.tuple([z.string()]))).toEqual(['b']);
    expect(
      toPage(
        rows,
        3,
        (row) => [row],
        (row) => row,
      ).nextCursor,
    ).toBeNull();
  });

  it('refuse cursors of other lists, and rubbish', () => {
    for (const cursor of [encodeCursor([1]), encodeCursor(['x', 'not a uuid']), '%%%', '', 'AAAA']) {
      expect(() => decodeCursor(cursor, Position)).toThrow(expect.objectContaining({ code: 'request.invalid_cursor' }));
    }
  });

  it('hold 50 items unless told, 200 at most', () => {
    expect(PageQuery.parse({}).limit).toBe(50);
    expect(PageQuery.safeParse({ limit: '201' }).success).toBe(false);
    expect(PageQuery.safeParse({ limit: '0' }).success).toBe(false);
  });
});
