import { z } from 'zod';

/** The id in a path. */
export const Id = z.uuid();

/** A filter that is `true` or `false` in a query. */
export const QueryFlag = z.enum(['true', 'false']).transform((text) => text === 'true');
