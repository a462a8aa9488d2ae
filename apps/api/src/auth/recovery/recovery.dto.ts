import { z } from 'zod';
import { NewPassword } from '../auth.dto.js';

const Code = z.string().min(1).max(200).describe('The code out of the mail.');

export const ForgotPasswordRequest = z
  .strictObject({ email: z.email().max(254).meta({ example: 'alice@example.com' }) })
  .meta({ id: 'ForgotPasswordRequest' });
export type ForgotPasswordRequest = z.infer<typeof ForgotPasswordRequest>;

export const VerifyResetTokenRequest = z.strictObject({ token: Code }).meta({ id: 'VerifyResetTokenRequest' });
export type VerifyResetTokenRequest = z.infer<typeof VerifyResetTokenRequest>;

export const ResetTokenVerification = z.object({ valid: z.boolean() }).meta({ id: 'ResetTokenVerification' });
export type ResetTokenVerification = z.infer<typeof ResetTokenVerification>;

export const ResetPasswordRequest = z
  .strictObject({ token: Code, newPassword: NewPassword })
  .meta({ id: 'ResetPasswordRequest' });
export type ResetPasswordRequest = z.infer<typeof ResetPasswordRequest>;
