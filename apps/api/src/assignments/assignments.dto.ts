import { z } from 'zod';
import { PageQuery, pageOf } from '../http/pagination.js';

export const Assignment = z
  .object({
    id: z.uuid(),
    agentId: z.uuid(),
    agentUsername: z.string().meta({ example: 'alice' }),
    streamId: z.uuid(),
    streamName: z.string().meta({ example: 'Main stage' }),
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
  .strictObject({ agentId: z.uuid().describe('Who looks after it.'), streamId: z.uuid().describe('The stream.') })
  .meta({ id: 'CreateAssignmentRequest' });
export type CreateAssignmentRequest = z.infer<typeof CreateAssignmentRequest>;
