import { z } from 'zod';

/** What every error response is: RFC 9457 `application/problem+json`. */
export const Problem = z
  .object({
    type: z
      .string()
      .describe('A URI that names the kind of problem.')
      .meta({ example: 'urn:vigil:problem:stream.not_found' }),
    title: z.string().describe('The HTTP status in words.').meta({ example: 'Not Found' }),
    status: z.number().int().meta({ example: 404 }),
    detail: z.string().describe('A sentence for a person that says what to do next.'),
    code: z.string().describe('A stable code that a client may switch on.').meta({ example: 'stream.not_found' }),
    instance: z.string().describe('Path of the request.'),
    requestId: z.string().describe('Quote this when asking for help.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('What is wrong with the request, field by field.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
