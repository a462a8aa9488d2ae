import { z } from 'zod';
import { pageOf } from '../../http/pagination.js';
import { NewPassword } from '../auth.dto.js';

const Username = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,63}$/i, '2 to 64 letters, digits, dots, dashes or underscores')
  .meta({ example: 'alice' });
const Email = z.email().max(254).meta({ example: 'alice@example.com' });

export const RegisterRequest = z
  .strictObject({
    username: Username,
    email: Email,
    name: z.string().max(200).default('').meta({ example: 'Alice' }),
    password: NewPassword,
    invitation: z.string().min(1).max(200).optional().describe('The code that an admin gave you.'),
  })
  .meta({ id: 'RegisterRequest' });
export type RegisterRequest = z.infer<typeof RegisterRequest>;

export const CheckUsernameRequest = z.strictObject({ username: Username }).meta({ id: 'CheckUsernameRequest' });
export type CheckUsernameRequest = z.infer<typeof CheckUsernameRequest>;

export const CheckEmailRequest = z.strictObject({ email: Email }).meta({ id: 'CheckEmailRequest' });
export type CheckEmailRequest = z.infer<typeof CheckEmailRequest>;

export const Availability = z
  .object({ available: z.boolean().describe('False: another user has it.') })
  .meta({ id: 'Availability' });
export type Availability = z.infer<typeof Availability>;

export const CreateInvitationRequest = z
  .strictObject({
    email: Email.optional().describe('Whom it is for; the code is mailed there. Left out: whoever has the code.'),
    expiresInHours: z.number().int().min(1).max(720).default(72),
  })
  .meta({ id: 'CreateInvitationRequest' });
export type CreateInvitationRequest = z.infer<typeof CreateInvitationRequest>;

export const Invitation = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    invitedBy: z.uuid().nullable(),
    usedAt: z.iso.datetime().nullable(),
    usedBy: z.uuid().nullable(),
    expiresAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof Invitation>;

export const InvitationPage = pageOf(Invitation, 'InvitationPage');

export const CreatedInvitation = Invitation.extend({
  code: z.string().describe('Good for one registration; shown this once.'),
}).meta({ id: 'CreatedInvitation' });
export type CreatedInvitation = z.infer<typeof CreatedInvitation>;
