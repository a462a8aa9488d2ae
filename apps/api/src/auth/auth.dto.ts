import { z } from 'zod';
import { pageOf } from '../http/pagination.js';

/** A password that somebody chooses. */
export const NewPassword = z
  .string()
  .min(10)
  .max(200)
  .describe('At least 10 characters.')
  .meta({ example: 'correct horse battery' });

/** The signed-in user. */
export const SessionUser = z
  .object({
    id: z.uuid(),
    username: z.string().meta({ example: 'alice' }),
    email: z.string().meta({ example: 'alice@example.com' }),
    name: z.string().meta({ example: 'Alice' }),
    role: z.enum(['admin', 'agent']),
    mustChangePassword: z.boolean().describe('True: nothing but POST /api/auth/change-password is allowed yet.'),
  })
  .meta({ id: 'SessionUser' });
export type SessionUser = z.infer<typeof SessionUser>;

/** What of a user its own client is told. */
export function viewOf({ id, username, email, name, role, mustChangePassword }: SessionUser): SessionUser {
  return { id, username, email, name, role, mustChangePassword };
}

export const LoginRequest = z
  .strictObject({
    username: z.string().min(1).max(254).describe('User name or e-mail address.').meta({ example: 'admin' }),
    password: z.string().min(1).max(200).meta({ example: 'correct horse battery' }),
  })
  .meta({ id: 'LoginRequest' });
export type LoginRequest = z.infer<typeof LoginRequest>;

export const Tokens = z
  .object({
    accessToken: z.string().describe('JWT for `Authorization: Bearer …` and the socket handshake.'),
    refreshToken: z.string().describe('Good for one POST /api/auth/token-verify; keep it secret.'),
    expiresIn: z.number().int().describe('Life of the access token in seconds.').meta({ example: 900 }),
    user: SessionUser,
  })
  .meta({ id: 'Tokens' });
export type Tokens = z.infer<typeof Tokens>;

export const TokenVerifyRequest = z
  .union([
    z.strictObject({ token: z.string().min(1).max(8_192).describe('An access token, to be checked.') }),
    z.strictObject({ refreshToken: z.string().min(1).max(500).describe('A refresh token, to be exchanged.') }),
    z.strictObject({}).describe('In cookie mode: the refresh token in the cookie is exchanged.'),
  ])
  .meta({ id: 'TokenVerifyRequest' });
export type TokenVerifyRequest = z.infer<typeof TokenVerifyRequest>;

export const TokenVerification = z
  .object({
    valid: z.boolean(),
    user: SessionUser.nullable(),
    accessToken: z.string().optional().describe('After a refresh.'),
    refreshToken: z.string().optional().describe('After a refresh; the one that was sent is used up.'),
    expiresIn: z.number().int().optional().describe('Life left of the access token in seconds.'),
  })
  .meta({ id: 'TokenVerification' });
export type TokenVerification = z.infer<typeof TokenVerification>;

export const ChangePasswordRequest = z
  .strictObject({ currentPassword: z.string().min(1).max(200), newPassword: NewPassword })
  .meta({ id: 'ChangePasswordRequest' });
export type ChangePasswordRequest = z.infer<typeof ChangePasswordRequest>;

export const SignIn = z
  .object({
    id: z.uuid(),
    current: z.boolean().describe('True for the one that this request belongs to.'),
    userAgent: z.string().describe('What the client called itself, cut.').meta({ example: 'Mozilla/5.0 …' }),
    address: z.string().meta({ example: '203.0.113.7' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().describe('When its tokens were last refreshed.'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SignIn' });
export type SignIn = z.infer<typeof SignIn>;

export const SignInPage = pageOf(SignIn, 'SignInPage');
