import { z } from 'zod';
import { PageQuery, pageOf } from '../http/pagination.js';

const Priority = z.number().int().min(1).max(10).describe('1 is what the agent looks at first.').meta({ example: 5 });
const Notes = z.string().max(2_000).describe('What the agent should know.').meta({ example: 'Watch the left gate.' });

export const Assignment = z
  .object({
    id: z.uuid(),
    agentId: z.uuid(),
    agentUsername: z.string().meta({ example: 'alice' }),
    streamId: z.uuid(),
    streamName: z.string().meta({ example: 'Main stage' }),
    priority: Priority,
    notes: z.string(),
    automatic: z.boolean().describe('Whether the agent was chosen by the api.'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Assignment' });
export type Assignment = z.infer<typeof Assignment>;

export const AssignmentPage = pageOf(Assignment, 'AssignmentPage');

export const AssignmentQuery = PageQuery.extend({
  streamId: z.uuid().optional().describe('Only those of this stream.'),
  agentId: z.uuid().optional().describe('Only those of this agent; agents see their own in any case.'),
});
export type AssignmentQuery = z.infer<typeof AssignmentQuery>;

export const CreateAssignmentRequest = z
  .strictObject({
    agentId: z
      .uuid()
      .optional()
      .describe(
        'Who looks after it. Left out, the api chooses: online first, then who has least to do, within capacity.',
      ),
    streamId: z.uuid().describe('The stream.'),
    priority: Priority.default(5),
    notes: Notes.default(''),
  })
  .meta({ id: 'CreateAssignmentRequest' });
export type CreateAssignmentRequest = z.infer<typeof CreateAssignmentRequest>;

export const ReplaceAssignmentsRequest = z
  .strictObject({
    assignments: z
      .array(z.strictObject({ agentId: z.uuid(), priority: Priority.default(5), notes: Notes.default('') }))
      .max(200)
      .refine((all) => new Set(all.map(({ agentId }) => agentId)).size === all.length, 'names an agent twice')
      .describe('Who looks after the stream from now on; nobody else does.'),
  })
  .meta({ id: 'ReplaceAssignmentsRequest' });
export type ReplaceAssignmentsRequest = z.infer<typeof ReplaceAssignmentsRequest>;

export const AssignmentList = z.object({ items: z.array(Assignment) }).meta({ id: 'AssignmentList' });
export type AssignmentList = z.infer<typeof AssignmentList>;
